"""What is read as the load, and when a low one is not believed."""

import math
from dataclasses import replace

import pytest
from tenfold_operator.plan.scaling.load import SETTLE_SECONDS, Load, Signals, judge

from tests.unit.operator.scaling_world import HEALTHY

NOW = 1_000_000.0


def judged(values: list[float], signals: Signals = HEALTHY, age: float = 0.0) -> Load:
    """Judge samples every 15 s, the last one `age` seconds old."""
    times = [NOW - age - 15.0 * back for back in range(len(values) - 1, -1, -1)]
    return judge(times, values, signals, NOW, 60.0)


def test_a_steady_load_is_believed() -> None:
    load = judged([50.0] * 240)
    assert load == Load(level=50.0, noise=0.0, doubts=())


def test_noise_is_what_varies_within_a_step_and_a_trend_over_steps_is_none() -> None:
    assert judged([40.0, 60.0] * 120).noise == pytest.approx(11.5, abs=0.1)
    steps = [float(step) for step in range(60) for _ in range(4)]
    times = [960_000.0 + 15.0 * index for index in range(240)]
    assert judge(times, steps, HEALTHY, times[-1], 60.0).noise == 0.0


@pytest.mark.parametrize(
    ("values", "age", "why"),
    [
        ([], 0.0, "there is no load series"),
        ([50.0] * 9, 61.0, "the last load sample is 61 s old"),
        ([50.0, math.nan], 0.0, "the load reads nan"),
        ([50.0, math.inf], 0.0, "the load reads inf"),
        ([50.0, -1.0], 0.0, "the load reads -1.0"),
    ],
)
def test_what_is_no_number_of_the_present_is_no_load(
    values: list[float], age: float, why: str
) -> None:
    load = judged(values, age=age)
    assert load.level is None
    assert why in load.doubts


@pytest.mark.parametrize(
    ("signals", "why"),
    [
        (replace(HEALTHY, targets_up=None), "it is not known whether the gateway is scraped"),
        (replace(HEALTHY, targets_up=math.nan), "it is not known whether the gateway is scraped"),
        (replace(HEALTHY, targets_up=0.5), "only 50% of the gateway's targets are scraped"),
        (replace(HEALTHY, errors=None), "the gateway's errors are not known"),
        (replace(HEALTHY, errors=math.nan), "the gateway's errors are not known"),
        (replace(HEALTHY, errors=3.0), "3.0 of 50.0 requests a second fail"),
        (replace(HEALTHY, pods_failing=1), "1 of 4 pods fail"),
    ],
)
def test_whatever_may_hide_demand_is_a_doubt(signals: Signals, why: str) -> None:
    load = judged([50.0] * 240, signals)
    assert load.level == 50.0
    assert load.doubts == (why,)


def test_errors_without_any_request_served_are_a_doubt() -> None:
    assert judged([0.0] * 240, replace(HEALTHY, errors=0.1)).doubts


def test_a_collapse_is_doubted_until_it_has_held() -> None:
    held = int(SETTLE_SECONDS / 15)
    assert "fell to 0.0 from at least 50.0" in judged([50.0] * 200 + [0.0] * held).doubts[0]
    assert not judged([50.0] * 200 + [0.0] * (held + 2)).doubts


def test_a_gap_before_it_does_not_hide_a_collapse() -> None:
    values = [math.nan] * 10 + [50.0] * 100 + [math.nan] + [50.0] * 50 + [0.0]
    assert judged(values).doubts


def test_a_load_that_is_often_zero_is_no_collapse() -> None:
    assert not judged([0.0, 3.0] * 120 + [0.0]).doubts
