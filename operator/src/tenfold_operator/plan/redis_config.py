"""The ConfigMap of a RedisTier: configuration files and start scripts."""

from importlib import resources

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import digest, stamped
from tenfold_operator.model.names import TIER, owned
from tenfold_operator.model.tier_tls import AUTHORITY, CERTIFICATE, FOLDER, KEY
from tenfold_operator.plan.redis_names import REDIS_PORT, SENTINEL_PORT

_FACTORS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_SAVE_POINTS = {"aof": "", "rdb": "3600 1 300 100 60 10000"}
_SERVER_SCRIPTS = ("ask.sh", "leave.sh", "ready.sh", "start-redis.sh")
_READ_BY = {
    "redis": (*_SERVER_SCRIPTS, "redis.conf"),
    "redis-sentinel": ("ask.sh", "start-sentinel.sh", "sentinel.conf"),
}
LIVE_SETTINGS = (
    "maxmemory",
    "maxmemory-policy",
    "save",
    "min-replicas-to-write",
    "min-replicas-max-lag",
    "cluster-node-timeout",
    "aof-timestamp-enabled",
)
"""Names of the settings that a running server takes."""
TLS_FILES = {
    "tls-cert-file": f"{FOLDER}/{CERTIFICATE}",
    "tls-key-file": f"{FOLDER}/{KEY}",
    "tls-ca-cert-file": f"{FOLDER}/{AUTHORITY}",
}
"""Set anew, they are read anew."""
FENCED = "98"
"""min-replicas-to-write of a server that the operator has fenced: more than there can be."""
STARTING = "99"
"""The same of one that takes no write until the Sentinels name it; its start script sets it."""


def memory_bytes(tier: RedisTier) -> int:
    """Return spec.memory in bytes."""
    return int(tier.spec.memory[:-2]) * _FACTORS[tier.spec.memory[-2:]]


def config_hash(tier: RedisTier, app: str) -> str:
    """Return a hash of what the app's pods read only at their start; a change restarts them.

    Servers and Sentinels do not restart for each other's files: a failover in between needs both.
    """
    files = _files(tier)
    return digest({name: files[name] for name in _READ_BY[app]})


def live_settings(tier: RedisTier) -> dict[str, str]:
    """Return the settings that a running server takes, as CONFIG GET shows them."""
    spec = tier.spec
    guard, more = "1", {}
    if spec.topology == "cluster":
        more = {"cluster-node-timeout": str(spec.sentinel.down_after_milliseconds)}
        # The only replica of a shard may restart; a primary that is cut off stops by itself.
        guard = "1" if spec.replicas > 1 else "0"
    elif spec.persistence.mode == "aof":
        more = {"aof-timestamp-enabled": "yes"}  # by these a restore finds a point in time
    return {
        "maxmemory": str(memory_bytes(tier)),
        "maxmemory-policy": spec.eviction_policy,
        "save": _SAVE_POINTS[spec.persistence.mode],
        # Writes of a primary that lost its replicas would be lost with the next failover.
        "min-replicas-to-write": guard,
        "min-replicas-max-lag": "10",
        **more,
    }


def config_map(tier: RedisTier) -> JsonObject:
    """Return the ConfigMap; once there was a primary, no pod may begin a data set."""
    meta = tier.metadata
    head = owned("ConfigMap", f"{meta.name}-config", "RedisTier", meta, {TIER: meta.name})
    seed = "" if tier.status.primary else f"{meta.name}-0"
    head["data"] = {**_files(tier), "seed": seed}
    return stamped(head)


def _files(tier: RedisTier) -> dict[str, str]:
    folder = resources.files("tenfold_operator.plan") / "scripts"
    is_cluster = tier.spec.topology == "cluster"
    of_servers = folder / "cluster" if is_cluster else folder
    files = {
        **{name: (of_servers / name).read_text() for name in _SERVER_SCRIPTS},
        "redis.conf": _redis_conf(tier),
        "live.conf": "".join(f'{name} "{value}"\n' for name, value in live_settings(tier).items()),
        "hold": str(_hold_seconds(tier)),
    }
    if is_cluster:
        return files
    return {
        **files,
        "start-sentinel.sh": (folder / "start-sentinel.sh").read_text(),
        "sentinel.conf": f"{_ports(tier, SENTINEL_PORT)}\n{_SENTINEL_CONF}",
        "timers.conf": _timers_conf(tier),
    }


def _hold_seconds(tier: RedisTier) -> int:
    """Return how long a primary that restarts waits: for a failover that has to be tried twice."""
    timers = tier.spec.sentinel
    return (timers.down_after_milliseconds + 2 * timers.failover_timeout_milliseconds) // 1000


def _redis_conf(tier: RedisTier) -> str:
    return f"""\
{_ports(tier, REDIS_PORT)}
protected-mode no
dir /data
appendonly {"yes" if tier.spec.persistence.mode == "aof" else "no"}
appendfsync everysec
repl-diskless-sync-delay 0
{_cluster_conf(tier)}"""


def _ports(tier: RedisTier, port: int) -> str:
    """Return on which port what is spoken; with TLS nobody speaks plainly."""
    if tier.spec.tls is None:
        return f"port {port}"
    files = "".join(f"\n{name} {path}" for name, path in TLS_FILES.items())
    return f"port 0\ntls-port {port}\ntls-replication yes\ntls-auth-clients no{files}"


def _cluster_conf(tier: RedisTier) -> str:
    if tier.spec.topology != "cluster":
        return ""
    return _CLUSTER_CONF + (_CLUSTER_TLS_CONF if tier.spec.tls else "")


_CLUSTER_CONF = """\
cluster-enabled yes
cluster-config-file nodes.conf
cluster-allow-replica-migration no
cluster-require-full-coverage no
"""
# Certificates are for names: a client that is sent on to an address could not check who is there.
_CLUSTER_TLS_CONF = """\
tls-cluster yes
cluster-preferred-endpoint-type hostname
"""


_SENTINEL_CONF = """\
protected-mode no
dir /data
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
"""


def _timers_conf(tier: RedisTier) -> str:
    name, sentinel = tier.metadata.name, tier.spec.sentinel
    return f"""\
sentinel down-after-milliseconds {name} {sentinel.down_after_milliseconds}
sentinel failover-timeout {name} {sentinel.failover_timeout_milliseconds}
sentinel parallel-syncs {name} 1
"""
