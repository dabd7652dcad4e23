"""How a cache is set up: its tiers, its times, its sizes."""

from dataclasses import dataclass, field

from tenfold_cache.errors import SettingsError

# The shadows of memory's policy take the most of it.
LEAST_MEMORY_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Lifetime:
    """How long one kind of value may be served.

    Each value's own time is drawn up to `jitter` below these, so that what was loaded together
    does not expire together.
    """

    # Served as it is.
    fresh_seconds: float = 60.0
    # After that, served only while a new value cannot be had: tiers down, load failing, or
    # another process busy loading it.
    stale_seconds: float = 300.0
    # How long "there is no such thing" (a load that returned None) is believed.
    negative_seconds: float = 5.0
    # A share of the time, in [0, 1).
    jitter: float = 0.1

    def __post_init__(self) -> None:
        if self.fresh_seconds <= 0 or self.negative_seconds <= 0 or self.stale_seconds < 0:
            raise SettingsError(
                "fresh_seconds and negative_seconds must be above 0, stale_seconds at least 0"
            )
        if not 0 <= self.jitter < 1:
            raise SettingsError(f"jitter is a share in [0, 1), not {self.jitter}")


@dataclass(frozen=True, kw_only=True)
class Tier:
    """One Redis tier. A cluster's URL names any of its nodes."""

    url: str
    # Whether it is a Redis Cluster; only L4 may be one.
    cluster: bool = False
    password: str | None = field(default=None, repr=False)
    # An answer that takes longer counts as none, and the next tier is asked.
    timeout_seconds: float = 0.1
    # A tier that failed is left alone this long, then tried with one request.
    rest_seconds: float = 1.0
    # Connections of this process to one server.
    connections: int = 32

    def __post_init__(self) -> None:
        if not self.url.startswith(("redis://", "rediss://", "unix://")):
            raise SettingsError("a tier's url starts with redis://, rediss:// or unix://")
        if self.timeout_seconds <= 0 or self.rest_seconds <= 0 or self.connections < 1:
            raise SettingsError(
                "timeout_seconds and rest_seconds must be above 0, connections at least 1"
            )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The tiers of one cache. A tier that is None is not there; L1 always is."""

    # L1: keys, values and bookkeeping of this process together.
    memory_bytes: int = 512 * 1024 * 1024
    # L2: replicated Redis; leases and invalidation messages go through it.
    l2: Tier | None = None
    # L3: the predictive tier, which the warmer fills.
    l3: Tier | None = None
    # L4: the largest, Redis Cluster or one Redis.
    l4: Tier | None = None
    # Before every key in Redis; caches with the same one share their values.
    namespace: str = "cache"
    # For a `get` or `set` that names none.
    lifetime: Lifetime = Lifetime()
    # The longest that L1 serves a value without asking a tier below it again: the bound on
    # staleness where an invalidation message was lost.
    memory_seconds: float = 30.0
    # The longest that a `load` may take; as long, one process's lease keeps the others waiting.
    load_seconds: float = 5.0
    # The warmer learns and fills once in each.
    warm_interval_seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.memory_bytes < LEAST_MEMORY_BYTES:
            raise SettingsError("memory_bytes must be at least 5 MiB")
        if min(self.memory_seconds, self.load_seconds, self.warm_interval_seconds) <= 0:
            raise SettingsError("memory_, load_ and warm_interval_seconds must be above 0")
        if any(tier is not None and tier.cluster for tier in (self.l2, self.l3)):
            raise SettingsError("l2 and l3 are no clusters: leases and counts need one server")
        if not self.namespace or any(character in self.namespace for character in "{}: "):
            raise SettingsError("namespace is a word without braces, colons and spaces")
