"""Listening to the Sentinels, so that a failover is acted on at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import Login
from tenfold_operator.ports import RedisAdmin

_RECONNECT_SECONDS = 1.0
_log = structlog.get_logger()


class Listeners:
    """One task for each Sentinel of each tier; it wakes the tier when the Sentinel speaks."""

    def __init__(self, redis: RedisAdmin, wake: Callable[[Ref], Awaitable[None]]) -> None:
        self._redis = redis
        self._wake = wake
        self._tasks: dict[tuple[Ref, str, Login], asyncio.Task[None]] = {}

    def follow(self, tier: Ref, addresses: Iterable[str], login: Login) -> None:
        """Listen to exactly these Sentinels of the tier."""
        wanted = {(tier, address, login) for address in addresses}
        for key in [key for key in self._tasks if key[0] == tier and key not in wanted]:
            self._tasks.pop(key).cancel()
        for key in wanted - self._tasks.keys():
            self._tasks[key] = asyncio.create_task(self._listen(*key))

    def stop(self, tier: Ref) -> None:
        """Listen to this tier no longer."""
        self.follow(tier, (), Login(()))

    async def _listen(self, tier: Ref, address: str, login: Login) -> None:
        waking: set[asyncio.Task[None]] = set()

        def on_change(event: str) -> None:
            _log.info("sentinel event", owner=str(tier), sentinel=address, sentinel_event=event)
            task = asyncio.ensure_future(self._wake(tier))
            waking.add(task)  # the loop itself keeps only weak references
            task.add_done_callback(waking.discard)

        key = (tier, address, login)
        # A cancellation may get lost in a client that ends its connection just then.
        while self._tasks.get(key) is asyncio.current_task():
            await self._redis.listen(address, login, on_change)
            await asyncio.sleep(_RECONNECT_SECONDS)
