"""Service accounts and the rights they get: by Role in each namespace wherever possible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.rbac.v1 import (
    ClusterRole,
    ClusterRoleBinding,
    PolicyRuleArgs,
    Role,
    RoleBinding,
    RoleRefArgs,
    SubjectArgs,
)

RBAC_GROUP = "rbac.authorization.k8s.io"
WATCH = ("list", "watch")
READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete")


def rule(group: str, resources: Iterable[str], verbs: Iterable[str]) -> PolicyRuleArgs:
    """Return a rule on resources of one API group (the core group is the empty text)."""
    return PolicyRuleArgs(api_groups=[group], resources=list(resources), verbs=list(verbs))


class Identity:
    """A service account with its rights; `granted` is what pods have to wait for."""

    name: str
    account: ServiceAccount
    granted: list[pulumi.Resource]

    def __init__(self, name: str, namespace: str, parent: pulumi.Resource) -> None:
        self.name = name
        self._namespace = namespace
        self._opts = ResourceOptions(parent=parent)
        self.account = ServiceAccount(
            name,
            metadata=ObjectMetaArgs(name=name, namespace=namespace),
            # Pods that talk to the API server say so themselves.
            automount_service_account_token=False,
            opts=self._opts,
        )
        self.granted = [self.account]

    def may(self, rules: Sequence[PolicyRuleArgs], namespaces: Iterable[str]) -> None:
        """Allow `rules` in each of `namespaces`."""
        for namespace in namespaces:
            metadata = ObjectMetaArgs(name=f"tenfold-{self.name}", namespace=namespace)
            resource_name = f"{self.name}-{namespace}"
            role = Role(resource_name, metadata=metadata, rules=list(rules), opts=self._opts)
            binding = RoleBinding(
                resource_name,
                metadata=metadata,
                role_ref=self._role_ref("Role"),
                subjects=[self._subject()],
                opts=self._opts,
            )
            self.granted += [role, binding]

    def may_everywhere(self, rules: Sequence[PolicyRuleArgs]) -> None:
        """Allow `rules` on the whole cluster."""
        metadata = ObjectMetaArgs(name=f"tenfold-{self.name}")
        role = ClusterRole(self.name, metadata=metadata, rules=list(rules), opts=self._opts)
        binding = ClusterRoleBinding(
            self.name,
            metadata=metadata,
            role_ref=self._role_ref("ClusterRole"),
            subjects=[self._subject()],
            opts=self._opts,
        )
        self.granted += [role, binding]

    def _role_ref(self, kind: str) -> RoleRefArgs:
        return RoleRefArgs(api_group=RBAC_GROUP, kind=kind, name=f"tenfold-{self.name}")

    def _subject(self) -> SubjectArgs:
        return SubjectArgs(kind="ServiceAccount", name=self.name, namespace=self._namespace)
