"""Forecasts of series in Prometheus: trained elsewhere, fed minute by minute, asked at any time."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import structlog

from tenfold_operator import metrics
from tenfold_operator.forecast.archive import Rejected as NotAModel
from tenfold_operator.forecast.contest import Contest, Ruling
from tenfold_operator.forecast.ensemble import Ensemble
from tenfold_operator.forecast.members import KNOTS
from tenfold_operator.forecast.nowcast import look_on
from tenfold_operator.forecast.registry import Record, unpack
from tenfold_operator.forecast.store import FileStore, Roles
from tenfold_operator.forecast.trainer import Lesson, train
from tenfold_operator.forecast.types import Calendar, Forecast
from tenfold_operator.handlers.training_jobs import TrainingFailed
from tenfold_operator.model.generated import WorkloadScalingStatusModel
from tenfold_operator.ports import Clock, Metrics, Rejected, Unavailable

STEP = 60
"""Seconds of a step."""
WINDOW = timedelta(days=14)
"""What a model is fitted to: two weeks tell the days of one from those of the next."""
_POINTS = 10_000
"""Prometheus refuses ranges of more than 11,000 points."""
_COMPLETE_SECONDS = 5
"""So long after its end a minute has been scraped."""
_CONTEST_STEPS = (120, 1440)
_LEAST_AGE, _AGE_TO_DRIFT, _MOST_AGE = timedelta(minutes=30), timedelta(hours=1), timedelta(days=1)
_AFTER_FAILURE = timedelta(minutes=5)
_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Question:
    """A series and how it is to be forecast.

    Attributes:
        name: As registry.Record wants it.
        expression: PromQL: the mean over the minute before the moment that is asked for.
        calendar: Of its customers.
    """

    name: str
    expression: str
    calendar: Calendar


@dataclass
class _Version:
    """A model that takes what comes."""

    record: Record
    ensemble: Ensemble
    until: float
    """End of the last minute that it knows, unix seconds."""

    @classmethod
    def of(cls, record: Record, ensemble: Ensemble) -> "_Version":
        until = record.start.timestamp() + record.steps * record.step_seconds
        return cls(record, ensemble, until)

    def take(self, minute: float, value: float) -> bool:
        """Take the minute that begins there; return whether it is the next one."""
        if self.until != minute:
            return False
        self.ensemble.update(value)
        self.until += STEP
        return True


@dataclass
class _Live:
    """Who forecasts a series, and who is tried beside."""

    champion: _Version | None = None
    challenger: _Version | None = None
    contest: Contest | None = None
    message: str = ""
    failed: datetime | None = None
    training: asyncio.Task[None] | None = None
    knot: int = field(default=0)

    @property
    def versions(self) -> tuple[_Version, ...]:
        return tuple(each for each in (self.champion, self.challenger) if each)

    def take(self, first: float, values: Sequence[float]) -> None:
        """Take minutes, the first beginning at `first`; each model those that it does not know."""
        for index, value in enumerate(values):
            minute = first + index * STEP
            took = [each.take(minute, value) for each in self.versions]
            if self.contest and self.champion and self.challenger and all(took):
                self.contest.update(
                    float(self.champion.ensemble.last_errors[self.knot]),
                    float(self.challenger.ensemble.last_errors[self.knot]),
                )


class Forecasts:
    """A champion for each series, and at times a challenger; kept in a folder over restarts."""

    def __init__(
        self, *, prometheus: Metrics, clock: Clock, pool: Executor, store: FileStore
    ) -> None:
        self._prometheus = prometheus
        self._clock = clock
        self._pool = pool
        self._store = store
        self._live: dict[str, _Live] = {}

    def forget(self, name: str) -> None:
        """Forecast this series no longer; nothing is kept of it."""
        live = self._live.pop(name, None)
        if live is None:
            return
        if live.training:
            live.training.cancel()
        self._store.remove(name)

    async def feed(self, question: Question, horizon_steps: int) -> None:
        """Let the models take the minutes that have ended, and have one trained when it is time.

        Raises Unavailable and Rejected as Prometheus does.
        """
        live = self._live.get(question.name)
        if live is None:
            live = await asyncio.to_thread(self._remember, question.name)
            self._live.setdefault(question.name, live)
        live.knot = next(
            (index for index, steps in enumerate(KNOTS) if steps >= horizon_steps), len(KNOTS) - 1
        )
        if live.challenger and live.contest is None:
            live.contest = Contest(KNOTS[live.knot], *_CONTEST_STEPS)
        now = self._clock.now()
        if live.training is None and _is_due(live, question.calendar, now):
            live.training = asyncio.create_task(self._train(live, question, now))
        if live.versions:
            first = min(each.until for each in live.versions)
            last = _last_minute(now)
            if last > first:
                found = await self._minutes(question.expression, first, last)
                values = [
                    found.get(end, math.nan)
                    for end in np.arange(first + STEP, last + 1, STEP).tolist()
                ]
                await asyncio.to_thread(live.take, first, values)
        await self._rule(question.name, live)

    def predict(
        self, name: str, recent: Mapping[float, float], seconds: float
    ) -> tuple[Forecast, datetime] | None:
        """Forecast so many seconds from now and more; return it with the moment it begins at.

        None while there is no model, or where nothing is known of the last half an hour.

        Args:
            name: Of the series.
            recent: Samples by unix seconds, for the minutes that are not complete yet.
            seconds: How far to look.
        """
        live = self._live.get(name)
        if live is None or live.champion is None:
            return None
        until, now = live.champion.until, self._clock.now().timestamp()
        found = look_on(live.champion.ensemble, until, recent, now, seconds)
        return (found, datetime.fromtimestamp(until, UTC)) if found else None

    def describe(self, name: str) -> WorkloadScalingStatusModel | None:
        """Return what the status says of the model; None while there is none."""
        live = self._live.get(name)
        if live is None:
            return None
        if live.champion is None:
            return WorkloadScalingStatusModel(message=live.message or "the first training goes on")
        record = live.champion.record
        drift = live.champion.ensemble.monitor.seen()
        said = (live.message, drift.reason and f"a new fit is called for: {drift.reason}")
        return WorkloadScalingStatusModel(
            version=record.version,
            trained_time=record.created,
            minutes=record.steps,
            challenger=live.challenger.record.version if live.challenger else None,
            message="; ".join(each for each in said if each) or None,
        )

    def models(self, name: str) -> Mapping[str, tuple[Record, Ensemble]]:
        """Return the models of a series by their roles."""
        live = self._live.get(name) or _Live()
        roles = {"champion": live.champion, "challenger": live.challenger}
        return {role: (each.record, each.ensemble) for role, each in roles.items() if each}

    def _remember(self, name: str) -> _Live:
        """Return what the folder holds of a series; what cannot be read is fitted anew."""
        live = _Live()
        try:
            roles = self._store.roles(name)
            if roles.champion:
                live.champion = _Version.of(*self._store.load(name, roles.champion))
            if roles.challenger and live.champion:
                live.challenger = _Version.of(*self._store.load(name, roles.challenger))
        except (NotAModel, OSError) as error:
            _log.warning("a kept model is left out", series=name, error=str(error))
        if live.champion and self._clock.now().timestamp() - live.champion.until > 2 * 86400:
            return _Live()
        return live

    async def _train(self, live: _Live, question: Question, now: datetime) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            end = _last_minute(now)
            found = await self._minutes(question.expression, end - WINDOW.total_seconds(), end)
            lesson = Lesson(
                name=question.name,
                times=np.array(list(found), dtype=np.float64),
                values=np.array(list(found.values()), dtype=np.float64),
                step_seconds=float(STEP),
                end=datetime.fromtimestamp(end, UTC),
                calendar=question.calendar,
                created=now,
            )
            record, archive = await loop.run_in_executor(self._pool, train, lesson)
            version = _Version.of(record, await asyncio.to_thread(unpack, record, archive))
            await asyncio.to_thread(self._store.save, record, archive)
            _seat(live, version)
            await asyncio.to_thread(self._appoint, question.name, live)
        except Exception as error:  # noqa: BLE001 - shown in the status, and tried again
            is_bug = not isinstance(error, (TrainingFailed, Unavailable, Rejected, ValueError))
            _log.warning(
                "training failed",
                series=question.name,
                error=str(error),
                exc_info=is_bug and error,
            )
            live.failed = self._clock.now()
            live.message = f"training failed: {error}; tried again in 5 minutes"
            metrics.TRAININGS.labels("failed").inc()
        else:
            live.failed = None
            metrics.TRAININGS.labels("fitted").inc()
            metrics.TRAINING_SECONDS.observe(loop.time() - begun)
        finally:
            live.training = None

    async def _rule(self, name: str, live: _Live) -> None:
        """Let the challenger take over, or go, when that is clear."""
        if live.contest is None or live.challenger is None:
            return
        verdict = live.contest.verdict()
        live.message = f"challenger {live.challenger.record.version}: {verdict.reason}"
        if verdict.ruling is Ruling.WAIT:
            return
        if verdict.ruling is Ruling.PROMOTE:
            live.champion = live.challenger
        live.challenger, live.contest = None, None
        live.message += f"; {verdict.ruling.value}d"
        _log.info("contest ended", series=name, verdict=live.message)
        await asyncio.to_thread(self._appoint, name, live)

    def _appoint(self, name: str, live: _Live) -> None:
        champion, challenger = (
            each.record.version if each else None for each in (live.champion, live.challenger)
        )
        self._store.appoint(name, Roles(champion=champion, challenger=challenger))
        self._store.prune(name, keep=0)

    async def _minutes(self, expression: str, first: float, last: float) -> Mapping[float, float]:
        """Return the values of the minutes after `first` until `last`, by the time of their end."""
        found: dict[float, float] = {}
        start = first + STEP
        while start <= last:
            end = min(last, start + (_POINTS - 1) * STEP)
            span = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
            answer = await self._prometheus.query_range(expression, *span, float(STEP))
            for series in answer[:1]:
                found.update(zip(series.times, series.values, strict=True))
            start = end + STEP
        return found


def _last_minute(now: datetime) -> float:
    """Return the end of the last minute that is complete."""
    return (now.timestamp() - _COMPLETE_SECONDS) // STEP * STEP


def _is_due(live: _Live, calendar: Calendar, now: datetime) -> bool:
    if live.failed:
        return now - live.failed >= _AFTER_FAILURE
    if live.champion is None:
        return True
    newest = (live.challenger or live.champion).record
    if newest.calendar != calendar:
        return True
    if live.challenger:
        return False
    age = now - newest.created
    # What is young learns soon: at half as much again.
    wait = min(_MOST_AGE, max(_LEAST_AGE, timedelta(seconds=newest.steps * STEP / 2)))
    drifted = live.champion.ensemble.monitor.seen().retrain
    return age >= wait or (drifted and age >= _AGE_TO_DRIFT)


def _seat(live: _Live, fresh: _Version) -> None:
    """Seat a fresh model: as challenger, or at once where it plainly knows more."""
    champion = live.champion
    knows_more = champion is None or (
        champion.ensemble.members.learned is None
        or fresh.record.steps >= 2 * champion.record.steps
        or fresh.record.calendar != champion.record.calendar
    )
    live.message = ""
    live.contest = None
    if knows_more:
        live.champion, live.challenger = fresh, None
    else:
        live.challenger = fresh
