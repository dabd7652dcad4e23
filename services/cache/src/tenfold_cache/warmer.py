"""Fills the predictive tier with what the next interval is expected to ask for."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from tenfold_cache import demand
from tenfold_cache.cache import Cache
from tenfold_cache.entry import Entry, describe, keep_seconds
from tenfold_cache.errors import SettingsError
from tenfold_cache.prediction import Outcome, Predictor, judge
from tenfold_cache.remote import Down, RemoteTier, milliseconds
from tenfold_cache.settings import Lifetime

# The accuracy that the platform's report names.
GOAL = 0.873

# Keys asked about at once.
_PAGE = 1000

LoadKey = Callable[[str], Awaitable[bytes | None]]
_log = structlog.get_logger(__name__)


class Warmer:
    """Runs beside a cache in any process; of several, one works at a time.

    `load` reads the origin by key. Values are kept as `lifetime` says; it should be longer than an
    interval, or they are gone before they are asked for.
    """

    def __init__(
        self,
        cache: Cache,
        load: LoadKey,
        *,
        lifetime: Lifetime | None = None,
        most_keys: int = 50_000,
        loads_at_once: int = 8,
    ) -> None:
        """Prepare. Raises SettingsError where the cache has no predictive tier."""
        if cache.l3 is None:
            raise SettingsError("the warmer fills l3, and the cache's settings have none")
        self._cache = cache
        self._tier: RemoteTier = cache.l3
        self._load = load
        self._lifetime = lifetime or cache.settings.lifetime
        self._slots = asyncio.Semaphore(loads_at_once)
        self._predictor = Predictor(GOAL, most_keys)
        self._predicted: list[str] = []
        self._token = secrets.token_hex(8)

    async def run(self) -> None:
        """Learn and fill at the start of each interval, until cancelled."""
        seconds = self._cache.settings.warm_interval_seconds
        while True:
            await asyncio.sleep(seconds - time.time() % seconds)
            try:
                if await self._leads():
                    await self.work(int(time.time() // seconds) - 1)
            except Down as error:
                _log.warning("no warming in this interval", detail=str(error))

    async def work(self, interval: int) -> Outcome:
        """Learn from an interval that has ended and fill for the next; return how it had fared.

        Raises Down when the predictive tier does not answer.
        """
        counts = await self._counts(interval)
        outcome = judge(self._predicted, counts)
        # Seconds of computing with many keys: requests go on meanwhile.
        self._predicted = await asyncio.to_thread(self._learn, counts)
        metrics = self._cache.metrics
        if outcome.accuracy is not None:
            metrics.warm_accuracy.set(outcome.accuracy)
        if outcome.coverage is not None:
            metrics.warm_coverage.set(outcome.coverage)
        metrics.warmed_keys.set(len(self._predicted))
        await self._fill(self._predicted)
        return outcome

    def _learn(self, counts: dict[str, int]) -> list[str]:
        self._predictor.observe(counts)
        return self._predictor.predict()

    async def _leads(self) -> bool:
        """Whether this process is the one that warms; another takes over when it ends."""
        name = self._tier.key("leader", "warmer")
        keep = milliseconds(2.5 * self._cache.settings.warm_interval_seconds)
        await self._tier.command("lead", "SET", name, self._token, "NX", "PX", keep)
        if await self._tier.command("lead", "GET", name) != self._token.encode():
            return False
        await self._tier.command("lead", "PEXPIRE", name, keep)
        return True

    async def _counts(self, interval: int) -> dict[str, int]:
        name = self._tier.key(demand.name(interval), "warmer")
        counts: dict[str, int] = {}
        cursor = 0
        while True:
            match await self._tier.command("count", "HSCAN", name, cursor, "COUNT", _PAGE):
                case (int(cursor), dict(page)):
                    counts |= {key.decode(): int(count) for key, count in page.items()}
                case reply:
                    raise TypeError(f"{self._tier.name} answered {reply!r} to HSCAN")
            if not cursor:
                return counts

    async def _fill(self, keys: Sequence[str]) -> None:
        """Load what the tier does not hold for long enough; one key's error leaves the others."""
        until = time.time() + self._cache.settings.warm_interval_seconds
        async with asyncio.TaskGroup() as group:
            for start in range(0, len(keys), _PAGE):
                batch = keys[start : start + _PAGE]
                names = [self._tier.key(key) for key in batch]
                contents = await self._tier.command("get", "MGET", *names)
                if not isinstance(contents, list):
                    raise TypeError(f"{self._tier.name} answered {contents!r} to MGET")
                for key, content in zip(batch, contents, strict=True):
                    entry = Entry.from_bytes(content)
                    if entry is None or entry.fresh_until < until:
                        await self._slots.acquire()
                        group.create_task(self._warm(key))

    async def _warm(self, key: str) -> None:
        try:
            version = await self._cache.stamp()
            async with asyncio.timeout(self._cache.settings.load_seconds):
                value = await self._load(key)
            entry = describe(value, self._lifetime, version)
            await self._tier.put(key, entry, keep_seconds(entry, self._lifetime))
        except Exception as error:  # noqa: BLE001 (whatever the origin raises)
            _log.warning("a key was not warmed", key=key, detail=repr(error))
        finally:
            self._slots.release()
