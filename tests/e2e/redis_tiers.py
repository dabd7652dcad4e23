"""What tests of Redis tiers on the cluster share."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import TENANT
from tests.support import Kubectl, is_ready, manifest, wait_until


def primary(kubectl: Kubectl, tier: str) -> str:
    """Return the pod that the tier's Service leads to."""
    selector = kubectl.get("service", tier, "--namespace", TENANT)["spec"]["selector"]
    name: str = selector["statefulset.kubernetes.io/pod-name"]
    return name


def network_policy(tier: str) -> dict[str, Any]:
    """Return what lets a tier through as the stack's program lets its own tiers through."""
    own = {"matchLabels": {"tenfold.dev/tier": tier}}
    callers = [
        {"podSelector": {"matchLabels": {"tenfold.dev/redis-client": "true"}}},
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tenfold-system"}},
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "operator"}},
        },
    ]
    ports, bus = [{"port": 6379}, {"port": 26379}], {"port": 16379}
    spec = {
        "podSelector": own,
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {"from": [{"podSelector": own}], "ports": [*ports, bus]},
            {"from": callers, "ports": ports},
        ],
        "egress": [{"to": [{"podSelector": own}], "ports": [*ports, bus]}],
    }
    return manifest("networking.k8s.io/v1", "NetworkPolicy", TENANT, tier, spec=spec)


def make_cluster(kubectl: Kubectl, name: str) -> None:
    """Make a small Redis Cluster of three shards, let through as the stack's own tiers are."""
    small = {"cpu": "10m", "memory": "16Mi"}
    spec = {
        "topology": "cluster",
        "shards": 3,
        "replicas": 1,
        "memory": "16Mi",
        "persistence": {"size": "64Mi"},
        "resources": {"requests": small, "limits": {"cpu": "500m", "memory": "64Mi"}},
    }
    kubectl.apply(
        network_policy(name),
        manifest("tenfold.dev/v1alpha1", "RedisTier", TENANT, name, spec=spec),
    )


def remove_cluster(kubectl: Kubectl, name: str) -> None:
    """Remove it, its volumes included."""
    claims = ("persistentvolumeclaim", "--selector", f"tenfold.dev/tier={name}")
    for what in (("redistier", name), ("networkpolicy", name), claims):
        kubectl("delete", *what, "--namespace", TENANT, "--ignore-not-found")


def wait_until_settled(kubectl: Kubectl, name: str, shards: int, seconds: float = 240) -> None:
    """Wait until so many shards share the slots equally and have their replicas."""

    def is_settled() -> bool:
        found = kubectl.get("redistier", name, "--namespace", TENANT)
        sizes = [each["slots"] for each in found.get("status", {}).get("shards", [])]
        fair = len(sizes) == shards and sum(sizes) == 16384 and max(sizes) - min(sizes) <= 1
        return fair and is_ready(found)

    wait_until(is_settled, seconds=seconds, what=f"a cluster of {shards} shards", every=1)
