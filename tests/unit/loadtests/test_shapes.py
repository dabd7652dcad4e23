"""How many requests are wanted when: steady, climbing, sudden, and as a trace went."""

import gzip
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_loadtests import shapes, suites


def test_a_steady_rate_is_reached_at_the_end_of_the_ramp_and_kept() -> None:
    shape = shapes.steady(100, seconds=60, ramp=10)
    assert [shape.rate(at) for at in (0, 5, 10, 40, 70)] == [0, 50, 100, 100, 100]
    assert (shape.seconds, shape.mean) == (70, 100)


def test_a_ramp_climbs_evenly_and_holds_its_top() -> None:
    shape = shapes.ramp(10, 100, seconds=100, start=10)
    assert [shape.rate(at) for at in (10, 50, 90, 110)] == [10, 55, 100, 100]


def test_a_spike_is_there_at_once_and_as_suddenly_gone() -> None:
    shape = shapes.spike(10, 100, seconds=90, start=10)
    assert [shape.rate(at) for at in (39.9, 40, 69.9, 70, 100)] == pytest.approx(
        [10, 100, 100, 10, 10]
    )
    assert shape.mean == pytest.approx((10 + 100 + 10) / 3)


@given(
    low=st.floats(0.1, 1000), high=st.floats(0.1, 1000), cut=st.floats(0, 1), factor=st.floats(1, 9)
)
def test_requests_add_up_and_scale(low: float, high: float, cut: float, factor: float) -> None:
    shape = shapes.spike(low, high, seconds=90, start=10)
    at = cut * shape.seconds
    whole = shape.requests(0, shape.seconds)
    assert shape.requests(0, at) + shape.requests(at, shape.seconds) == pytest.approx(whole)
    assert shape.scaled(factor).requests(0, shape.seconds) == pytest.approx(factor * whole)


def _trace(folder: pathlib.Path, content: str) -> pathlib.Path:
    path = folder / "trace.csv.gz"
    path.write_bytes(gzip.compress(content.encode()))
    return path


def test_a_trace_is_replayed_with_its_peak_at_ten_times(tmp_path: pathlib.Path) -> None:
    suite = suites.replayed(_trace(tmp_path, "timestamp,value\n0,5\n1,10\n2,0\n"))
    start, seconds = suite.shape.measured_from, suite.shape.seconds
    middle = (start + seconds) / 2
    peak = 50_000 / 60
    assert [suite.shape.rate(at) for at in (start, middle, seconds)] == pytest.approx(
        [peak / 2, peak, 0]
    )


@pytest.mark.parametrize("content", ["", "value\n", "value\n1\n", "value\n0\n0\n", "value\n1\nx\n"])
def test_what_is_no_trace_is_refused_by_name(tmp_path: pathlib.Path, content: str) -> None:
    with pytest.raises(shapes.ShapeError, match=r"trace\.csv\.gz"):
        suites.replayed(_trace(tmp_path, content))


def test_only_a_steady_suite_can_be_given_other_times() -> None:
    assert suites.lasting(suites.SMOKE, 3, 0.5).shape.seconds == 3.5
    with pytest.raises(shapes.ShapeError, match="leave --duration and --ramp out"):
        suites.lasting(suites.SPIKE, 3, None)
