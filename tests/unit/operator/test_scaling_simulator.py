"""The simulator behind make bench-autoscale: its pods, its baselines and its scores."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tenfold_operator.forecast.types import LEVELS

from tests.benchmarks import autoscale_policies as policies
from tests.benchmarks import autoscale_traces as traces
from tests.benchmarks.autoscale import Curves, compared
from tests.benchmarks.autoscale_forecasts import Forecasts
from tests.benchmarks.autoscale_score import Point, cost_at, ready, score, ticks_of
from tests.benchmarks.autoscale_traces import Trace

START = datetime(2026, 11, 1, tzinfo=UTC)


def trace(values: list[float], judged: int, capacity: float = 1.0) -> Trace:
    """Return a trace of minutes whose last `judged` ones are judged."""
    return Trace(
        name="made_1min",
        values=np.array(values),
        step_seconds=60,
        start=START,
        split=len(values) - judged,
        end=len(values),
        capacity=capacity,
    )


def wandering(minutes: int, seed: int = 1) -> list[float]:
    steps = np.random.default_rng(seed).normal(0.0, 0.05, minutes)
    return [20.0, 20.0, *(20.0 * np.exp(np.cumsum(steps))).tolist()]


def forecasts(values: Trace, confidence: float) -> Forecasts:
    """Return forecasts that the next steps are as the last one, give or take a tenth."""
    known = np.repeat(values.values[values.split - 1 : values.end, None], 8, axis=1)
    spread = np.linspace(0.9, 1.1, len(LEVELS))
    return Forecasts(
        mean=known,
        quantiles=known[:, None, :] * spread[None, :, None],
        confidence=np.full(len(known), confidence),
        first_origin=START + (values.split * np.timedelta64(60, "s")).astype(object),
        step_seconds=60,
    )


def test_a_pod_is_ready_when_it_was_asked_for_during_its_start() -> None:
    asked = np.array([5, 9, 9, 9, 9])
    assert ready(asked, 2).tolist() == [5, 5, 5, 9, 9]
    assert ready(asked, 0).tolist() == asked.tolist()


def test_pods_that_start_are_taken_away_before_those_that_serve() -> None:
    assert ready(np.array([5, 9, 7, 9, 9, 9]), 2).tolist() == [5, 5, 5, 7, 7, 9]


def test_a_start_is_counted_in_whole_ticks() -> None:
    assert [ticks_of(seconds) for seconds in (10, 15, 60, 300)] == [1, 1, 4, 20]


def test_the_hpa_doubles_at_most_or_adds_four() -> None:
    pods = policies.hpa(trace([1.0, 1.0, 100.0, 100.0], judged=3))[:, -1]
    assert pods[4:12].tolist() == [1, 5, 10, 20, 40, 80, 100, 100]


def test_the_hpa_keeps_its_pods_for_300_seconds() -> None:
    pods = policies.hpa(trace([40.0, 40.0] + [10.0] * 8, judged=9))[:, -1]
    first_low = int(np.argmax(pods < 40))
    # Seen one tick late, and kept until the last high recommendation is 300 s old.
    assert first_low == 4 + 1 + 20
    assert pods[first_low] == 10


def test_without_skill_the_operator_does_exactly_what_the_hpa_does() -> None:
    made = trace(wandering(180), judged=181)
    ours = policies.tenfold(made, forecasts(made, confidence=0.1), 60)
    same_targets = [policies.TARGETS.index(target) for target, _ in policies.SWEEP]
    assert (ours == policies.hpa(made)[:, same_targets]).all()


def test_with_skill_the_operator_needs_fewer_pods_for_as_few_violations() -> None:
    made = trace(wandering(180), judged=181)
    costs = [
        cost_at(
            [
                score(0.0, pods[:, column], made.demand, 4, made.least_pod_hours)
                for column in range(pods.shape[1])
            ],
            0.02,
        )
        for pods in (
            policies.tenfold(made, forecasts(made, confidence=0.9), 60),
            policies.hpa(made),
        )
    ]
    assert costs[0] is not None
    assert costs[1] is not None
    assert costs[0] < 0.97 * costs[1]


@pytest.mark.parametrize("window", [True, False])
@pytest.mark.parametrize("start", [10, 60, 300])
def test_the_oracle_serves_everything(start: int, window: bool) -> None:
    rng = np.random.default_rng(2)
    made = trace([5.0, *rng.exponential(10.0, 120).tolist()], judged=120)
    pods = policies.oracle(made, start, window=window)[:, -1]
    # Before the first decision nobody could have known.
    known = slice(ticks_of(start), None)
    assert (made.demand[known] <= ready(pods, ticks_of(start))[known] + 1e-9).all()


def test_seasonal_naive_is_ready_for_what_came_a_day_ago() -> None:
    day = [2.0] * 720 + [30.0] * 60 + [2.0] * 660
    made = trace(day + day, judged=1440)
    pods = policies.seasonal_naive(made, 300)[:, -1]
    assert pods[720 * 4] >= 30


def test_a_minute_violates_when_any_of_its_ticks_does() -> None:
    demand = np.array([1.0, 1.0, 1.0, 1.5, 1.0, 1.0, 1.0, 1.0])
    point = score(0.7, np.ones(8, dtype=np.int64), demand, 1, 8 * 15 / 3600)
    assert point.violation_ratio == 0.5
    assert point.under_served_ratio == pytest.approx(0.5 / 8.5)
    assert point.pod_hours_ratio == 1.0


def point(violation: float, cost: float) -> Point:
    return Point(
        setting=0.0,
        pod_hours_ratio=cost,
        violation_ratio=violation,
        under_served_ratio=0.0,
        changes_per_hour=0.0,
    )


def test_costs_are_interpolated_in_the_logarithm_of_the_violations() -> None:
    curve = [point(0.1, 1.0), point(0.001, 3.0)]
    assert cost_at(curve, 0.01) == pytest.approx(2.0)
    assert cost_at(curve, 0.0001) is None
    assert cost_at(curve, 0.5) == 1.0
    assert cost_at([*curve, point(0.0005, 1.5)], 0.01) == pytest.approx(1.25)


def test_all_are_compared_where_the_hpa_gets_down_to() -> None:
    curves = {
        "hpa": (point(0.1, 2.0), point(0.02, 3.0)),
        "tenfold": (point(0.02, 1.5), point(0.001, 2.0)),
        "oracle": (point(0.0, 1.0),),
    }
    figures = compared(curves, 0.01)
    assert figures == {"violation_ratio": 0.02, "gap_closed": 0.75, "ratio_to_hpa": 0.5}


def test_what_is_not_reached_closes_nothing_and_without_a_gap_there_is_none() -> None:
    never: Curves = {
        "hpa": (point(0.01, 2.0),),
        "tenfold": (point(0.02, 1.5),),
        "oracle": (point(0.0, 1.0),),
    }
    assert compared(never, 0.01)["gap_closed"] == 0.0
    assert compared(never, 0.01)["ratio_to_hpa"] is None
    equal: Curves = {**never, "tenfold": (point(0.01, 0.9),), "oracle": (point(0.0, 2.0),)}
    assert compared(equal, 0.01)["gap_closed"] is None
    assert compared(equal, 0.01)["ratio_to_hpa"] == 0.45


def test_a_trace_is_cut_where_the_training_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    (tmp_path / "traces").mkdir()
    rows = [f"2026-11-01 {index // 12:02}:{5 * (index % 12):02}:00,{index}" for index in range(200)]
    path = tmp_path / "traces" / "made_5min.csv.gz"
    np.savetxt(path, ["timestamp,value", *rows], fmt="%s")
    judged = traces.load("made_5min", days=0.1)
    assert (judged.step_seconds, judged.split, judged.end) == (300, 160, 188)
    choosing = traces.load("made_5min", days=9, on_training=True)
    assert (choosing.split, choosing.end) == (120, 160)


def test_demand_is_held_for_its_step_and_over_gaps() -> None:
    made = trace([1.0, 3.0, float("nan"), 5.0], judged=3, capacity=2.0)
    assert made.demand.tolist() == [1.5] * 8 + [2.5] * 4
