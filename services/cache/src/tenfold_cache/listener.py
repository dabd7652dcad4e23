"""Hears of invalidations by other processes.

Published messages, not Redis' own client tracking: tracking follows the keys that one connection
has read, so every pooled connection would need it, it costs the server memory for each key and
client, and it says nothing about values written to the other tiers. A message of ours carries the
version too, so that one that comes late does not drop what is newer. Either kind is lost while the
connection is: after a gap nothing held from before it is served unasked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog
from redis import exceptions

from tenfold_cache.primary import Primary, read_invalidation

# A connection that is silent this long is asked, and given up when it stays silent as long again.
_SILENCE_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Listener:
    """Keeps a subscription, through failovers."""

    def __init__(
        self,
        primary: Primary,
        on_invalidation: Callable[[str, float], None],
        on_change: Callable[[bool], None],
    ) -> None:
        """Prepare; on_change is told when messages begin and cease to arrive."""
        self._primary = primary
        self._on_invalidation = on_invalidation
        self._on_change = on_change

    async def run(self) -> None:
        """Listen until cancelled."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            began = time.monotonic()
            try:
                await self._listen()
            except (exceptions.RedisError, OSError, TimeoutError) as error:
                _log.warning("invalidations cease", detail=repr(error))
            finally:
                self._on_change(False)
            if time.monotonic() - began > _LONGEST_PAUSE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _listen(self) -> None:
        async with self._primary.client.pubsub() as pubsub:
            async with asyncio.timeout(_SILENCE_SECONDS):
                await pubsub.subscribe(self._primary.channel)
            silent = False
            while True:
                message = await pubsub.get_message(timeout=_SILENCE_SECONDS)
                if message is None:
                    if silent:
                        raise TimeoutError("the subscription is silent")
                    silent = True
                    await pubsub.ping()
                    continue
                silent = False
                if message["type"] == "subscribe":
                    self._on_change(True)
                elif message["type"] == "message":
                    self._on_invalidation(*read_invalidation(message["data"]))
