"""Names within a RedisTier."""

from tenfold_operator.model.generated import RedisTier

SENTINELS = 3
QUORUM = 2
REDIS_PORT = 6379
SENTINEL_PORT = 26379
LAG_SECONDS = 2
"""Replicas acknowledge once a second: one that was not heard for longer lags."""


def nodes(tier: RedisTier) -> str:
    """Return the name of the headless Service of the servers."""
    return f"{tier.metadata.name}-nodes"


def sentinel(tier: RedisTier) -> str:
    """Return the name of the Sentinels' StatefulSet and headless Service."""
    return f"{tier.metadata.name}-sentinel"


def secret(tier: RedisTier) -> str:
    """Return the name of the Secret with the password."""
    return tier.spec.auth.secret_name or f"{tier.metadata.name}-auth"


def domain(tier: RedisTier, service: str) -> str:
    """Return the domain of the pods of a headless Service.

    With five dots the full name is looked up first, without a walk through search domains.
    """
    return f"{service}.{tier.metadata.namespace}.svc.cluster.local"


def ordinal(pod: str) -> int:
    """Return the number of a StatefulSet's pod."""
    return int(pod.rpartition("-")[2])
