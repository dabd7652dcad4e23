"""The Redis tiers of every tenant, which the operator builds."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from tenfold_dashboards import metrics

from tenfold_infra import images, naming
from tenfold_infra.components.conditions import wait_for
from tenfold_infra.components.operator import Operator
from tenfold_infra.config import Platform
from tenfold_infra.config.models import Cluster, Tenant, Tier


class RedisTiers(pulumi.ComponentResource):
    """One RedisTier resource for each tier that the stack names, by (tenant, tier).

    The operator has to be there when they come, and still when they go.
    """

    tiers: dict[tuple[str, str], CustomResource]

    def __init__(self, platform: Platform, operator: Operator) -> None:
        super().__init__("tenfold:infra:RedisTiers", "redis-tiers")
        self._opts = ResourceOptions(parent=self, depends_on=[operator])
        self.tiers = {
            (tenant.name, tier.name): self._tier(platform.cluster, tenant, tier)
            for tenant in platform.tenants
            for tier in tenant.tiers
        }
        for tenant in platform.tenants:
            for tier in tenant.tiers:
                if tier.predict_failures:
                    self._detector(tenant, tier)
        self.register_outputs({"tiers": [f"{tenant}/{tier}" for tenant, tier in self.tiers]})

    def _tier(self, cluster: Cluster, tenant: Tenant, tier: Tier) -> CustomResource:
        return CustomResource(
            f"{tenant.name}-{tier.name}",
            api_version=naming.API_VERSION,
            kind="RedisTier",
            metadata=ObjectMetaArgs(
                name=tier.name, namespace=tenant.name, annotations=wait_for("Ready")
            ),
            spec=_spec(cluster, tier),
            opts=self._opts,
        )

    def _detector(self, tenant: Tenant, tier: Tier) -> None:
        CustomResource(
            f"{tenant.name}-{_detector_name(tier)}",
            api_version=naming.API_VERSION,
            kind="AnomalyDetector",
            metadata=ObjectMetaArgs(name=_detector_name(tier), namespace=tenant.name),
            spec={
                "queries": _health(tenant, tier),
                "intervalSeconds": 10,
                "seasonSeconds": 3600,
                "trainingSeconds": 86400,
            },
            opts=self._opts,
        )


def _detector_name(tier: Tier) -> str:
    return f"{tier.name}-health"


def _health(tenant: Tenant, tier: Tier) -> list[dict[str, str]]:
    """What goes another way before a server fails, over all servers of the tier."""
    which = f'{{namespace="{tenant.name}",tier="{tier.name}"}}'

    def rate(counter: str) -> str:
        return f"sum(rate({counter}{which}[1m]))"

    queries = {
        "latency": f"{rate(metrics.REDIS_COMMAND_SECONDS)} / {rate(metrics.REDIS_COMMANDS)}",
        "lag": f"max({metrics.REDIS_REPLICA_LAG}{which})",
        "memory": f"max({metrics.REDIS_MEMORY_USED}{which})",
        "fragmentation": f"max({metrics.REDIS_FRAGMENTATION}{which})",
        "evictions": rate(metrics.REDIS_EVICTED),
    }
    return [{"name": name, "expr": expr} for name, expr in queries.items()]


def _spec(cluster: Cluster, tier: Tier) -> dict[str, object]:
    persistence = tier.persistence.model_dump(by_alias=True)
    if cluster.storage_class is not None:
        persistence["storageClassName"] = cluster.storage_class
    shards = {} if tier.shards is None else {"shards": tier.shards}
    suspicion = {"suspicion": {"detectors": [_detector_name(tier)]}}
    return {
        "topology": tier.topology,
        **shards,
        "replicas": tier.replicas,
        "memory": tier.memory,
        "evictionPolicy": tier.eviction_policy,
        "persistence": persistence,
        "sentinel": tier.sentinel.model_dump(by_alias=True),
        "handover": {"mode": tier.handover, **(suspicion if tier.predict_failures else {})},
        "images": {
            "redis": images.REDIS.reference,
            "exporter": images.REDIS_EXPORTER.reference,
        },
        "resources": tier.resources.model_dump(),
    }
