"""Scaling of a Workload through the real handler: load in, pods, status, events and metrics out."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from prometheus_client.registry import CollectorRegistry
from tenfold_operator.adapters.store import Store
from tenfold_operator.apply import Applier
from tenfold_operator.console.scaling import ScalingCollector
from tenfold_operator.forecast.store import FileStore
from tenfold_operator.handlers.forecasts import Forecasts
from tenfold_operator.handlers.scaling import Scaling
from tenfold_operator.handlers.workload import WorkloadHandler
from tenfold_operator.journal import Journal
from tenfold_operator.model.generated import WorkloadScalingStatus
from tenfold_operator.model.manifest import Ref
from tenfold_operator.ports import Unavailable

from tests.unit.operator.scaling_prometheus import LoadedPrometheus
from tests.unit.operator.world import World, template

GIVEN: dict[str, Any] = {
    "minReplicas": 2,
    "maxReplicas": 20,
    "startSeconds": 60,
    "capacity": {"requestsPerMinute": 600},
    "forecast": {"enabled": False},
}
FORECAST = {**GIVEN, "forecast": {"enabled": True, "minConfidencePercent": 40}}
AWAY = Unavailable("Prometheus: connection refused")


def wave(time: float) -> float:
    """8 minutes low, 2 up to tenfold, 8 high, 2 down; with noise that is always the same."""
    minute = time / 60 % 20
    level = min(1.0, max(0.0, (minute - 8) / 2)) - min(1.0, max(0.0, (minute - 18) / 2))
    return 10.0 + 90.0 * level + math.sin(time * 1.7)


class Bench:
    """A world with the real handlers; `look` is one reconciliation."""

    def __init__(self, pool: Executor, folder: Path, scaling: dict[str, Any]) -> None:
        self.pool, self.folder = pool, folder
        self.world, self.store = World(), Store()
        self.world.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.prometheus = LoadedPrometheus("shop", "web")
        self.world.edit(scaling=scaling)
        self.start()

    def start(self) -> None:
        """A new operator: nothing is left in memory."""
        self.woken: asyncio.Queue[Ref] = asyncio.Queue()
        self.journal = Journal()
        self.forecasts = Forecasts(
            prometheus=self.prometheus, clock=self, pool=self.pool, store=FileStore(self.folder)
        )
        self.scaling = Scaling(
            prometheus=self.prometheus, clock=self, forecasts=self.forecasts, wake=self.woken.put
        )
        self.handler = WorkloadHandler(
            store=self.store,
            cluster=self.world,
            prometheus=self.prometheus,
            applier=Applier(self.world),
            journal=self.journal,
            clock=self,
            scaling=self.scaling,
        )

    def now(self) -> datetime:
        return self.world.now

    async def look(self) -> float | None:
        for each in [*self.world.objects.values()]:
            self.store.put({**each})
        found = await self.handler.reconcile(self.world.ref)
        self.world.run_pods()
        self.world.answer_as_gateway()
        return found

    async def step(self, seconds: float = 15.0) -> None:
        """Let time go by, decide, and act on it."""
        self.world.wait(seconds)
        await self.look()
        while self.deciding:
            await asyncio.sleep(0)
        await self.look()
        await self.look()

    async def steps(self, count: int) -> None:
        for _ in range(count):
            await self.step()

    @property
    def deciding(self) -> bool:
        return any(each.task for each in self.scaling._kept.values())

    async def trained(self) -> None:
        """Wait until no model is fitted."""
        while task := next((e.training for e in self.forecasts._live.values() if e.training), None):
            await asyncio.wait_for(asyncio.shield(task), 600)

    @property
    def replicas(self) -> int:
        found = self.world.objects[self.world.ref]["spec"]["replicas"]
        assert isinstance(found, int)
        return found

    @property
    def said(self) -> WorkloadScalingStatus:
        found = self.world.status.scaling
        assert found is not None
        return found


Scenario: TypeAlias = Callable[[Bench], Coroutine[None, None, None]]
Run: TypeAlias = Callable[..., Bench]


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as found:
        yield found


@pytest.fixture
def run(pool: Executor, tmp_path: Path) -> Run:
    def running(scenario: Scenario, scaling: dict[str, Any] | None = None) -> Bench:
        async def all_of_it() -> Bench:
            bench = Bench(pool, tmp_path, GIVEN if scaling is None else scaling)
            await scenario(bench)
            return bench

        return asyncio.run(all_of_it())

    return running


def test_pods_follow_the_load_out_and_an_event_and_the_journal_say_why(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.load = lambda _: 70.0
        await bench.steps(2)

    bench = run(scenario)
    assert bench.replicas == 10
    assert set(bench.world.replicas.values()) == {10}
    assert bench.world.condition("ScalingActive") == ("True", "LoadOnly")
    (event,) = (each for each in bench.world.events if each.reason == "ScaledOut")
    assert event.message.startswith("from 2 to 10 pods; 10 for the load")
    decisions = {each.what: each.why for each in bench.journal.read(bench.world.ref)}
    assert "the load of 70.0/s takes 10.0 pods at 70%" in decisions["scale Workload shop/web to 10"]


def test_a_look_waits_for_no_answer_of_prometheus(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.load = lambda _: 70.0
        bench.prometheus.answers.clear()
        assert await asyncio.wait_for(bench.look(), 5) is not None
        assert bench.replicas == 2
        bench.prometheus.answers.set()
        assert await asyncio.wait_for(bench.woken.get(), 5) == bench.world.ref
        await bench.look()
        assert bench.replicas == 10

    run(scenario)


def test_it_decides_every_fifteen_seconds_however_often_it_looks(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.step()
        asked = len(bench.prometheus.asked)
        assert 0 < (await bench.look() or 0) <= 15
        await bench.step(5)
        assert len(bench.prometheus.asked) == asked
        await bench.step(10)
        assert len(bench.prometheus.asked) == 2 * asked

    run(scenario)


def test_pods_leave_when_the_load_has_been_low_for_the_window(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.load = lambda _: 70.0
        await bench.steps(2)
        fallen = bench.now().timestamp()
        bench.prometheus.load = lambda time: 70.0 if time < fallen else 21.0
        await bench.steps(19)
        assert bench.replicas == 10
        await bench.steps(3)
        assert bench.replicas == 3
        assert set(bench.world.replicas.values()) == {3}

    bench = run(scenario)
    assert [each.reason for each in bench.world.events if "Scaled" in each.reason] == [
        "ScaledOut",
        "ScaledIn",
    ]


def silent(bench: Bench) -> None:
    bench.prometheus.trouble = AWAY


def stale(bench: Bench) -> None:
    last = bench.now().timestamp()
    bench.prometheus.load = lambda time: 70.0 if time <= last else None


def nothing(bench: Bench) -> None:
    bench.prometheus.load = lambda _: None


def not_a_number(bench: Bench) -> None:
    bench.prometheus.load = lambda _: math.nan


def zero_while_the_gateway_is_not_scraped(bench: Bench) -> None:
    bench.prometheus.load, bench.prometheus.targets = (lambda _: 0.0), 0.5


def zero_while_nobody_knows_of_the_gateway(bench: Bench) -> None:
    bench.prometheus.load, bench.prometheus.targets = (lambda _: 0.0), None


def zero_while_the_gateway_fails(bench: Bench) -> None:
    bench.prometheus.load, bench.prometheus.errors = (lambda _: 0.0), 3.0


@pytest.mark.parametrize(
    "outage",
    [
        silent,
        stale,
        nothing,
        not_a_number,
        zero_while_the_gateway_is_not_scraped,
        zero_while_nobody_knows_of_the_gateway,
        zero_while_the_gateway_fails,
    ],
)
def test_no_outage_takes_a_pod_away(run: Run, outage: Callable[[Bench], None]) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.load = lambda _: 70.0
        await bench.steps(2)
        outage(bench)
        await bench.steps(40)
        assert bench.replicas == 10
        assert bench.said.held in ("NoData", "InDoubt")
        assert set(bench.world.replicas.values()) == {10}

    run(scenario)


def test_without_prometheus_the_condition_says_so(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.trouble = AWAY
        await bench.steps(2)

    bench = run(scenario)
    assert bench.world.condition("ScalingActive") == ("False", "NoData")
    assert "connection refused" in bench.world.message("ScalingActive")
    assert bench.replicas == 2


def test_the_journal_says_once_what_is_refused(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.load = lambda _: 70.0
        await bench.steps(2)
        bench.prometheus.load, bench.prometheus.targets = (lambda _: 0.0), 0.5
        await bench.steps(30)

    bench = run(scenario)
    refused = [each for each in bench.journal.read(bench.world.ref) if each.refused]
    assert [each.what for each in refused] == ["InDoubt"]
    assert "only 50% of the gateway's targets are scraped" in refused[0].why


def test_a_restarted_operator_goes_on_from_the_status(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.load = lambda _: 70.0
        await bench.steps(2)
        before = bench.said
        bench.prometheus.load = lambda _: 21.0
        bench.start()
        await bench.steps(4)
        assert bench.replicas == 10, "the window of the past is in the status"
        assert bench.said.recommendations[0] == before.recommendations[-1]
        bench.prometheus.trouble = AWAY
        bench.start()
        await bench.steps(40)
        assert bench.replicas == 10

    run(scenario)


def test_what_a_person_adds_counts_at_once_and_it_goes_on_from_there(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.steps(2)
        bench.world.edit(replicas=15)
        await bench.look()
        assert bench.replicas == 15
        assert set(bench.world.replicas.values()) == {15}
        await bench.steps(3)
        assert 2 <= bench.replicas < 15

    run(scenario)


def test_a_manifest_that_is_applied_again_takes_no_serving_pod_away(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.load = lambda _: 70.0
        await bench.steps(2)
        for trouble in (None, AWAY):
            bench.prometheus.trouble = trouble
            bench.world.edit(replicas=2)
            await bench.look()
            await bench.look()
            assert bench.replicas == 10
            bench.world.edit(replicas=2)
            bench.start()
            await bench.look()
            assert set(bench.world.replicas.values()) == {10}

    run(scenario)


def test_preview_reports_and_changes_nothing(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.load = lambda _: 70.0
        await bench.steps(3)
        assert bench.replicas == 2
        assert set(bench.world.replicas.values()) == {2}
        assert bench.said.replicas == 10
        assert bench.world.condition("ScalingActive") == ("False", "Preview")
        bench.world.edit(scaling=GIVEN)
        await bench.steps(2)
        assert bench.replicas == 10
        bench.world.edit(scaling={**GIVEN, "mode": "Preview"})
        await bench.steps(2)
        assert bench.replicas == 10, "what runs stays when scaling is only watched again"

    bench = run(scenario, {**GIVEN, "mode": "Preview"})
    assert [each.reason for each in bench.world.events].count("ScaledOut") == 1


def test_scaling_that_is_turned_off_leaves_the_pods_and_says_nothing_more(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.load = lambda _: 70.0
        await bench.steps(2)
        bench.world.edit(scaling=None)
        await bench.steps(2)

    bench = run(scenario)
    assert bench.replicas == 10
    assert bench.world.status.scaling is None
    assert [*bench.scaling.insights()] == []
    assert "ScalingActive" not in {each.type for each in bench.world.status.conditions}


def test_a_rollout_splits_the_decided_total(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.load = lambda _: 70.0
        steps = [{"weight": 30, "holdSeconds": 600}]
        bench.world.edit(rollout={"strategy": "canary", "steps": steps})
        await bench.steps(2)
        bench.world.edit(template=template("v2"))
        await bench.steps(3)
        assert sorted(bench.world.replicas.values()) == [3, 10], (
            "stable keeps what it may take back"
        )
        bench.prometheus.load = lambda _: 140.0
        await bench.steps(3)
        assert bench.replicas == 20
        assert sorted(bench.world.replicas.values()) == [6, 20]

    run(scenario)


def test_pods_that_are_started_ahead_do_not_make_a_workload_unready(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        floor = {"name": "sale", "start": "12:01", "end": "13:00", "minReplicas": 8}
        await bench.steps(2)
        (revision,) = bench.world.replicas
        bench.world.edit(scaling={**GIVEN, "schedules": [floor]})
        await bench.steps(1)
        assert bench.replicas == 8
        deployment = bench.world.objects[Ref("Deployment", "shop", revision)]
        deployment["status"]["readyReplicas"] = 2
        bench.world._publish(Ref("Deployment", "shop", revision), deployment, 2)
        bench.store.put({**deployment})
        for each in [*bench.world.objects.values()]:
            bench.store.put({**each})
        await bench.handler.reconcile(bench.world.ref)
        assert bench.world.condition("Ready") == ("True", "Serving")

    run(scenario)


def test_a_capacity_is_learned_from_latency_and_kept_while_prometheus_is_away(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        # Slow above 20 requests a second and pod.
        bench.prometheus.load = lambda time: 20.0 + 30.0 * (time / 600 % 1)
        bench.prometheus.latency = lambda time: 0.5 if time / 600 % 1 > 2 / 3 else 0.05
        await bench.steps(2)
        learned = bench.said.capacity_requests_per_minute
        assert learned is not None
        assert 1100 <= learned <= 1200
        bench.prometheus.trouble = AWAY
        await bench.steps(10)
        assert bench.said.capacity_requests_per_minute == learned

    run(scenario, {**GIVEN, "capacity": {"latencyMilliseconds": 100}})


def test_with_no_way_to_tell_a_capacity_it_says_what_to_give(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.latency = lambda _: None
        await bench.steps(2)

    bench = run(scenario, {**GIVEN, "capacity": {}})
    assert bench.world.condition("ScalingActive") == ("False", "NoCapacity")
    assert any("give capacity.requestsPerMinute" in reason for reason in bench.said.reasons)


def gauges(bench: Bench) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(ScalingCollector(bench.scaling.insights))
    return {
        f"{sample.name}{sample.labels.get('model', '')}": sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }


def test_a_forecast_of_the_wave_brings_the_pods_before_the_load(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.load = wave
        bench.prometheus.begins = (bench.now() - timedelta(hours=26)).timestamp()
        await bench.step()
        assert bench.said.model is not None
        assert bench.said.model.message == "the first training goes on"
        await bench.trained()
        # 12:00 is the wave's beginning; the rise begins at 12:08 and a pod takes a minute.
        while bench.now() < datetime(2026, 3, 1, 12, 6, tzinfo=UTC):
            await bench.step()
        assert bench.replicas <= 4
        while bench.now() < datetime(2026, 3, 1, 12, 8, 30, tzinfo=UTC):
            await bench.step()
        assert bench.replicas >= 8, f"{bench.said.message}: {bench.said.reasons}"
        assert (bench.said.reactive_replicas or 0) < bench.replicas
        assert bench.world.condition("ScalingActive") == ("True", "LoadAndForecast")
        told = gauges(bench)
        assert told["tenfold_forecast_expected"] > 60.0
        assert told["tenfold_forecast_lower"] <= told["tenfold_forecast_expected"]
        assert told["tenfold_forecast_expected"] <= told["tenfold_forecast_upper"]
        assert told["tenfold_scaling_predicted_replicas"] == bench.said.predicted_replicas
        assert told["tenfold_forecast_error_ratioensemble"] < 0.5
        assert sum(told[f"tenfold_forecast_weight{each}"] for each in FAMILIES) == pytest.approx(1)
        version = bench.said.model.version
        assert version
        bench.start()
        bench.prometheus.begins = math.inf
        await bench.step()
        assert bench.said.model.version == version, "a restart answers from the folder"
        assert bench.said.predicted_replicas is not None

    run(scenario, FORECAST)


FAMILIES = ("neural", "statistical", "hybrid", "behavioural")


def test_a_time_zone_that_there_is_not_is_said_and_the_pods_follow_the_load(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.load = lambda _: 70.0
        await bench.step()
        await bench.trained()
        await bench.steps(5)
        assert bench.said.model is not None
        assert "Europe/Nowhere" in (bench.said.model.message or "")
        assert bench.replicas == 10

    forecast = {"enabled": True, "timeZone": "Europe/Nowhere"}
    run(scenario, {**GIVEN, "forecast": forecast})


def test_a_training_that_fails_is_tried_again_after_five_minutes(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        bench.prometheus.trouble = AWAY
        await bench.step()
        await bench.trained()
        await bench.step()
        assert bench.said.model is not None
        assert "tried again in 5 minutes" in (bench.said.model.message or "")
        bench.prometheus.trouble = None
        bench.prometheus.begins = bench.now().timestamp()
        await bench.step(330)
        await bench.trained()
        await bench.steps(5)
        assert bench.said.model.version

    run(scenario, FORECAST)
