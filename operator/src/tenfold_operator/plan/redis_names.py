"""Names within a RedisTier."""

from tenfold_operator.model.generated import RedisTier

SENTINELS = 3
QUORUM = 2
REDIS_PORT = 6379
SENTINEL_PORT = 26379
BUS_PORT = 16379
"""Where the servers of a cluster speak with each other."""
VOLUME = "data"
"""Of the template of the servers' and Sentinels' claims."""
POD_NAME = "statefulset.kubernetes.io/pod-name"
"""Label of a StatefulSet's pod with its own name."""
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
    """Return the domain name of a Service; that of a headless one is the domain of its pods.

    With five dots the full name is looked up first, without a walk through search domains.
    """
    return f"{service}.{tier.metadata.namespace}.svc.cluster.local"


def claim(pod: str) -> str:
    """Return the name of the claim of a pod's volume."""
    return f"{VOLUME}-{pod}"


def ordinal(pod: str) -> int:
    """Return the number of a StatefulSet's pod."""
    return int(pod.rpartition("-")[2])


def shard(tier: RedisTier, number: int) -> str:
    """Return the name of the StatefulSet of a cluster's shard."""
    return f"{tier.metadata.name}-{number}"


def member(tier: RedisTier, number: int, ordinal_: int) -> str:
    """Return the name of a server's pod in a cluster."""
    return f"{shard(tier, number)}-{ordinal_}"


def server_sets(tier: RedisTier) -> tuple[str, ...]:
    """Return the names of the StatefulSets of the servers that the spec asks for."""
    if tier.spec.topology == "cluster":
        return tuple(shard(tier, number) for number in range(tier.spec.shards or 0))
    return (tier.metadata.name,)


def shard_of(tier: RedisTier, pod: str) -> int | None:
    """Return the number of the shard that a pod belongs to; None for one of another name."""
    number, _, last = pod.removeprefix(f"{tier.metadata.name}-").partition("-")
    return int(number) if number.isdigit() and last.isdigit() else None
