"""What people may do: three personas, bound to groups in each namespace.

Groups come from the cluster's identity provider. Nobody gets a right on the whole cluster, and
only platform admins read Secrets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pulumi_kubernetes.rbac.v1 import PolicyRuleArgs

from tenfold_infra import naming
from tenfold_infra.config import Platform

READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete")

ADMIN = "platform-admin"
DEVELOPER = "developer"
VIEWER = "viewer"


def _rule(group: str, resources: Sequence[str], verbs: Sequence[str]) -> PolicyRuleArgs:
    return PolicyRuleArgs(api_groups=[group], resources=list(resources), verbs=list(verbs))


_LOOK = (
    _rule(
        "",
        (
            "pods", "pods/log", "services", "configmaps", "events", "resourcequotas",
            "limitranges", "persistentvolumeclaims", "serviceaccounts",
        ),
        READ,
    ),
    _rule("apps", ("deployments", "statefulsets", "replicasets"), READ),
    _rule("batch", ("jobs", "cronjobs"), READ),
    _rule("discovery.k8s.io", ("endpointslices",), READ),
    _rule("networking.k8s.io", ("networkpolicies",), READ),
    _rule("policy", ("poddisruptionbudgets",), READ),
    _rule("gateway.networking.k8s.io", ("gateways", "httproutes"), READ),
    _rule(naming.API_GROUP, ("*",), READ),
)  # fmt: skip
_DELIVER = (
    _rule(naming.API_GROUP, ("workloads", "workloads/scale"), WRITE),
    _rule("", ("configmaps",), WRITE),
    _rule("", ("pods/portforward",), ("create",)),
)
_RUN = (
    _rule(naming.API_GROUP, ("*",), WRITE),
    _rule("", ("secrets",), (*READ, *WRITE)),
    _rule("", ("pods",), ("delete",)),
    _rule("", ("pods/exec", "pods/eviction"), ("create",)),
    _rule(
        "apps", ("deployments", "statefulsets", "deployments/scale", "statefulsets/scale"), WRITE
    ),
    _rule("gateway.networking.k8s.io", ("gateways", "httproutes"), WRITE),
    _rule("networking.k8s.io", ("networkpolicies",), WRITE),
)

RULES: dict[str, tuple[PolicyRuleArgs, ...]] = {
    VIEWER: _LOOK,
    DEVELOPER: (*_LOOK, *_DELIVER),
    ADMIN: (*_LOOK, *_DELIVER, *_RUN),
}
"""The rules of each persona's ClusterRole."""


@dataclass(frozen=True, kw_only=True)
class Binding:
    """A persona given to a group in one namespace."""

    persona: str
    namespace: str
    group: str


def bindings(platform: Platform) -> Iterator[Binding]:
    """Yield who may act as what, and where."""
    for namespace in platform.namespaces:
        yield Binding(persona=ADMIN, namespace=namespace, group=naming.ADMIN_GROUP)
    for tenant in platform.tenants:
        for persona in (DEVELOPER, VIEWER):
            group = naming.tenant_group(tenant.name, persona)
            yield Binding(persona=persona, namespace=tenant.name, group=group)
