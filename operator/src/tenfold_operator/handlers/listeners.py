"""Listening to the Sentinels, so that a failover is acted on at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from tenfold_operator.model.manifest import Ref
from tenfold_operator.ports import RedisAdmin

_RECONNECT_SECONDS = 1.0
_log = structlog.get_logger()


class Listeners:
    """One task for each Sentinel of each tier; it wakes the tier when the Sentinel speaks."""

    def __init__(self, redis: RedisAdmin, wake: Callable[[Ref], Awaitable[None]]) -> None:
        self._redis = redis
        self._wake = wake
        self._tasks: dict[tuple[Ref, str, tuple[str, ...]], asyncio.Task[None]] = {}

    def follow(self, tier: Ref, addresses: Iterable[str], passwords: tuple[str, ...]) -> None:
        """Listen to exactly these Sentinels of the tier."""
        wanted = {(tier, address, passwords) for address in addresses}
        for key in [key for key in self._tasks if key[0] == tier and key not in wanted]:
            self._tasks.pop(key).cancel()
        for key in wanted - self._tasks.keys():
            self._tasks[key] = asyncio.create_task(self._listen(*key))

    def stop(self, tier: Ref) -> None:
        """Listen to this tier no longer."""
        self.follow(tier, (), ())

    async def _listen(self, tier: Ref, address: str, passwords: tuple[str, ...]) -> None:
        waking: set[asyncio.Task[None]] = set()

        def on_change(event: str) -> None:
            _log.info("sentinel event", owner=str(tier), sentinel=address, sentinel_event=event)
            task = asyncio.ensure_future(self._wake(tier))
            waking.add(task)  # the loop itself keeps only weak references
            task.add_done_callback(waking.discard)

        while True:
            await self._redis.listen(address, passwords, on_change)
            await asyncio.sleep(_RECONNECT_SECONDS)
