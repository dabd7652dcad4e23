"""Works on events: takes, applies, tries again later, gives up with a reason."""

import asyncio
import os
import random
import secrets
import socket
import time
import traceback

import pydantic
import structlog
from redis import exceptions

from tenfold_webhooks import letters, metrics, settings
from tenfold_webhooks.sources import SOURCES

_BATCH = 32
_LONGEST_PAUSE_SECONDS = 1.0
_TEND_SECONDS = 0.2

_log = structlog.get_logger(__name__)

# A worker that dies over an event must not take its successors with it for ever; a Redis that
# is away is nobody's fault and counts against no event.
_REDIS_AWAY = (exceptions.RedisError, OSError, TimeoutError)
# The client drops the code of the replies that it knows.
_NO_PRIMARY = (exceptions.ReadOnlyError, exceptions.NoScriptError)
_NO_PRIMARY_REPLIES = ("READONLY", "NOREPLICAS", "LOADING", "MASTERDOWN", "UNBLOCKED")


def pause_seconds(attempts: int, config: settings.Working) -> float:
    """Return the pause after so many attempts: doubling, capped, and half of it by chance."""
    whole = min(config.longest_pause_seconds, config.first_pause_seconds * 2.0**attempts)
    return whole * random.uniform(0.5, 1.0)  # noqa: S311 (spreads retries, hides nothing)


class Worker:
    """One consumer of the group."""

    def __init__(self, moves: letters.Letters, config: settings.Working) -> None:
        self._moves = moves
        self._config = config
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._ending = False

    def end(self) -> None:
        """Let the worker end after what it holds."""
        self._ending = True

    async def run(self) -> None:
        """Work until told to end. Redis away is waited for."""
        pause = 0.0
        while not self._ending:
            try:
                await self._round()
                pause = 0.0
            except _REDIS_AWAY as error:
                metrics.REDIS_ERRORS.inc()
                if pause == 0.0:
                    _log.warning("redis does not answer", error=repr(error))
                pause = min(_LONGEST_PAUSE_SECONDS, 2 * pause + 0.05)
                await asyncio.sleep(pause)

    async def _round(self) -> None:
        try:
            taken = await self._moves.take(self._name, _BATCH, self._config.block_seconds)
        except exceptions.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._moves.make_group()
            return
        for entry in taken:
            await self.handle(entry)

    async def handle(self, taken: letters.Taken) -> None:
        """Work on one event."""
        marketplace = taken.letter.marketplace
        outcome = await self._outcome(taken)
        metrics.HANDLED.labels(marketplace, outcome).inc()
        if outcome == "applied":
            metrics.APPLIED_SECONDS.observe(time.time() - taken.letter.received)

    async def _outcome(self, taken: letters.Taken) -> str:
        try:
            return await self._tried(taken)
        except _REDIS_AWAY:
            raise
        except Exception as error:  # noqa: BLE001 (one event's fault must not end the worker)
            return await self._again(taken, "failed", _where(error))

    async def _tried(self, taken: letters.Taken) -> str:
        source = SOURCES.get(taken.letter.marketplace)
        if source is None:
            return await self._give_up(taken, "unknown-marketplace", taken.letter.marketplace)
        try:
            event = source.model.model_validate_json(taken.letter.body)
        except pydantic.ValidationError as error:
            # No later attempt can make another body of it.
            return await self._give_up(taken, "invalid", _fields(error))
        try:
            outcome = await self._moves.apply(taken, event)
        except exceptions.ResponseError as error:
            # Redis refused the script: a primary that is none, or else the event's doing.
            if isinstance(error, _NO_PRIMARY) or str(error).startswith(_NO_PRIMARY_REPLIES):
                raise
            return await self._again(taken, "failed", _where(error))
        if outcome == "unknown-order":
            # Webhooks overtake each other: the order's own may be on its way.
            return await self._again(taken, "unknown-order", "no webhook created this order")
        return outcome

    async def _again(self, taken: letters.Taken, reason: str, detail: str) -> str:
        if taken.letter.attempts + 1 >= self._config.attempts:
            return await self._give_up(taken, reason, detail)
        until = time.time() + pause_seconds(taken.letter.attempts, self._config)
        await self._moves.postpone(taken, until)
        return "postponed"

    async def _give_up(self, taken: letters.Taken, reason: str, detail: str) -> str:
        await self._moves.bury(taken, reason, detail)
        marketplace = taken.letter.marketplace
        metrics.DEAD.labels(marketplace, reason).inc()
        _log.error("an event was given up", marketplace=marketplace, reason=reason, detail=detail)
        return "dead"

    async def take_over(self) -> None:
        """Work on what died with its workers; give up what kills them."""
        for taken, held in await self._moves.take_over(self._name, self._config.abandoned_seconds):
            if held > self._config.crashes:
                await self._give_up(taken, "crashed", f"{held - 1} workers ended over it")
            else:
                await self.handle(taken)

    async def tend(self) -> None:
        """Return events whose pause is over, take over abandoned ones, count what waits."""
        forgotten = False
        while not self._ending:
            try:
                await self._moves.make_group()
                if not forgotten:
                    await self._moves.forget_consumers()
                    forgotten = True
                await self._moves.return_due(time.time())
                await self.take_over()
                for place, count in (await self._moves.counts()).items():
                    metrics.LETTERS.labels(place).set(count)
            except _REDIS_AWAY:
                metrics.REDIS_ERRORS.inc()
            await asyncio.sleep(_TEND_SECONDS)


def _fields(error: pydantic.ValidationError) -> str:
    mistakes = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, m['loc'])) or 'body'}: {m['msg']}" for m in mistakes)


def _where(error: Exception) -> str:
    """Name an unexpected error by its kind and the place that raised it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}: {error}"
