"""Which keys are asked for, counted in every process and added up in Redis for the warmer."""

from __future__ import annotations

import asyncio
import functools
import time
from collections import Counter

from redis.asyncio import Redis

from tenfold_cache.remote import Down, RemoteTier

# Keys that a process counts in one interval; beyond them only those that it counts already.
_MOST_KEYS = 200_000
# Counts go to Redis this many times an interval.
_FLUSHES = 6
# Keys in one pipeline: requests wait while it is written.
_BATCH = 200


def name(interval: int) -> str:
    """Name the counts of an interval."""
    return f"demand:{interval}"


class Demand:
    """Counts of the current interval that were not yet added up."""

    def __init__(self, tier: RemoteTier, interval_seconds: float) -> None:
        self._tier = tier
        self._interval_seconds = interval_seconds
        self._counts: Counter[str] = Counter()

    def note(self, key: str) -> None:
        """Count one request."""
        if len(self._counts) < _MOST_KEYS or key in self._counts:
            self._counts[key] += 1

    async def run(self) -> None:
        """Add up until cancelled."""
        while True:
            await asyncio.sleep(self._interval_seconds / _FLUSHES)
            await self.flush()

    async def flush(self) -> None:
        """Add what was counted to the sum of all processes; counts that do not arrive are lost."""
        counts, self._counts = self._counts, Counter()
        counter = self._tier.key(name(int(time.time() // self._interval_seconds)), "warmer")
        keys = list(counts)
        for start in range(0, len(keys), _BATCH):
            batch = keys[start : start + _BATCH]
            try:
                await self._tier.call("count", functools.partial(self._add, counter, batch, counts))
            except Down:
                return

    async def _add(self, counter: str, keys: list[str], counts: Counter[str]) -> None:
        client = self._tier.client
        if not isinstance(client, Redis):
            raise TypeError("counts go to the predictive tier, which is no cluster")
        async with client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.hincrby(counter, key, counts[key])
            pipeline.expire(counter, round(3 * self._interval_seconds) + 1)
            await pipeline.execute()
