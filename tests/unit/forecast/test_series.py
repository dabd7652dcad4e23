"""From samples to even steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_operator.forecast import series


def test_samples_become_means_of_even_steps_and_what_lacks_is_a_gap() -> None:
    times = np.array([0.0, 30.0, 60.0, 200.0])
    steps = series.regular(times, np.array([1.0, 3.0, 5.0, 7.0]), 60.0)
    assert steps.values == pytest.approx([2.0, 5.0, np.nan, 7.0], nan_ok=True)
    assert steps.start.timestamp() == 0.0


def test_what_is_no_load_is_a_gap() -> None:
    values = np.array([1.0, np.nan, np.inf, -2.0])
    steps = series.regular(np.array([0.0, 60.0, 120.0, 180.0]), values, 60.0)
    assert steps.values == pytest.approx([1.0, np.nan, np.nan, np.nan], nan_ok=True)


def test_a_counter_that_was_reset_has_counted_from_zero() -> None:
    times, rates = series.rates(np.array([0.0, 10.0, 20.0, 30.0]), np.array([100.0, 150, 20, 40]))
    assert times.tolist() == [10.0, 20.0, 30.0]
    assert rates.tolist() == [5.0, 2.0, 2.0]


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(allow_nan=True)), max_size=50))
def test_a_rate_is_never_negative_and_never_no_number(samples: list[tuple[float, float]]) -> None:
    times = np.array([time for time, _ in samples])
    _, rates = series.rates(times, np.array([count for _, count in samples]))
    assert not np.isnan(rates).any()
    assert (rates >= 0).all()


@pytest.mark.parametrize(
    ("times", "values", "step", "message"),
    [
        ([], [], 60.0, "no samples"),
        ([0.0], [1.0, 2.0], 60.0, "give pairs"),
        ([np.nan], [1.0], 60.0, "not a number"),
        ([0.0], [1.0], 0.0, "positive"),
        ([0.0, 1e12], [1.0, 1.0], 1.0, "shorter range"),
    ],
)
def test_what_is_no_series_is_refused_with_the_next_step(
    times: list[float], values: list[float], step: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        series.regular(np.array(times), np.array(values), step)
