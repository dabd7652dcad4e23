"""How often a tenant may ask: one count over all replicas, kept in Redis."""

import asyncio
from collections.abc import Mapping

from tenfold_runtime import problems

from tenfold_gateway import metrics, store

# The generic cell rate algorithm (ITU-T I.371): one time for each tenant, at which it would have
# used up all that it was allowed. Redis' own clock counts, so that replicas need not agree.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local used = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
if used - burst > now then
  return math.ceil(used - burst - now)
end
redis.call('SET', KEYS[1], string.format('%.0f', used), 'PX', math.ceil((used - now) / 1000))
return 0
"""
_MICROSECONDS = 1_000_000
# A Redis that is away must not make every request wait for it.
_PATIENCE_SECONDS = 0.25


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


class Limits:
    """Takes one from what a tenant is allowed."""

    def __init__(self, redis: store.Store, default: float, tenants: Mapping[str, float]) -> None:
        """Allow each tenant its own number of requests a second, or the default."""
        self._redis = redis
        self._default = default
        self._tenants = tenants

    async def take(self, tenant: str) -> None:
        """Count a request; raises TooMany.

        Without Redis nobody is held back: it would be an outage made of a limit.
        """
        interval = round(_MICROSECONDS / self._tenants.get(tenant, self._default))
        arguments = (1, f"rate:{tenant}", interval, max(_MICROSECONDS, interval))
        try:
            # Whole, not by its digest: Redis compiles it once all the same, and a primary that
            # was just promoted knows no digests.
            async with asyncio.timeout(_PATIENCE_SECONDS):
                wait = await self._redis.execute("EVAL", _SCRIPT, *arguments, repeatable=False)
        except (store.StoreError, TimeoutError):
            metrics.RATE_LIMIT_UNCHECKED.inc()
            return
        if isinstance(wait, int) and wait > 0:
            raise TooMany(tenant, wait / _MICROSECONDS)
