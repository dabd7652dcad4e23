"""The four tiers behind one `get`."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable
from types import TracebackType

import prometheus_client

from tenfold_cache.demand import Demand
from tenfold_cache.entry import Entry, describe, keep_seconds, later, usable
from tenfold_cache.errors import Incomplete, LoadTimeout
from tenfold_cache.listener import Listener
from tenfold_cache.memory import Held, Memory
from tenfold_cache.metrics import Metrics
from tenfold_cache.primary import Claim, Primary, State
from tenfold_cache.remote import Down, RemoteTier
from tenfold_cache.settings import Lifetime, Settings

# Reads the origin; None says that there is no such thing, which is remembered too.
Load = Callable[[], Awaitable[bytes | None]]

# Between looks at whether another process has loaded what is waited for.
_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.1
# A stale value that had to be served is served this long before a fresh one is tried for again.
_STALE_PAUSE_SECONDS = 1.0
# Without L2 there is no lease to hold.
_NO_TOKEN = ""


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
        self.settings = settings
        self.metrics = Metrics(registry)
        self._memory = Memory(settings.memory_bytes)
        name, metrics = settings.namespace, self.metrics
        self._l2 = Primary("l2", settings.l2, name, metrics) if settings.l2 else None
        self.l3 = RemoteTier("l3", settings.l3, name, metrics) if settings.l3 else None
        self._l4 = RemoteTier("l4", settings.l4, name, metrics) if settings.l4 else None
        self._flights: dict[str, asyncio.Task[Held]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        # What was held before is not served unasked: messages may have been missed.
        self._trusted_since = 0.0
        self._demand = Demand(self.l3, settings.warm_interval_seconds) if self.l3 else None
        self._l1_hit = metrics.requests.labels("l1", "hit")
        self._l1_seconds = metrics.seconds.labels("l1", "get")
        self._hit = metrics.gets.labels("hit")

    async def __aenter__(self) -> Cache:
        """Start to listen for invalidations; a tier that is down does not hinder it."""
        if self._l2:
            listener = Listener(self._l2, self._note_message, self._note_listening)
            self._tasks.append(asyncio.create_task(listener.run()))
        if self._demand:
            self._tasks.append(asyncio.create_task(self._demand.run()))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close connections."""
        tasks = [*self._tasks, *self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for tier in (self._l2, self.l3, self._l4):
            if tier:
                await tier.close()

    async def get(self, key: str, load: Load, lifetime: Lifetime | None = None) -> bytes | None:
        """Return a value, loading it at most once at a time over all processes.

        None is what `load` returned when there is no such thing. Tiers that are down are passed
        by. Raises what `load` raises, or LoadTimeout, unless a stale value can be served.
        """
        began = time.perf_counter()
        if self._demand:
            self._demand.note(key)
        held = self._memory.get(key)
        if held and held.until > time.monotonic() and held.since >= self._trusted_since:
            self._l1_hit.inc()
            self._hit.inc()
            self._l1_seconds.observe(time.perf_counter() - began)
            return held.entry.value
        self.metrics.requests.labels("l1", "stale" if held else "miss").inc()
        flight = self._flights.get(key)
        if flight is None:
            known = held.entry if held else None
            finding = self._find(key, load, lifetime or self.settings.lifetime, known)
            flight = self._flights[key] = asyncio.create_task(finding)
            flight.add_done_callback(functools.partial(self._land, key))
        # A caller that gives up does not take the others' value with it.
        return (await asyncio.shield(flight)).entry.value

    async def set(self, key: str, value: bytes, lifetime: Lifetime | None = None) -> None:
        """Make a value known to every process, replacing an older one.

        Raises Incomplete when a tier could not be told.
        """
        lifetime = lifetime or self.settings.lifetime
        entry = describe(value, lifetime, version=time.time())
        entry, missed = await self._replace(key, entry, keep_seconds(entry, lifetime))
        if not self._l2:
            # Elsewhere the next get brings it from L2: a message may be on its way that it is old.
            self._hold(key, self._fresh(entry))
        if missed:
            raise Incomplete([key], missed, self._longest_staleness(lifetime))

    async def invalidate(self, *keys: str) -> None:
        """Make every process load these keys anew; call it after the origin has changed.

        Loads that began before do not bring the old value back. Raises Incomplete when a tier
        could not be told.
        """
        tombstone = Entry(version=time.time(), fresh_until=0.0, value=None, tombstone=True)
        outcomes = await asyncio.gather(
            *(self._replace(key, tombstone, self._tombstone_seconds) for key in keys)
        )
        missed = sorted({tier for _, tiers in outcomes for tier in tiers})
        if missed:
            seconds = self._longest_staleness(self.settings.lifetime)
            raise Incomplete(keys, missed, seconds)

    async def stamp(self) -> float:
        """Return the time by the clock that versions are made with, unix seconds."""
        if self._l2:
            with contextlib.suppress(Down):
                return await self._l2.now()
        return time.time()

    @property
    def _tombstone_seconds(self) -> float:
        # A load that began before the invalidation has ended by then.
        return 2 * self.settings.load_seconds

    def _longest_staleness(self, lifetime: Lifetime) -> float:
        return lifetime.fresh_seconds + lifetime.stale_seconds

    async def _replace(
        self, key: str, entry: Entry, keep_seconds: float
    ) -> tuple[Entry, list[str]]:
        """Make an entry the latest in every tier; return it and the tiers that were not reached."""
        missed = []
        if self._l2:
            try:
                entry = await self._l2.replace(key, entry, keep_seconds)
                self.metrics.invalidations.labels("sent").inc()
            except Down:
                missed.append(self._l2.name)
        self._forget(key, entry.version)
        # Values of two writers could differ between the tiers; no value cannot.
        tombstone = Entry(entry.version, 0.0, None, tombstone=True)
        below = [tier for tier in (self.l3, self._l4) if tier]
        puts = (tier.put(key, tombstone, self._tombstone_seconds) for tier in below)
        for tier, outcome in zip(
            below, await asyncio.gather(*puts, return_exceptions=True), strict=True
        ):
            if isinstance(outcome, Down):
                missed.append(tier.name)
            elif outcome is not None:
                raise outcome
        return entry, missed

    async def _find(self, key: str, load: Load, lifetime: Lifetime, known: Entry | None) -> Held:
        """Ask the tiers below memory, then the origin."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            claim = await self._claim(key)
            if claim.state is State.FRESH and claim.entry:
                self._hit.inc()
                return self._fresh(claim.entry)
            known = later(known, claim.entry)
            if claim.state is State.OURS:
                return await self._refresh(key, load, lifetime, known, claim)
            if usable(known, lifetime):
                return self._stale(known)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _claim(self, key: str) -> Claim:
        if self._l2:
            try:
                return await self._l2.claim(key, self.settings.load_seconds)
            except Down:
                pass
        return Claim(State.OURS, time.time(), None, _NO_TOKEN)

    async def _refresh(
        self, key: str, load: Load, lifetime: Lifetime, known: Entry | None, claim: Claim
    ) -> Held:
        if self._l2 and claim.token == _NO_TOKEN and known and known.fresh_until > time.time():
            # Only the look at L2 was due, and L2 is away.
            return self._stale(known)
        try:
            for tier in (self.l3, self._l4):
                if tier:
                    known = later(known, await tier.get(key))
                    if known and known.fresh_until > time.time():
                        await self._store(key, known, lifetime, self._l2)
                        self._hit.inc()
                        return self._fresh(known)
            try:
                entry = await self._load(key, load, lifetime, claim.version)
            except Exception:
                if usable(known, lifetime):
                    return self._stale(known)
                self.metrics.gets.labels("error").inc()
                raise
            await self._store(key, entry, lifetime, self._l2, self._l4)
            self.metrics.gets.labels("loaded").inc()
            return self._fresh(entry)
        finally:
            await self._release(key, claim)

    async def _load(self, key: str, load: Load, lifetime: Lifetime, version: float) -> Entry:
        began = time.perf_counter()
        outcome = "error"
        try:
            async with asyncio.timeout(self.settings.load_seconds) as limit:
                value = await load()
            outcome = "loaded"
        except TimeoutError as error:
            if limit.expired():
                raise LoadTimeout(key, self.settings.load_seconds) from error
            raise
        finally:
            self.metrics.load_seconds.labels(outcome).observe(time.perf_counter() - began)
        return describe(value, lifetime, version)

    async def _store(
        self, key: str, entry: Entry, lifetime: Lifetime, *tiers: RemoteTier | None
    ) -> None:
        """Write to tiers; one that is down goes without."""
        seconds = keep_seconds(entry, lifetime)
        outcomes = await asyncio.gather(
            *(tier.put(key, entry, seconds) for tier in tiers if tier),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if outcome is not None and not isinstance(outcome, Down):
                raise outcome

    async def _release(self, key: str, claim: Claim) -> None:
        if self._l2 and claim.token != _NO_TOKEN:
            # A lease that cannot be given back ends by itself.
            with contextlib.suppress(Down):
                await self._l2.release(key, claim.token)

    def _fresh(self, entry: Entry) -> Held:
        now = time.monotonic()
        seconds = entry.fresh_until - time.time()
        if self._l2:
            seconds = min(seconds, self.settings.memory_seconds)
        return Held(entry, now, now + seconds)

    def _stale(self, entry: Entry) -> Held:
        self.metrics.gets.labels("stale").inc()
        now = time.monotonic()
        return Held(entry, now, now + _STALE_PAUSE_SECONDS)

    def _land(self, key: str, flight: asyncio.Task[Held]) -> None:
        # One that an invalidation took off the table brings what may be old by now.
        current = self._flights.get(key) is flight
        if current:
            del self._flights[key]
        if not flight.cancelled() and flight.exception() is None and current:
            self._hold(key, flight.result())

    def _hold(self, key: str, held: Held) -> None:
        self.metrics.evictions.inc(self._memory.put(key, held))
        self.metrics.memory_bytes.set(self._memory.used)
        self.metrics.memory_entries.set(len(self._memory))

    def _forget(self, key: str, version: float) -> None:
        self._flights.pop(key, None)
        self._memory.drop(key, version)

    def _note_message(self, key: str, version: float) -> None:
        self.metrics.invalidations.labels("received").inc()
        self._forget(key, version)

    def _note_listening(self, listening: bool) -> None:
        self.metrics.listening.set(listening)
        if listening:
            self._trusted_since = time.monotonic()
