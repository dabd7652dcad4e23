"""AnomalyDetectors from query to status: outcomes of their own, verdicts that persist and hold."""

from __future__ import annotations

import asyncio
import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeAlias

import numpy as np
import pytest
from prometheus_client.registry import CollectorRegistry
from tenfold_operator.adapters.store import Store
from tenfold_operator.anomaly.detector import Settings, train
from tenfold_operator.anomaly.verdict import Persistence
from tenfold_operator.apply import Applier
from tenfold_operator.console.anomalies import AnomalyCollector
from tenfold_operator.handlers.anomalydetector import AnomalyDetectorHandler
from tenfold_operator.journal import Journal
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.actions import Announce
from tenfold_operator.ports import Rejected, Unavailable

from tests.unit.anomaly.prometheus import FakePrometheus, daily
from tests.unit.operator.world import World

REF = Ref("AnomalyDetector", "shop", "checkout")
STEP = timedelta(minutes=15)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Bench:
    """A handler with everything around it; `look` is one reconciliation."""

    def __init__(self, pool: Executor, queries: tuple[str, ...] = ("requests",)) -> None:
        self.now_is = START
        self.world, self.store, self.prometheus = World(), Store(), FakePrometheus()
        self.woken: asyncio.Queue[Ref] = asyncio.Queue()
        self._pool = pool
        for query in queries:
            self.prometheus.values[query] = daily
        spec = {
            "queries": [{"name": each, "expr": each} for each in queries],
            "intervalSeconds": 900,
            "trainingSeconds": 10 * 86400,
        }
        self.manifest: dict[str, Any] = {
            "apiVersion": "tenfold.dev/v1alpha1",
            "kind": "AnomalyDetector",
            "metadata": {"name": "checkout", "namespace": "shop", "uid": "1", "generation": 1},
            "spec": spec,
        }
        self.world.objects[REF] = self.manifest
        self.restart()

    def restart(self) -> None:
        """A new process: nothing is left in memory."""
        self.handler = AnomalyDetectorHandler(
            store=self.store,
            prometheus=self.prometheus,
            applier=Applier(self.world),
            journal=Journal(),
            clock=self,
            pool=self._pool,
            wake=self.woken.put,
        )

    def now(self) -> datetime:
        return self.now_is

    async def look(self) -> float | None:
        self.store.drop(REF)
        self.store.put(self.world.objects[REF])
        return await self.handler.reconcile(REF)

    async def train(self) -> None:
        """The first look begins a training; its end wakes the detector."""
        await self.look()
        assert await asyncio.wait_for(self.woken.get(), 60) == REF
        await self.look()

    async def step(self, count: int = 1) -> None:
        for _ in range(count):
            self.now_is += STEP
            await self.look()

    @property
    def status(self) -> dict[str, Any]:
        status = self.world.objects[REF]["status"]
        assert isinstance(status, dict)
        return status

    def condition(self, kind: str) -> tuple[str, str]:
        (found,) = (each for each in self.status["conditions"] if each["type"] == kind)
        return found["status"], found["reason"]

    def spike(self, rows: int) -> None:
        """From the next row on, so many are five times as high as ever."""
        first, last = self.now_is + STEP, self.now_is + rows * STEP

        def value(time: float) -> float:
            return 700.0 if first.timestamp() <= time <= last.timestamp() else daily(time)

        self.prometheus.values["requests"] = value


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as found:
        yield found


class Run(Protocol):
    def __call__(self, scenario: Scenario, queries: tuple[str, ...] = ...) -> Bench: ...


Scenario: TypeAlias = Callable[[Bench], Coroutine[None, None, None]]


@pytest.fixture
def run(pool: Executor) -> Run:
    def running(scenario: Scenario, queries: tuple[str, ...] = ("requests",)) -> Bench:
        bench = Bench(pool, queries)
        asyncio.run(scenario(bench))
        return bench

    return running


def test_the_first_look_trains_and_says_so_and_then_it_scores(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.look()
        assert bench.condition("Ready") == ("False", "Training")
        await asyncio.wait_for(bench.woken.get(), 60)
        assert await bench.look() == STEP.total_seconds()

    bench = run(scenario)
    assert bench.condition("Ready") == ("True", "Scoring")
    assert bench.condition("Anomalous") == ("False", "Normal")
    assert bench.status["verdict"] == "Normal"
    assert bench.status["model"]["version"].startswith("series-")
    assert bench.status["band"]["lower"] < 100.0 < bench.status["band"]["upper"]


def test_a_single_spike_is_scored_but_does_not_change_the_verdict(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.train()
        bench.spike(1)
        await bench.step()
        assert bench.status["score"] > 1.0

    bench = run(scenario)
    assert bench.status["verdict"] == "Normal"


def test_what_lasts_is_a_verdict_with_reasons_and_a_warning(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.train()
        bench.spike(8)
        await bench.step(4)

    bench = run(scenario)
    assert bench.status["verdict"] == "Anomalous"
    assert bench.condition("Anomalous") == ("True", "Persistent")
    assert bench.status["reasons"]
    told = [each for each in bench.world.events if each.reason == "Persistent"]
    assert [each.type for each in told] == ["Warning"]
    assert isinstance(told[0], Announce)


def test_a_verdict_outlives_a_restart(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.train()
        bench.spike(8)
        await bench.step(5)
        bench.restart()
        await bench.look()
        assert bench.status["verdict"] == "Anomalous"
        await asyncio.wait_for(bench.woken.get(), 60)
        await bench.look()

    bench = run(scenario)
    assert bench.condition("Anomalous") == ("True", "Persistent")


TROUBLES: dict[str, Callable[[float], float | None]] = {
    "NoData": lambda _: None,
    "NotANumber": lambda _: float("nan"),
    "Stale": lambda time: daily(time) if time < START.timestamp() + 9 * 900 else None,
}


@pytest.mark.parametrize("reason", TROUBLES)
def test_an_unusable_answer_has_a_name_and_holds_the_verdict(run: Run, reason: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.train()
        bench.spike(8)
        await bench.step(8)
        assert bench.status["verdict"] == "Anomalous"
        bench.prometheus.values["requests"] = TROUBLES[reason]
        await bench.step(2)

    bench = run(scenario)
    assert bench.condition("Ready") == ("False", reason)
    assert bench.condition("Anomalous") == ("True", "Held")
    assert bench.status["verdict"] == "Anomalous"
    assert "is held" in bench.status["message"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unavailable("no answer"), "PrometheusUnavailable"),
        (Rejected("InvalidQuery", "parse error at char 3"), "QueryFailed"),
    ],
)
def test_a_prometheus_that_does_not_answer_holds_the_verdict(
    run: Run, error: Exception, reason: str
) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.train()
        bench.prometheus.error = error
        await bench.step()
        assert bench.condition("Ready") == ("False", reason)
        assert bench.condition("Anomalous") == ("False", "Held")
        bench.prometheus.error = None
        await bench.step()

    bench = run(scenario)
    assert bench.condition("Ready") == ("True", "Scoring")


def test_several_series_are_refused_with_what_to_do(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.copies = 2
        await bench.look()

    bench = run(scenario)
    assert bench.condition("Ready") == ("False", "SeveralSeries")
    assert "sum()" in bench.status["message"]


def test_little_history_is_a_warm_up_that_counts(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        since = (START - 20 * STEP).timestamp()
        bench.prometheus.values["requests"] = lambda t: daily(t) if t > since else None
        await bench.train()

    bench = run(scenario)
    assert bench.condition("Ready") == ("False", "WarmingUp")
    assert bench.status["verdict"] == "Unknown"
    assert bench.status["warmUp"] == {"rows": 20, "needed": 144}
    assert "score" not in bench.status


def test_missed_rows_are_caught_up_in_one_look(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.train()
        bench.spike(8)
        bench.now_is += 5 * STEP
        await bench.look()

    assert run(scenario).status["verdict"] == "Anomalous"


def test_several_queries_are_judged_together(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.values["cpu"] = lambda time: 0.01 * daily(time)
        await bench.train()
        bench.prometheus.values["cpu"] = lambda _: 0.05
        await bench.step(8)

    bench = run(scenario, ("requests", "cpu"))
    assert bench.status["model"]["version"].startswith("joint-")
    assert bench.status["verdict"] == "Anomalous"


def test_another_question_is_learned_anew(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.train()
        bench.prometheus.values["errors"] = daily
        bench.world.objects[REF]["spec"]["queries"] = [{"name": "errors", "expr": "errors"}]
        await bench.look()
        assert bench.condition("Ready") == ("False", "Training")

    run(scenario)


def test_looking_again_at_the_same_row_writes_nothing(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.train()
        before = bench.status
        await bench.look()
        assert bench.status is before

    run(scenario)


def test_metrics_say_what_the_status_says_and_go_with_the_detector(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.train()
        await bench.look()

    bench = run(scenario)
    registry = CollectorRegistry()
    registry.register(AnomalyCollector(bench.store))
    labels = {"namespace": "shop", "detector": "checkout"}
    for name in ("expected", "lower", "upper"):
        found = registry.get_sample_value(f"tenfold_anomaly_{name}", labels)
        assert found == bench.status["band"][name]
    assert registry.get_sample_value("tenfold_anomaly_score", labels) == bench.status["score"]
    assert registry.get_sample_value("tenfold_anomaly_verdict", labels) == 0.0
    bench.store.drop(REF)
    assert registry.get_sample_value("tenfold_anomaly_score", labels) is None


def test_the_operators_own_process_does_not_load_what_only_training_needs() -> None:
    command = "import sys, tenfold_operator.main; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command]).returncode == 0


def test_a_detector_survives_the_way_from_the_trainers_process() -> None:
    settings = Settings(
        names=("requests", "cpu"),
        season_rows=96,
        sensitivity=1.0,
        persistence=Persistence(3, 5),
    )
    rows = np.array([[daily(900.0 * row), daily(700.0 * row)] for row in range(300)])
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as trainers:
        theirs, judged = trainers.submit(train, settings, rows).result()
    ours, expected = train(settings, rows)
    assert judged == expected
    assert theirs.update((500.0, 1.0)) == ours.update((500.0, 1.0))
