"""The handler of Workloads: what it asks, and what it makes of the answers."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tenfold_operator.adapters.store import Store
from tenfold_operator.apply import Applier
from tenfold_operator.forecast.store import FileStore
from tenfold_operator.handlers.forecasts import Forecasts
from tenfold_operator.handlers.scaling import Scaling
from tenfold_operator.handlers.workload import WorkloadHandler
from tenfold_operator.journal import Journal
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import Sample
from tenfold_operator.ports import Clock, Metrics, Rejected, Unavailable

from tests.unit.operator.world import World, template

JUDGED: dict[str, Any] = {
    "strategy": "canary",
    "steps": [{"weight": 10}],
    "analysis": {"errorRatio": {"max": 0.01}, "intervalSeconds": 5},
}


class Prometheus(Metrics):
    """Answers nothing, or raises; and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.trouble: Exception | None = None

    async def query(self, expression: str) -> tuple[Sample, ...]:
        self.asked.append(expression)
        if self.trouble:
            raise self.trouble
        return (Sample({}, 0.0, 1.0),) if "reload_success" in expression else ()

    async def query_range(self, *_: Any) -> Any:
        raise AssertionError("nobody asks for ranges")


def no_scaling(clock: Clock, prometheus: Metrics) -> Scaling:
    """Return what no Workload of these tests asks for."""

    async def wake(ref: Ref) -> None:
        raise AssertionError(f"nothing is decided for {ref}")

    with ThreadPoolExecutor(1) as pool:
        store = FileStore(Path("/nonexistent"))
        forecasts = Forecasts(prometheus=prometheus, clock=clock, pool=pool, store=store)
    return Scaling(prometheus=prometheus, clock=clock, forecasts=forecasts, wake=wake)


class Handled:
    """A world with the real handler in place of a planner."""

    def __init__(self) -> None:
        self.world, self.prometheus, self.store = World(), Prometheus(), Store()
        self.world.edit(rollout=JUDGED)
        self.world.settle()
        self.handler = WorkloadHandler(
            store=self.store,
            cluster=self.world,
            prometheus=self.prometheus,
            applier=Applier(self.world),
            journal=Journal(),
            clock=self,
            scaling=no_scaling(self, self.prometheus),
        )

    def now(self) -> Any:
        return self.world.now

    def look(self, seconds: float = 0) -> float | None:
        """Let time go by and look once; return when to look again."""
        self.world.wait(seconds)
        for each in self.world.objects.values():
            self.store.put({**each})
        found = asyncio.run(self.handler.reconcile(self.world.ref))
        self.world.run_pods()
        return found


@pytest.fixture
def handled() -> Handled:
    return Handled()


def test_nothing_is_asked_while_nothing_rolls_out(handled: Handled) -> None:
    assert handled.look() is None
    assert handled.prometheus.asked == []


def test_it_asks_once_in_an_interval_and_looks_again_after_it(handled: Handled) -> None:
    handled.world.edit(template=template("v2"))
    handled.look()
    asked = len(handled.prometheus.asked)
    assert asked == 2
    assert handled.look() == 5
    handled.look(4)
    assert len(handled.prometheus.asked) == asked
    handled.look(1)
    assert len(handled.prometheus.asked) == 2 * asked


def test_a_changed_question_is_asked_at_once(handled: Handled) -> None:
    handled.world.edit(template=template("v2"))
    handled.look()
    handled.prometheus.asked.clear()
    handled.world.edit(template=template("v3"))
    handled.look()
    target = handled.world.status.target_revision or ""
    assert target in handled.prometheus.asked[1]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (Unavailable("Prometheus: connection refused"), "PrometheusAway"),
        (Rejected("InvalidQuery", "parse error"), "InvalidQuery"),
    ],
)
def test_no_answer_holds_and_says_why(handled: Handled, trouble: Exception, reason: str) -> None:
    handled.prometheus.trouble = trouble
    handled.world.edit(template=template("v2"))
    for _ in range(3):
        handled.look(5)
    assert handled.world.condition("Progressing") == ("True", reason)
    assert len(handled.world.weights) == 1


def peer(handled: Handled, **status: Any) -> None:
    """Put another Workload of the same group into the store."""
    mine = handled.world.objects[handled.world.ref]
    meta = {**mine["metadata"], "name": "api", "uid": "other"}
    handled.store.put({**mine, "metadata": meta, "status": status})


def test_it_waits_for_and_fails_with_the_others_of_its_group(handled: Handled) -> None:
    steps = [{"weight": 10, "holdSeconds": 0}]
    handled.world.edit(rollout={"strategy": "canary", "steps": steps, "group": "shop"})
    handled.world.edit(template=template("v2"))
    progress = {
        "revision": "0123456789",
        "attempt": 1,
        "startTime": handled.now().isoformat(),
        "step": 0,
        "weight": 10,
        "passedWeight": 0,
    }
    peer(handled, progress=progress)
    for _ in range(5):
        handled.look(2)
        handled.world.answer_as_gateway()
    assert handled.world.condition("Progressing") == ("True", "WaitingForGroup")
    failure = {
        "revision": "0123456789",
        "attempt": 1,
        "reason": "AnalysisFailed",
        "message": "it is bad",
        "time": handled.now().isoformat(),
    }
    peer(handled, targetRevision="0123456789", failedRevisions=[failure])
    handled.look(2)
    assert handled.world.condition("Progressing") == ("False", "GroupAborted")


def test_a_deleted_workload_is_forgotten(handled: Handled) -> None:
    handled.world.edit(template=template("v2"))
    handled.look()
    handled.store.drop(handled.world.ref)
    assert asyncio.run(handled.handler.reconcile(handled.world.ref)) is None
