"""What the operator's own metrics tell of rollouts."""

from typing import Any

import pytest
from prometheus_client import REGISTRY
from tenfold_operator.metrics import count_rollout

from tests.unit.operator.answers import BAD, GOOD, answers
from tests.unit.operator.world import World, template

JUDGED: dict[str, Any] = {
    "strategy": "canary",
    "steps": [{"weight": 50, "holdSeconds": 10}],
    "analysis": {"errorRatio": {"max": 0.01}},
}


def value(counter: str, **labels: str) -> float:
    known = {"namespace": "shop", "workload": "web", **labels}
    return REGISTRY.get_sample_value(f"tenfold_rollout_{counter}", known) or 0.0


def verdicts(outcome: str) -> float:
    return value("verdicts_total", metric="errorRatio", outcome=outcome)


def rollouts(result: str) -> float:
    return value("duration_seconds_count", result=result)


@pytest.fixture
def rolling() -> World:
    world = World()
    world.edit(rollout=JUDGED)
    world.settle()
    world.edit(template=template("v2"))
    world.reconcile()
    say(world, GOOD)
    return world


def say(world: World, seen: Any) -> None:
    status = world.status
    names = (status.stable_revision or "", status.target_revision or "")
    by_name = answers({names[0]: GOOD, names[1]: seen})
    world.prometheus = lambda: by_name


def run(world: World, rounds: int = 30) -> None:
    """Let the world go on, and count as the handler does."""
    for _ in range(rounds):
        count_rollout(world.view, world.now)
        world.round(2)


def test_each_answer_gives_one_verdict(rolling: World) -> None:
    before = verdicts("Passed")
    while rolling.condition("Progressing")[1] != "Holding":
        run(rolling, 1)
    counted, judged = verdicts("Passed") - before, rolling.progress.judged_time
    assert counted > 0
    run(rolling, 1)
    assert rolling.progress.judged_time != judged
    assert verdicts("Passed") - before == counted + 1


def test_the_same_answer_is_not_counted_twice(rolling: World) -> None:
    rolling.until("Holding")
    rolling.reconcile()
    before = verdicts("Passed")
    for _ in range(3):
        count_rollout(rolling.view, rolling.now)
        rolling.reconcile()
    assert verdicts("Passed") == before


def test_a_rollout_that_ends_well_is_counted_with_its_time(rolling: World) -> None:
    before, seconds = rollouts("RolledOut"), value("duration_seconds_sum", result="RolledOut")
    start = rolling.progress.start_time
    while rolling.status.progress:
        last = rolling.now
        run(rolling, 1)
    run(rolling)
    assert rollouts("RolledOut") == before + 1
    took = value("duration_seconds_sum", result="RolledOut") - seconds
    assert took == (last - start).total_seconds() > 10


def test_a_rollout_that_fails_is_counted_with_its_reason(rolling: World) -> None:
    before, bad = rollouts("AnalysisFailed"), verdicts("Failed")
    say(rolling, BAD)
    run(rolling)
    assert rollouts("AnalysisFailed") == before + 1
    assert verdicts("Failed") == bad + 1, "the one that it was given up for"


def test_a_rollout_that_another_one_ends_is_counted_as_replaced(rolling: World) -> None:
    before = rollouts("Replaced")
    run(rolling, 3)
    rolling.edit(template=template("v1"))
    run(rolling)
    assert rollouts("Replaced") == before + 1


def test_a_retry_that_is_replaced_is_not_counted_as_its_former_failure(rolling: World) -> None:
    say(rolling, BAD)
    run(rolling)
    (failed,) = rolling.status.failed_revisions
    say(rolling, GOOD)
    rolling.annotate(retry=f"{failed.revision}@{failed.attempt}")
    run(rolling, 3)
    assert rolling.status.progress
    before = rollouts("AnalysisFailed"), rollouts("Replaced")
    rolling.edit(template=template("v1"))
    run(rolling)
    assert (rollouts("AnalysisFailed"), rollouts("Replaced")) == (before[0], before[1] + 1)
