"""What a pod can serve, learned from what it has served."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tenfold_operator.model.generated import WorkloadScalingCapacity
from tenfold_operator.plan.scaling.capacity import Capacity, Usage, learn


def capacity(samples: list[Usage], **given: int) -> Capacity | None:
    return learn(samples, WorkloadScalingCapacity(**given))


def loaded(
    loads: range, knee: float = math.inf, cost: float = math.nan, fast: float = 0.05
) -> list[Usage]:
    """Return samples of these loads: slow above the knee, CPU in proportion."""
    return [
        Usage(load=float(load), latency=0.5 if load > knee else fast, cpu=load * cost)
        for load in loads
    ]


def test_a_given_capacity_counts() -> None:
    found = capacity(loaded(range(1, 100), cost=0.01), requests_per_minute=120)
    assert found is not None
    assert found.per_second == 2.0


def test_the_cpu_that_a_request_takes_limits() -> None:
    found = capacity(loaded(range(1, 60), cost=0.01), cpu_percent=80)
    assert found is not None
    assert found.per_second == pytest.approx(80.0)
    assert "4800 requests a minute at 80% of its CPU" in found.reason


def test_the_load_at_which_the_latency_is_passed_limits() -> None:
    found = capacity(loaded(range(1, 60), knee=40, cost=0.01), latency_milliseconds=200)
    assert found is not None
    assert 38 <= found.per_second <= 42
    assert "passed 200 ms" in found.reason


def test_slow_without_load_is_nothing_that_pods_could_cure() -> None:
    slow = loaded(range(1, 60), fast=0.9)
    assert capacity(slow, latency_milliseconds=200) is None
    with_cpu = loaded(range(1, 60), fast=0.9, cost=0.01)
    found = capacity(with_cpu, latency_milliseconds=200)
    assert found is not None
    assert found.per_second == pytest.approx(80.0)


def test_where_nothing_limits_what_was_served_well_is_the_capacity() -> None:
    found = capacity(loaded(range(1, 60)), latency_milliseconds=200)
    assert found is not None
    assert found.per_second == 59.0
    assert "more was not seen" in found.reason


def test_without_goal_and_cpu_there_is_no_telling() -> None:
    assert capacity(loaded(range(1, 60))) is None


def test_a_few_samples_say_nothing() -> None:
    assert capacity(loaded(range(1, 10), cost=0.01)) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.builds(
            Usage,
            load=st.floats(allow_nan=True, allow_infinity=True),
            latency=st.floats(0, 10) | st.just(math.nan),
            cpu=st.floats(0, 1) | st.just(math.nan),
        ),
        max_size=60,
    )
)
def test_a_capacity_is_a_positive_number_whatever_was_measured(samples: list[Usage]) -> None:
    found = capacity(samples, latency_milliseconds=200)
    assert found is None or (math.isfinite(found.per_second) and found.per_second > 0)
