"""The four tiers behind one `get`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType

import prometheus_client

from tenfold_cache.settings import Lifetime, Settings

# Reads the origin; None says that there is no such thing, which is remembered too.
Load = Callable[[], Awaitable[bytes | None]]


class Cache:
    """Values by key, from the nearest tier that has them.

    Usage: `async with Cache(settings) as cache: body = await cache.get(key, load)`. One instance
    a process and event loop. Values are bytes: what a caller decodes is its own.
    """

    def __init__(
        self,
        settings: Settings,
        registry: prometheus_client.CollectorRegistry = prometheus_client.REGISTRY,
    ) -> None:
        """Prepare the tiers; no connection is opened before it is needed."""

    async def __aenter__(self) -> Cache:
        """Start to listen for invalidations; a tier that is down does not hinder it."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close connections."""

    async def get(self, key: str, load: Load, lifetime: Lifetime | None = None) -> bytes | None:
        """Return a value, loading it at most once at a time over all processes.

        None is what `load` returned when there is no such thing. Tiers that are down are passed
        by. Raises what `load` raises, or LoadTimeout, unless a stale value can be served.
        """

    async def set(self, key: str, value: bytes, lifetime: Lifetime | None = None) -> None:
        """Make a value known to every process, replacing an older one.

        Raises Incomplete when a tier could not be told.
        """

    async def invalidate(self, *keys: str) -> None:
        """Make every process load these keys anew; call it after the origin has changed.

        Loads that began before do not bring the old value back. Raises Incomplete when a tier
        could not be told.
        """
