"""The Kubernetes objects of a RedisTier of topology cluster, built from its spec."""

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import Ref, stamped
from tenfold_operator.model.names import APP, TIER
from tenfold_operator.model.tier_tls import Certificate
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan import redis_pods as pods
from tenfold_operator.plan.redis_config import config_map
from tenfold_operator.plan.redis_pods import PodSet

_APP = "redis"


def common(tier: RedisTier) -> tuple[JsonObject, ...]:
    """Return the objects that all shards share."""
    every = PodSet(tier.metadata.name, names.nodes(tier), _APP, 0)
    return (
        config_map(tier),
        pods.headless(tier, every, "redis", names.REDIS_PORT),
        _entrance(tier),
    )


def shard(
    tier: RedisTier, number: int, volume: str, certificate: Certificate | None
) -> tuple[JsonObject, ...]:
    """Return the objects of one shard: its servers, and how many of them may be away.

    `volume` is the size of their volumes.
    """
    name, size = names.shard(tier, number), tier.spec.replicas + 1
    own = PodSet(name, names.nodes(tier), _APP, size, number)
    return pods.budget(tier, own), pods.servers(tier, own, volume, certificate)


def shard_refs(tier: RedisTier, number: int) -> tuple[Ref, ...]:
    """Return where the objects of a shard are."""
    name, namespace = names.shard(tier, number), tier.metadata.namespace
    return tuple(Ref(kind, namespace, name) for kind in ("StatefulSet", "PodDisruptionBudget"))


def _entrance(tier: RedisTier) -> JsonObject:
    """Return the Service by which clients find the servers."""
    manifest = pods.head(tier, "Service", tier.metadata.name, _APP)
    manifest["spec"] = {
        "selector": {APP: _APP, TIER: tier.metadata.name},
        "ports": [{"name": "redis", "port": names.REDIS_PORT, "targetPort": names.REDIS_PORT}],
    }
    return stamped(manifest)
