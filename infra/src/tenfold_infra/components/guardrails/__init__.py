"""Guardrails: the namespaces and what holds in each, whatever runs there."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import (
    LimitRange,
    LimitRangeItemArgs,
    LimitRangeSpecArgs,
    Namespace,
    ResourceQuota,
    ResourceQuotaSpecArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.rbac.v1 import (
    ClusterRole,
    RoleBinding,
    RoleRefArgs,
    SubjectArgs,
)
from pulumi_kubernetes.scheduling.v1 import PriorityClass

from tenfold_infra import naming
from tenfold_infra.components.guardrails import flows, personas
from tenfold_infra.config import Platform
from tenfold_infra.config.models import Tenant

PLATFORM_PRIORITY = "tenfold-platform"
SERVICE_PRIORITY = "tenfold-service"

_PRIORITIES = {
    PLATFORM_PRIORITY: (100_000, "What every tenant depends on: gateway, operator, monitoring."),
    SERVICE_PRIORITY: (10_000, "Services that answer customers."),
}
_RBAC_GROUP = "rbac.authorization.k8s.io"


class Guardrails(pulumi.ComponentResource):
    """Namespaces, network policies, budgets, priorities and the rights of people."""

    namespaces: dict[str, Namespace]

    def __init__(self, platform: Platform) -> None:
        super().__init__("tenfold:infra:Guardrails", "guardrails")
        self.namespaces = self._namespaces(platform)
        self._inside: dict[str, list[pulumi.Resource]] = {name: [] for name in self.namespaces}
        self._network_policies(platform)
        for namespace in platform.namespaces:
            self._limit_range(namespace)
        for tenant in platform.tenants:
            self._quota(tenant)
        self._priority_classes = self._priorities()
        self._personas(platform)
        self.register_outputs({"namespaces": list(self.namespaces)})

    def of(self, namespace: str) -> list[pulumi.Resource]:
        """Return a namespace and what holds in it, for what is put there to come after.

        Nothing for a namespace that is not the platform's.
        """
        if namespace not in self.namespaces:
            return []
        return [self.namespaces[namespace], *self._inside[namespace], *self._priority_classes]

    def _child(self, namespace: str | None = None) -> ResourceOptions:
        inside = [self.namespaces[namespace]] if namespace else None
        return ResourceOptions(parent=self, depends_on=inside)

    def _namespaces(self, platform: Platform) -> dict[str, Namespace]:
        security = {
            f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")
        }
        tenants = {name: {naming.TENANT_LABEL: name} for name in platform.tenant_namespaces}
        return {
            name: Namespace(
                name,
                metadata=ObjectMetaArgs(name=name, labels=security | tenants.get(name, {})),
                opts=self._child(),
            )
            for name in platform.namespaces
        }

    def _network_policies(self, platform: Platform) -> None:
        for policy in flows.policies(platform):
            resource = NetworkPolicy(
                f"{policy.namespace}-{policy.name}",
                metadata=ObjectMetaArgs(name=policy.name, namespace=policy.namespace),
                spec=policy.spec(),
                opts=self._child(policy.namespace),
            )
            self._inside[policy.namespace].append(resource)

    def _limit_range(self, namespace: str) -> None:
        # What a container gets that says nothing itself; the platform's own all say it.
        default = LimitRangeItemArgs(
            type="Container",
            default={"cpu": "500m", "memory": "256Mi"},
            default_request={"cpu": "20m", "memory": "32Mi"},
        )
        limits = LimitRange(
            f"{namespace}-containers",
            metadata=ObjectMetaArgs(name="containers", namespace=namespace),
            spec=LimitRangeSpecArgs(limits=[default]),
            opts=self._child(namespace),
        )
        self._inside[namespace].append(limits)

    def _quota(self, tenant: Tenant) -> None:
        quota = ResourceQuota(
            f"{tenant.name}-quota",
            metadata=ObjectMetaArgs(name="tenant", namespace=tenant.name),
            spec=ResourceQuotaSpecArgs(
                hard={
                    "requests.cpu": tenant.quota.cpu,
                    "requests.memory": tenant.quota.memory,
                    "requests.storage": tenant.quota.storage,
                    "pods": str(tenant.quota.pods),
                    # Traffic from outside comes through the gateway alone.
                    "services.nodeports": "0",
                    "services.loadbalancers": "0",
                }
            ),
            opts=self._child(tenant.name),
        )
        self._inside[tenant.name].append(quota)

    def _priorities(self) -> list[PriorityClass]:
        return [
            PriorityClass(
                name,
                metadata=ObjectMetaArgs(name=name),
                value=value,
                description=description,
                opts=self._child(),
            )
            for name, (value, description) in _PRIORITIES.items()
        ]

    def _personas(self, platform: Platform) -> None:
        roles = {
            persona: ClusterRole(
                f"tenfold-{persona}",
                metadata=ObjectMetaArgs(name=f"tenfold-{persona}"),
                rules=list(rules),
                opts=self._child(),
            )
            for persona, rules in personas.RULES.items()
        }
        for binding in personas.bindings(platform):
            name = f"tenfold-{binding.persona}"
            RoleBinding(
                f"{binding.namespace}-{name}",
                metadata=ObjectMetaArgs(name=name, namespace=binding.namespace),
                role_ref=RoleRefArgs(api_group=_RBAC_GROUP, kind="ClusterRole", name=name),
                subjects=[SubjectArgs(kind="Group", name=binding.group, api_group=_RBAC_GROUP)],
                opts=ResourceOptions(
                    parent=self,
                    depends_on=[self.namespaces[binding.namespace], roles[binding.persona]],
                ),
            )
