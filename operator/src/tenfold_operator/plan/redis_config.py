"""The ConfigMap of a RedisTier: configuration files and start scripts."""

from importlib import resources

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import digest, stamped
from tenfold_operator.model.names import TIER, owned

_FACTORS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_SAVE_POINTS = {"aof": "", "rdb": "3600 1 300 100 60 10000"}
_SCRIPTS = ("ask.sh", "leave.sh", "ready.sh", "start-redis.sh", "start-sentinel.sh")
_READ_BY = {
    "redis": ("ask.sh", "leave.sh", "ready.sh", "start-redis.sh", "redis.conf"),
    "redis-sentinel": ("ask.sh", "start-sentinel.sh", "sentinel.conf"),
}
LIVE_SETTINGS = (
    "maxmemory",
    "maxmemory-policy",
    "save",
    "min-replicas-to-write",
    "min-replicas-max-lag",
)
"""Names of the settings that a running server takes."""
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
    return {
        "maxmemory": str(memory_bytes(tier)),
        "maxmemory-policy": spec.eviction_policy,
        "save": _SAVE_POINTS[spec.persistence.mode],
        # Writes of a primary that lost its replicas would be lost with the next failover.
        "min-replicas-to-write": "1",
        "min-replicas-max-lag": "10",
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
    scripts = {name: (folder / name).read_text() for name in _SCRIPTS}
    return {
        **scripts,
        "redis.conf": _redis_conf(tier),
        "live.conf": "".join(f'{name} "{value}"\n' for name, value in live_settings(tier).items()),
        "hold": str(_hold_seconds(tier)),
        "sentinel.conf": _SENTINEL_CONF,
        "timers.conf": _timers_conf(tier),
    }


def _hold_seconds(tier: RedisTier) -> int:
    """Return how long a primary that restarts waits: for a failover that has to be tried twice."""
    timers = tier.spec.sentinel
    return (timers.down_after_milliseconds + 2 * timers.failover_timeout_milliseconds) // 1000


def _redis_conf(tier: RedisTier) -> str:
    return f"""\
port 6379
protected-mode no
dir /data
appendonly {"yes" if tier.spec.persistence.mode == "aof" else "no"}
appendfsync everysec
repl-diskless-sync-delay 0
"""


_SENTINEL_CONF = """\
port 26379
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
