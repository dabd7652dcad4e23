"""A Redis tier: an answer within its time, or none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import structlog
from redis import asyncio as redis
from redis import exceptions, maint_notifications
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tenfold_cache.entry import Entry
from tenfold_cache.metrics import Metrics
from tenfold_cache.scripts import PUT, Script
from tenfold_cache.settings import Tier

# So many failures on end make a tier rest; one alone is a slow answer.
_FAILURES = 3

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


class Down(Exception):
    """A tier gave no answer, or rests since it gave none."""


class RemoteTier:
    """Entries in Redis or Redis Cluster."""

    def __init__(self, name: str, tier: Tier, namespace: str, metrics: Metrics) -> None:
        """Prepare a client; it connects when it is first used."""
        self.name = name
        self._tier = tier
        self._namespace = namespace
        self._metrics = metrics
        self.client = _cluster(tier) if tier.cluster else _single(tier)
        self._opening: asyncio.Future[redis.RedisCluster] | None = None
        self._failures = 0
        self._rests_until = 0.0

    def key(self, key: str, kind: str = "entry") -> str:
        """Name a key in Redis."""
        return f"{self._namespace}:{kind}:{key}"

    async def get(self, key: str) -> Entry | None:
        """Read an entry; None where there is none, or no answer."""
        try:
            content = await self.command("get", "GET", self.key(key))
        except Down:
            return None
        entry = Entry.from_bytes(content)
        self.count(entry)
        return entry

    async def put(self, key: str, entry: Entry, keep_seconds: float) -> None:
        """Write an entry unless a later version is there. Raises Down."""
        await self.run("put", PUT, [self.key(key)], [entry.to_bytes(), milliseconds(keep_seconds)])

    def count(self, entry: Entry | None) -> None:
        """Note what a look-up found."""
        if entry is None or entry.tombstone:
            outcome = "miss"
        else:
            outcome = "hit" if entry.fresh_until > time.time() else "stale"
        self._metrics.requests.labels(self.name, outcome).inc()

    async def command(self, operation: str, *words: str | int) -> object:
        """Run a command. Raises Down."""

        async def execute() -> object:
            reply: object = await self.client.execute_command(*words)
            return reply

        return await self.call(operation, execute)

    async def run(
        self, operation: str, script: Script, keys: list[str], arguments: list[str | bytes]
    ) -> object:
        """Run a script. Raises Down."""

        async def evaluate() -> object:
            try:
                reply: object = await self.client.evalsha(
                    script.digest, len(keys), *keys, *arguments
                )
            except exceptions.NoScriptError:
                reply = await self.client.eval(script.text, len(keys), *keys, *arguments)
            return reply

        return await self.call(operation, evaluate)

    async def call(self, operation: str, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Ask Redis, for no longer than the tier's time. Raises Down."""
        if self._failures >= _FAILURES:
            now = time.monotonic()
            if now < self._rests_until:
                self._metrics.requests.labels(self.name, "skipped").inc()
                raise Down(f"{self.name} rests")
            # Others go on resting while this request tries.
            self._rests_until = now + self._tier.rest_seconds
        try:
            with self._metrics.seconds.labels(self.name, operation).time():
                async with asyncio.timeout(self._tier.timeout_seconds):
                    await self._open()
                    answer = await ask()
        except Exception as error:
            # Not RedisError alone: a cluster's client that reaches nobody raises another, and those
            # whose connection it closes because of somebody else's failure miss an attribute.
            self._metrics.requests.labels(self.name, "error").inc()
            await self._note_failure(error)
            raise Down(f"{self.name}: {error or 'no answer in time'}") from error
        self._note_success()
        return answer

    async def close(self) -> None:
        """Close all connections."""
        if self._opening:
            self._opening.cancel()
        await self.client.aclose()

    async def _open(self) -> None:
        """Learn which master has which slots; that goes on where a request has no time for it."""
        if isinstance(self.client, redis.Redis):
            return
        if self._opening is None or self._opening.done():
            self._opening = asyncio.ensure_future(self.client.initialize())
            # Where the request has gone, nobody else asks for the error.
            self._opening.add_done_callback(
                lambda opening: opening.cancelled() or opening.exception()
            )
        await asyncio.shield(self._opening)

    async def _note_failure(self, error: Exception) -> None:
        self._failures += 1
        self._rests_until = time.monotonic() + self._tier.rest_seconds
        if self._failures == _FAILURES:
            _log.error("cache tier does not answer", tier=self.name, detail=repr(error))
        if isinstance(self.client, redis.Redis):
            # They lead to the server that was the primary when they were opened.
            await cast(_Pool, self.client.connection_pool).close_idle()

    def _note_success(self) -> None:
        if self._failures >= _FAILURES:
            _log.info("cache tier answers again", tier=self.name)
        self._failures = 0


def milliseconds(seconds: float) -> str:
    """Spell a time as Redis takes it."""
    return str(max(1, round(seconds * 1000)))


class _Pool(redis.BlockingConnectionPool):
    """A pool whose idle connections can be closed in one go."""

    async def close_idle(self) -> None:
        """Close all of them before anybody can take one.

        It waits for none to end: of two that wait for the same connection's end, the one whose time
        is over would cancel the other.
        """
        for connection in self._available_connections:
            await connection.disconnect(nowait=True)


def _single(tier: Tier) -> redis.Redis:
    pool = _Pool.from_url(
        tier.url,
        password=tier.password,
        max_connections=tier.connections,
        timeout=tier.timeout_seconds,
        socket_timeout=tier.timeout_seconds,
        socket_connect_timeout=tier.timeout_seconds,
        # The next tier is asked at once; trying again is the next request's.
        retry=Retry(NoBackoff(), 0),
        driver_info=None,
        maint_notifications_config=maint_notifications.MaintNotificationsConfig(enabled=False),
    )
    return redis.Redis.from_pool(pool)


def _cluster(tier: Tier) -> redis.RedisCluster:
    return redis.RedisCluster.from_url(
        tier.url,
        password=tier.password,
        max_connections=tier.connections,
        socket_timeout=tier.timeout_seconds,
        socket_connect_timeout=tier.timeout_seconds,
        retry=Retry(NoBackoff(), 0),
        # Keys on the other masters stay reachable while one is away.
        require_full_coverage=False,
        driver_info=None,
        maint_notifications_config=maint_notifications.MaintNotificationsConfig(enabled=False),
    )
