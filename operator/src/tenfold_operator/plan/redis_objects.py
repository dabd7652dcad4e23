"""The Kubernetes objects of a replicated RedisTier, built from its spec."""

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import stamped
from tenfold_operator.model.names import TIER
from tenfold_operator.model.tier_tls import Certificate
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan import redis_pods as pods
from tenfold_operator.plan.redis_config import config_map
from tenfold_operator.plan.redis_pods import PodSet

_SENTINEL_VOLUME = "64Mi"


def servers(
    tier: RedisTier, size: int, volume: str, certificate: Certificate | None
) -> tuple[JsonObject, ...]:
    """Return the objects of the Redis servers, `size` of them with volumes of size `volume`."""
    own = PodSet(tier.metadata.name, names.nodes(tier), "redis", size)
    return (
        config_map(tier),
        pods.headless(tier, own, "redis", names.REDIS_PORT),
        pods.servers(tier, own, volume, certificate),
        pods.budget(tier, own),
    )


def sentinels(tier: RedisTier, certificate: Certificate | None) -> tuple[JsonObject, ...]:
    """Return the objects of the three Sentinels, which read a certificate at their start alone."""
    own = PodSet(names.sentinel(tier), names.sentinel(tier), "redis-sentinel", names.SENTINELS)
    resources: JsonObject = {
        "requests": {"cpu": "20m", "memory": "32Mi"},
        "limits": {"cpu": "500m", "memory": "64Mi"},
    }
    sentinel = pods.container(tier, own, "start-sentinel.sh", resources)
    sentinel["ports"] = [{"name": "sentinel", "containerPort": names.SENTINEL_PORT}]
    is_open: JsonObject = {"tcpSocket": {"port": names.SENTINEL_PORT}, "periodSeconds": 2}
    sentinel["startupProbe"] = {**is_open, "failureThreshold": 600}
    sentinel["readinessProbe"] = is_open
    sentinel["livenessProbe"] = pods.liveness(names.SENTINEL_PORT)
    stateful_set = pods.stateful_set(tier, own, [sentinel], _SENTINEL_VOLUME)
    if certificate:
        pods.annotations(stateful_set).update(
            {
                "tenfold.dev/certificate": certificate.digest,
                "tenfold.dev/authority": certificate.authority,
            }
        )
    return (
        pods.headless(tier, own, "sentinel", names.SENTINEL_PORT),
        # What a Sentinel has learnt must outlive its pod: one that began anew while the primary
        # moves would know neither the servers nor the other Sentinels.
        stamped(stateful_set),
        pods.budget(tier, own),
    )


def primary_service(tier: RedisTier, primary: str) -> JsonObject:
    """Return the Service that leads to the pod `primary` and to no other.

    It gives the address out even when the pod is not ready: who is primary is the Sentinels' word,
    and a probe that has not noticed a promotion yet would only delay the clients.
    """
    meta = tier.metadata
    head = pods.head(tier, "Service", meta.name, "redis")
    head["spec"] = {
        "selector": {TIER: meta.name, names.POD_NAME: primary},
        "publishNotReadyAddresses": True,
        "ports": [
            {"name": "redis", "port": names.REDIS_PORT, "targetPort": names.REDIS_PORT},
        ],
    }
    return stamped(head)
