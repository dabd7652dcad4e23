"""How often a tenant may ask: one count over all replicas, kept in Redis."""

import asyncio
import dataclasses
import time
from collections.abc import Mapping

import cachetools
from tenfold_runtime import problems

from tenfold_gateway import metrics, store

# The generic cell rate algorithm (ITU-T I.371): one time for each tenant, at which it would have
# used up all that it was allowed. Redis' own clock counts, so that replicas need not agree.
# Returns how many of the wanted requests are allowed, or the negative time to wait for one.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local used = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local room = math.floor((now + burst - used) / interval)
if room < 1 then
  return -math.ceil(used + interval - burst - now)
end
local granted = math.min(wanted, room)
used = used + granted * interval
redis.call('SET', KEYS[1], string.format('%.0f', used), 'PX', math.ceil((used - now) / 1000))
return granted
"""
_MICROSECONDS = 1_000_000
# A Redis that is away must not make every request wait for it.
_PATIENCE_SECONDS = 0.25
# A replica takes this share of a second's requests at a time, and what it has not used after
# _LEASE_SECONDS is lost: so much less may a tenant get, for each replica, and never more.
_LEASED_SHARE = 0.02
_LEASE_SECONDS = 1.0
_REMEMBERED_TENANTS = 10_000


class TooMany(problems.ProblemError):
    """A tenant asks too often."""

    def __init__(self, tenant: str, wait_seconds: float) -> None:
        metrics.REFUSED.labels("rate-limit").inc()
        super().__init__(
            429,
            "too-many-requests",
            "Too many requests",
            f"{tenant} asks more often than it may; nothing was done.",
            headers={"Retry-After": str(max(1, round(wait_seconds)))},
        )


@dataclasses.dataclass
class _Lease:
    """Requests that this replica may let through without asking."""

    left: int
    until: float


class Limits:
    """Takes one from what a tenant is allowed."""

    def __init__(self, redis: store.Store, default: float, tenants: Mapping[str, float]) -> None:
        """Allow each tenant its own number of requests a second, or the default."""
        self._redis = redis
        self._default = default
        self._tenants = tenants
        self._leases: cachetools.LRUCache[str, _Lease] = cachetools.LRUCache(_REMEMBERED_TENANTS)
        self._asking: dict[str, asyncio.Task[int | None]] = {}

    async def take(self, tenant: str) -> None:
        """Count a request; raises TooMany.

        Without Redis nobody is held back: it would be an outage made of a limit.
        """
        while not self._take_leased(tenant):
            asking = self._asking.get(tenant)
            if asking is None:
                asking = self._asking[tenant] = asyncio.create_task(self._ask(tenant))
                asking.add_done_callback(lambda _: self._asking.pop(tenant, None))
            granted = await asyncio.shield(asking)
            if granted is None:
                metrics.RATE_LIMIT_UNCHECKED.inc()
                return
            if granted <= 0:
                raise TooMany(tenant, -granted / _MICROSECONDS)

    def _take_leased(self, tenant: str) -> bool:
        lease = self._leases.get(tenant)
        if lease is None or not lease.left or lease.until < time.monotonic():
            return False
        lease.left -= 1
        return True

    async def _ask(self, tenant: str) -> int | None:
        """Lease requests; return how many, or the negative wait in microseconds, or None."""
        rate = self._tenants.get(tenant, self._default)
        interval = round(_MICROSECONDS / rate)
        wanted = max(1, round(rate * _LEASED_SHARE))
        arguments = (1, f"rate:{tenant}", interval, max(_MICROSECONDS, interval), wanted)
        try:
            # Whole, not by its digest: Redis compiles it once all the same, and a primary that
            # was just promoted knows no digests.
            async with asyncio.timeout(_PATIENCE_SECONDS):
                granted = await self._redis.execute("EVAL", _SCRIPT, *arguments, repeatable=False)
        except (store.StoreError, TimeoutError):
            return None
        if not isinstance(granted, int):
            return None
        if granted > 0:
            self._leases[tenant] = _Lease(granted, time.monotonic() + _LEASE_SECONDS)
        return granted
