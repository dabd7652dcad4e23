"""When a detector and probes together move a primary, and that neither does alone."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_operator.model.generated import AnomalyDetector
from tenfold_operator.model.observed import Probe, TierView
from tenfold_operator.plan.actions import Plan, Refuse, SetStatus
from tenfold_operator.plan.redis import plan_tier

from tests.unit.operator.redis_tier import NOW, PODS, healthy, promoted, tier, with_server

NAME = "l2-health"
SLOW: Probe = {"l2-0": 0.3, "l2-1": 0.002, "l2-2": 0.003}
QUICK: Probe = dict.fromkeys(PODS, 0.002)


def detector(verdict: str = "Anomalous", ready: str = "True") -> AnomalyDetector:
    condition = {
        "type": "Ready",
        "status": ready,
        "lastTransitionTime": "2026-01-01T11:00:00Z",
        "reason": "R",
        "message": "m",
    }
    return AnomalyDetector.model_validate(
        {
            "metadata": {"name": NAME, "namespace": "shop", "uid": "d", "generation": 1},
            "spec": {"queries": [{"name": "latency", "expr": "up"}]},
            "status": {
                "verdict": verdict,
                "reasons": ["latency is 9 times what was expected"],
                "conditions": [condition],
            },
        }
    )


def suspected(
    *probes: Probe, found: AnomalyDetector | None = None, handover: Any = None
) -> TierView:
    spec = {"suspicion": {"detectors": [NAME]}, **(handover or {})}
    view = healthy(tier({"primary": "l2-0"}, handover=spec))
    return replace(view, detectors={NAME: found or detector()}, probes=probes)


def condition(plan: Plan) -> tuple[str, str, str]:
    (status,) = [each.status for each in plan if isinstance(each, SetStatus)]
    conditions: Any = status["conditions"]
    (found,) = [each for each in conditions if each["type"] == "Suspected"]
    return found["status"], found["reason"], found["message"]


def refusals(plan: Plan) -> list[str]:
    return [each.reason for each in plan if isinstance(each, Refuse)]


def test_a_primary_that_four_of_five_probes_show_slow_is_handed_over() -> None:
    view = suspected(SLOW, QUICK, SLOW, SLOW, SLOW)
    plan = plan_tier(view, NOW)
    assert promoted(plan) == ["l2-1"]
    said = condition(plan)
    assert said[:2] == ("True", "Anomaly")
    assert "latency is 9 times what was expected" in said[2]
    assert "l2-0 took more than 100 ms in 4 of 5 probes" in said[2]


def test_a_verdict_alone_moves_nothing() -> None:
    assert promoted(plan_tier(suspected(*[QUICK] * 5), NOW)) == []
    assert promoted(plan_tier(suspected(), NOW)) == []


@pytest.mark.parametrize(
    "found", [detector("Normal"), detector("Unknown"), detector(ready="False")]
)
def test_slow_probes_alone_move_nothing(found: AnomalyDetector) -> None:
    assert promoted(plan_tier(suspected(*[SLOW] * 5, found=found), NOW)) == []


def test_where_every_server_is_slow_it_is_not_the_primary() -> None:
    slow = dict.fromkeys(PODS, 0.3)
    assert promoted(plan_tier(suspected(*[slow] * 5), NOW)) == []


def test_it_goes_to_a_replica_that_was_quick_in_every_probe() -> None:
    probes = [SLOW] * 4 + [{**SLOW, "l2-1": 0.2}]
    view = with_server(suspected(*probes), "l2-1", offset=1000)
    assert promoted(plan_tier(view, NOW)) == ["l2-2"]


def test_without_one_it_is_refused() -> None:
    first, second = {**SLOW, "l2-1": 0.2}, {**SLOW, "l2-2": math.inf}
    plan = plan_tier(suspected(first, second, first, second, first), NOW)
    assert promoted(plan) == []
    assert refusals(plan) == ["NoQuickReplica"]


def test_dry_run_says_what_would_be_done() -> None:
    plan = plan_tier(suspected(*[SLOW] * 5, handover={"mode": "dryRun"}), NOW)
    assert promoted(plan) == []
    (said,) = [each for each in plan if isinstance(each, Refuse)]
    assert said.reason == "DryRun"
    assert "would hand over from l2-0: l2-health: latency is 9 times" in said.message


def test_a_replica_that_lags_is_not_handed_over_to() -> None:
    view = suspected(*[SLOW] * 5)
    for pod in ("l2-1", "l2-2"):
        view = with_server(view, pod, upstream="")
    plan = plan_tier(view, NOW)
    assert promoted(plan) == []
    assert refusals(plan) == ["NoReplicaInSync"]


def test_a_detector_that_is_not_there_or_cannot_tell_is_said() -> None:
    view = replace(suspected(), detectors={NAME: None})
    assert condition(plan_tier(view, NOW))[:2] == ("Unknown", "DetectorMissing")
    blind = suspected(found=detector(ready="False"))
    assert condition(plan_tier(blind, NOW))[:2] == ("Unknown", "DetectorNotReady")
    calm = suspected(found=detector("Normal"))
    assert condition(plan_tier(calm, NOW))[:2] == ("False", "NoAnomaly")


SECONDS = st.sampled_from([0.001, 0.1, 0.2, math.inf])
PROBES = st.lists(st.fixed_dictionaries(dict.fromkeys(PODS, SECONDS)), max_size=8)


@given(
    probes=PROBES,
    verdict=st.sampled_from(["Unknown", "Normal", "Anomalous"]),
    ready=st.sampled_from(["True", "False"]),
)
def test_never_without_both_and_never_to_a_slow_server(
    probes: list[Probe], verdict: str, ready: str
) -> None:
    plan = plan_tier(suspected(*probes, found=detector(verdict, ready)), NOW)
    moved = promoted(plan)
    if (verdict, ready) != ("Anomalous", "True"):
        assert moved == []
    assert len(moved) <= 1
    for target in moved:
        last = probes[-5:]
        assert sum(each["l2-0"] > 0.1 for each in last) >= 4
        assert all(each[target] <= 0.1 for each in last)
