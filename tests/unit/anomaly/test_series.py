"""One series: what is called, what is not, and what must never come out."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tenfold_operator.anomaly.series import SeriesDetector

DAY = 96
"""Rows of a day, one each quarter of an hour."""


def days(count: int, seed: int = 0) -> list[float]:
    rows = np.arange(count * DAY)
    noise = np.random.default_rng(seed).normal(0.0, 2.0, len(rows))
    return list(100.0 + 40.0 * np.sin(2 * np.pi * rows / DAY) + noise)


def scores(values: list[float], sensitivity: float = 1.0) -> NDArray[np.float64]:
    detector = SeriesDetector(DAY, sensitivity)
    return np.array([detector.update(each).score for each in values])


def test_a_spike_beyond_all_that_was_is_anomalous() -> None:
    values = days(10)
    values[-5] = 400.0
    assert scores(values)[-5] > 1.0


def test_a_drop_to_zero_at_noon_is_anomalous_though_zero_is_no_record_in_size() -> None:
    values = days(10)
    values[-70:-60] = [0.0] * 10
    assert scores(values)[-70:-60].max() > 1.0


def test_an_outage_of_a_daily_peak_is_anomalous_though_every_value_is_common() -> None:
    values = days(12)
    noon = len(values) - DAY + DAY // 4
    values[noon - 10 : noon + 10] = [62.0] * 20
    assert scores(values)[noon - 10 : noon + 10].max() > 0.5


def test_calm_days_are_hardly_ever_called() -> None:
    assert (scores(days(30))[3 * DAY :] > 1.0).mean() < 0.005


def test_the_band_holds_nearly_all_calm_values_and_is_where_they_are() -> None:
    detector, inside, width = SeriesDetector(DAY), [], []
    for value in days(20):
        band = detector.update(value).band
        inside.append(band.lower <= value <= band.upper)
        width.append(band.upper - band.lower)
    assert np.mean(inside[5 * DAY :]) > 0.98
    assert np.median(width[5 * DAY :]) < 40.0


def test_the_warm_up_is_said() -> None:
    detector = SeriesDetector(DAY)
    warm = [detector.update(each).is_warm for each in days(3)]
    assert warm.index(True) == detector.warm_rows == DAY + DAY // 2


def test_a_gap_holds_the_score_and_keeps_the_time_of_day() -> None:
    values = days(10)
    whole, broken = SeriesDetector(DAY), SeriesDetector(DAY)
    held = []
    for row, value in enumerate(values):
        is_gap = 300 <= row < 330
        whole.update(value)
        reading = broken.update(math.nan if is_gap else value)
        if 299 <= row < 330:
            held.append(reading.score)
    assert len(set(held)) == 1
    one, other = whole.update(values[0]).band, broken.update(values[0]).band
    assert other.expected == pytest.approx(one.expected, abs=3.0)


def test_higher_sensitivity_scores_higher() -> None:
    values = days(10)
    values[-5] = 170.0
    assert scores(values, 2.0)[-5] == pytest.approx(2.0 * scores(values)[-5])


def test_reasons_come_with_a_score_above_1_and_the_strongest_comes_first() -> None:
    detector = SeriesDetector(DAY)
    for value in days(10):
        calm = detector.update(value)
    loud = detector.update(500.0)
    assert calm.score <= 1.0
    assert calm.reasons == ()
    ratios = [float(each.split(": ")[1].split(" ")[0]) for each in loud.reasons]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] > 1.0


@pytest.mark.parametrize(("season", "sensitivity"), [(1, 1.0), (10, 0.0), (10, math.nan)])
def test_what_makes_no_sense_is_refused(season: int, sensitivity: float) -> None:
    with pytest.raises(ValueError, match=r"season|sensitivity"):
        SeriesDetector(season, sensitivity)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(width=64) | st.sampled_from([0.0, 1e-320, -1e99, 5.0]), max_size=250),
    st.integers(2, 40),
)
def test_whatever_comes_in_no_nan_comes_out(values: list[float], season: int) -> None:
    detector = SeriesDetector(season)
    for value in values * 2:
        reading = detector.update(value)
        band = reading.band
        assert math.isfinite(reading.score)
        assert reading.score >= 0.0
        assert band.lower <= band.expected <= band.upper
        assert all(map(math.isfinite, (band.lower, band.upper)))


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-6, 1e6), st.integers(0, 5))
def test_the_unit_does_not_matter(factor: float, seed: int) -> None:
    values = days(4, seed)
    scaled = scores([each * factor for each in values])
    assert scaled == pytest.approx(scores(values), abs=1e-6)
