"""Models over days: kept over restarts, tried against each other, fitted anew when it is time."""

from __future__ import annotations

import asyncio
import math
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from tenfold_operator.forecast.registry import Record
from tenfold_operator.forecast.store import FileStore, Roles
from tenfold_operator.forecast.trainer import Lesson, train
from tenfold_operator.forecast.types import NO_CALENDAR, Calendar, Campaign
from tenfold_operator.handlers.forecasts import STEP, Forecasts, Question
from tenfold_operator.handlers.trainers import Trainers
from tenfold_operator.plan.scaling import queries

from tests.unit.operator.scaling_prometheus import LoadedPrometheus

NAME = "shop.web"
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
HISTORY = queries.queries("shop", "web")[queries.HISTORY]
QUESTION = Question(name=NAME, expression=HISTORY, calendar=NO_CALENDAR)


def wave(time: float) -> float:
    """Up and down every quarter of an hour."""
    return 50.0 + 40.0 * math.sin(2 * math.pi * time / 900) + math.sin(time * 1.7)


def flat(time: float) -> float:
    return 50.0 + math.sin(time * 1.7)


def lesson(load: Callable[[float], float], minutes: int, end: datetime = START) -> Lesson:
    times = end.timestamp() - STEP * np.arange(minutes - 1, -1, -1, dtype=np.float64)
    return Lesson(
        name=NAME,
        times=times,
        values=np.array([load(time) for time in times.tolist()]),
        step_seconds=float(STEP),
        end=end,
        calendar=NO_CALENDAR,
        created=end,
    )


_fitted: dict[bytes, tuple[Record, bytes]] = {}


def fitted(each: Lesson) -> tuple[Record, bytes]:
    """Return a model; the same lesson is learned once."""
    key = each.values.tobytes()
    if key not in _fitted:
        _fitted[key] = train(each)
    return _fitted[key]


class Bench:
    """Forecasts of one series with everything around them."""

    def __init__(self, pool: Executor, folder: Path) -> None:
        self.time, self.pool, self.folder = START, pool, folder
        self.prometheus = LoadedPrometheus("shop", "web")
        self.prometheus.load = wave
        self.store = FileStore(folder)
        self.start()

    def start(self) -> None:
        """A new operator: nothing is left in memory."""
        self.forecasts = Forecasts(
            prometheus=self.prometheus, clock=self, pool=self.pool, store=self.store
        )

    def now(self) -> datetime:
        return self.time

    def keep(self, champion: Lesson, challenger: Lesson | None = None) -> list[Record]:
        """Put models into the folder; return their records."""
        kept = [fitted(each) for each in (champion, challenger) if each]
        for record, archive in kept:
            self.store.save(record, archive)
        versions = [record.version for record, _ in kept]
        roles = Roles(champion=versions[0], challenger=versions[1] if challenger else None)
        self.store.appoint(NAME, roles)
        return [record for record, _ in kept]

    async def feed(self, minutes: float = 0, question: Question = QUESTION) -> None:
        self.time += timedelta(minutes=minutes)
        await self.forecasts.feed(question, 2)
        while task := self.forecasts._live[question.name].training:
            await asyncio.wait_for(asyncio.shield(task), 600)

    @property
    def version(self) -> str | None:
        found = self.forecasts.describe(NAME)
        return found.version if found else None


Scenario: TypeAlias = Callable[[Bench], Coroutine[None, None, None]]
Run: TypeAlias = Callable[[Scenario], None]


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as found:
        yield found


@pytest.fixture
def run(pool: Executor, tmp_path: Path) -> Run:
    def running(scenario: Scenario) -> None:
        async def all_of_it() -> None:
            await scenario(Bench(pool, tmp_path))

        asyncio.run(all_of_it())

    return running


def test_a_minute_is_taken_as_that_which_ended(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.keep(lesson(flat, 400))
        bench.prometheus.load = lambda time: 77.0 if time == START.timestamp() + STEP else 50.0
        bench.time += timedelta(seconds=4)
        await bench.feed(1)
        live = bench.forecasts._live[NAME].champion
        assert live is not None
        assert live.until == START.timestamp(), "it may not have been scraped yet"
        bench.time += timedelta(seconds=2)
        await bench.feed()
        assert live.until == START.timestamp() + STEP
        history = live.ensemble.history
        assert math.exp(history.log[history.last]) - history.offset == pytest.approx(77.0)

    run(scenario)


def test_a_forecast_begins_where_its_knowledge_ends(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.keep(lesson(flat, 400))
        await bench.feed()
        found = bench.forecasts.predict(NAME, {}, 75.0)
        assert found is not None
        forecast, origin = found
        assert origin == START
        assert len(forecast.mean) == 3
        bench.time += timedelta(seconds=40)
        recent = {START.timestamp() + each: 60.0 for each in (15.0, 30.0)}
        found = bench.forecasts.predict(NAME, recent, 75.0)
        assert found is not None
        assert found[1] == START
        assert found[0].mean[0] == forecast.mean[0], "the running minute keeps its forecast"
        assert found[0].mean[1] != forecast.mean[1], "what was measured of it moves the next"

    run(scenario)


def test_while_prometheus_is_away_trust_fades_until_there_is_no_forecast(
    run: Run,
) -> None:
    async def scenario(bench: Bench) -> None:
        bench.keep(lesson(flat, 1500))
        await bench.feed()
        seen = []
        for minutes in (0, 10, 8, 12):
            bench.time += timedelta(minutes=minutes)
            found = bench.forecasts.predict(NAME, {}, 75.0)
            assert found is not None
            seen.append(found[0].confidence)
            assert found[0].mean.max() < 100.0, "what is not known does not grow by itself"
        assert seen == sorted(seen, reverse=True)
        assert seen[0] > 0.5 > seen[2]
        bench.time += timedelta(minutes=2)
        assert bench.forecasts.predict(NAME, {}, 75.0) is None

    run(scenario)


def test_a_challenger_that_is_better_takes_over_and_the_other_goes(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        champion, challenger = bench.keep(lesson(flat, 400), lesson(wave, 600))
        await bench.feed(60)
        assert bench.version == champion.version
        told = bench.forecasts.describe(NAME)
        assert told is not None
        assert told.challenger == challenger.version
        assert "of 120 steps compared" in (told.message or "")
        await bench.feed(80)
        assert bench.version == challenger.version
        assert bench.store.roles(NAME) == Roles(champion=challenger.version)
        assert [each.version for each in bench.store.records(NAME)] == [challenger.version]

    run(scenario)


def test_a_restart_goes_on_with_champion_and_challenger(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        champion, challenger = bench.keep(lesson(wave, 600), lesson(flat, 400))
        await bench.feed(5)
        bench.start()
        await bench.feed(5)
        models = bench.forecasts.models(NAME)
        assert {role: record.version for role, (record, _) in models.items()} == {
            "champion": champion.version,
            "challenger": challenger.version,
        }

    run(scenario)


def test_a_kept_model_that_is_damaged_is_fitted_anew(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        (record,) = bench.keep(lesson(wave, 400))
        (bench.folder / NAME / f"{record.version}.npz").write_bytes(b"damaged")
        bench.prometheus.begins = START.timestamp() - 400 * STEP
        await bench.feed()
        await bench.feed()
        assert bench.version not in (None, record.version)

    run(scenario)


def test_a_young_model_is_fitted_anew_soon_and_an_old_one_daily(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.begins = START.timestamp() - 100 * STEP
        (young,) = bench.keep(lesson(wave, 100))
        await bench.feed(45)
        assert bench.version == young.version
        await bench.feed(6)
        assert bench.version != young.version, "half as much again is known"

    run(scenario)


def test_another_calendar_is_learned_at_once(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.begins = START.timestamp() - 400 * STEP
        (before,) = bench.keep(lesson(wave, 400))
        sale = Campaign(name="sale", start=START, end=START + timedelta(days=1))
        calendar = Calendar(timezone="Europe/Istanbul", campaigns=(sale,))
        other = Question(name=NAME, expression=HISTORY, calendar=calendar)
        await bench.feed(question=other)
        after = bench.version
        assert after != before.version
        await bench.feed(1, question=other)
        assert bench.version == after

    run(scenario)


def test_a_series_that_is_forgotten_trains_no_more(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.answers.clear()
        await bench.forecasts.feed(QUESTION, 2)
        task = bench.forecasts._live[NAME].training
        assert task is not None
        bench.forecasts.forget(NAME)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert bench.forecasts.describe(NAME) is None

    run(scenario)


def test_nothing_is_kept_of_a_series_that_is_forgotten(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.keep(lesson(wave, 320))
        await bench.feed()
        bench.forecasts.forget(NAME)
        assert [*bench.folder.iterdir()] == []

    run(scenario)


def test_a_trainer_that_was_killed_is_replaced() -> None:
    trainers = Trainers()
    try:
        doomed = trainers.submit(os.getpid).result(60)
        os.kill(doomed, signal.SIGKILL)
        with pytest.raises(BrokenProcessPool):
            trainers.submit(os.getpid).result(60)
        assert trainers.submit(os.getpid).result(60) != doomed
        assert trainers.submit(os.nice, 0).result(60) >= 10
    finally:
        trainers.shutdown()


def test_the_trainer_fits_in_its_own_process(tmp_path: Path) -> None:
    trainers = Trainers()
    try:
        record, archive = trainers.submit(train, lesson(wave, 320)).result(600)
    finally:
        trainers.shutdown()
    store = FileStore(tmp_path)
    store.save(record, archive)
    assert store.load(NAME, record.version)[0].steps == 320
