"""The Redis tiers of every tenant, which the operator builds."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

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


def _spec(cluster: Cluster, tier: Tier) -> dict[str, object]:
    persistence = tier.persistence.model_dump(by_alias=True)
    if cluster.storage_class is not None:
        persistence["storageClassName"] = cluster.storage_class
    return {
        "topology": "replicated",
        "replicas": tier.replicas,
        "memory": tier.memory,
        "evictionPolicy": tier.eviction_policy,
        "persistence": persistence,
        "sentinel": tier.sentinel.model_dump(by_alias=True),
        "images": {
            "redis": images.REDIS.reference,
            "exporter": images.REDIS_EXPORTER.reference,
        },
        "resources": tier.resources.model_dump(),
    }
