"""What an ensemble says of loads of known shapes, and that it never says nonsense."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tenfold_operator.forecast import members as members_module
from tenfold_operator.forecast.ensemble import Ensemble
from tenfold_operator.forecast.members import HORIZONS
from tenfold_operator.forecast.training import LEAST_STEPS, fit
from tenfold_operator.forecast.types import FAMILIES, LEVELS, Forecast

from tests.unit.forecast.shapes import DAY, START, STEP, daily

LOADS = st.one_of(
    st.floats(min_value=0.0, max_value=1e6),
    st.sampled_from([0.0, math.nan, math.inf, -math.inf, -1.0, 1e-12, 1e15]),
)


def sound(forecast: Forecast, horizon: int) -> None:
    """Check what holds for every forecast."""
    rows = np.array([forecast.quantiles[level] for level in LEVELS])
    assert forecast.mean.shape == (horizon,)
    assert rows.shape == (len(LEVELS), horizon)
    assert np.isfinite(forecast.mean).all()
    assert np.isfinite(rows).all()
    assert (forecast.mean >= 0).all()
    assert (rows >= 0).all()
    assert (np.diff(rows, axis=0) >= 0).all()
    assert 0.0 <= forecast.confidence <= 1.0
    assert set(forecast.weights) == set(FAMILIES)
    assert sum(forecast.weights.values()) == pytest.approx(1.0)
    assert forecast.reasons
    assert not any("nan" in reason or "inf" in reason for reason in forecast.reasons)


@given(values=st.lists(LOADS, max_size=60), horizon=st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_whatever_a_short_history_holds_the_answer_is_sound(
    values: list[float], horizon: int
) -> None:
    ensemble = fit(np.array(values, dtype=np.float64), STEP, START)
    sound(ensemble.predict(horizon), horizon)


@given(values=st.lists(LOADS, min_size=1, max_size=60), horizon=st.integers(1, 400))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_comes_after_a_fit_the_answer_is_sound(
    learned: Ensemble, values: list[float], horizon: int
) -> None:
    ensemble = copy.deepcopy(learned)
    for value in values:
        ensemble.update(value)
    sound(ensemble.predict(horizon), horizon)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(2 * DAY),
        np.full(2 * DAY, 40.0),
        np.full(2 * DAY, np.nan),
        np.where(np.arange(2 * DAY) % 2 == 0, 30.0, np.nan),
        np.where(np.arange(2 * DAY) == DAY, 1e9, 10.0),
    ],
    ids=["zeros", "flat", "nothing", "every second", "a spike"],
)
def test_a_degenerate_history_is_fitted_and_answers_soundly(values: np.ndarray) -> None:
    ensemble = fit(values, STEP, START)
    sound(ensemble.predict(10), 10)
    ensemble.update(5.0)
    sound(ensemble.predict(10), 10)


def test_a_flat_load_is_forecast_flat() -> None:
    forecast = fit(np.full(2 * DAY, 40.0), STEP, START).predict(10)
    assert forecast.mean == pytest.approx(np.full(10, 40.0), rel=0.02)


def test_minutes_of_history_give_the_last_level_with_little_confidence() -> None:
    forecast = fit(np.full(12, 50.0), STEP, START).predict(5)
    assert forecast.mean == pytest.approx(np.full(5, 50.0), rel=0.05)
    assert forecast.weights["statistical"] == 1.0
    assert forecast.confidence < 0.3
    assert any("12 steps known: too few" in reason for reason in forecast.reasons)


def test_nothing_known_is_said() -> None:
    forecast = fit(np.zeros(0), STEP, START).predict(3)
    assert forecast.confidence == 0.0
    assert any("no value has been seen" in reason for reason in forecast.reasons)


def test_a_cold_start_learns_its_band_from_what_comes() -> None:
    ensemble = fit(np.full(10, 100.0), STEP, START)
    before = ensemble.predict(1)
    for value in daily(1, base=100.0)[:200]:
        ensemble.update(value)
    after = ensemble.predict(1)
    width = [f.quantiles[0.95][0] - f.quantiles[0.05][0] for f in (before, after)]
    assert width[1] < width[0]


def test_the_daily_swing_is_foreseen_better_than_by_the_last_value(ensemble: Ensemble) -> None:
    future = daily(6, seed=0)[5 * DAY :]
    ours, simple = [], []
    for step in range(DAY - 20):
        forecast = ensemble.predict(20)
        ours.append(abs(future[step + 19] - forecast.mean[19]))
        simple.append(abs(future[step + 19] - future[step - 1]) if step else 0.0)
        ensemble.update(future[step])
    assert sum(ours) < 0.75 * sum(simple)


def test_the_band_holds_as_often_as_it_says_two_days_after_the_noise_has_grown(
    ensemble: Ensemble,
) -> None:
    random = np.random.default_rng(1)
    future = daily(10, seed=0)[5 * DAY :]
    future = np.maximum(0.0, future + random.normal(0.0, 20.0, future.size))
    inside = []
    for value in future:
        forecast = ensemble.predict(1)
        inside.append(forecast.quantiles[0.05][0] <= value <= forecast.quantiles[0.95][0])
        ensemble.update(value)
    assert 0.86 < np.mean(inside[2 * DAY :]) < 0.94


def test_the_band_is_wider_where_the_load_is_known_to_jump_and_nowhere_else() -> None:
    random = np.random.default_rng(3)
    values = np.full(10 * DAY, 100.0) + random.normal(0.0, 2.0, 10 * DAY)
    values[::12] += random.choice([0.0, 200.0], size=values[::12].size)
    ensemble = fit(values, STEP, START)
    forecast = ensemble.predict(12)
    width = forecast.quantiles[0.95] - forecast.quantiles[0.05]
    assert width[0] > 5.0 * width[3:9].max()


def test_a_level_ten_times_higher_is_followed_within_an_hour(ensemble: Ensemble) -> None:
    for value in daily(6)[5 * DAY : 5 * DAY + 12] * 10.0:
        ensemble.update(value)
    now = 10.0 * daily(6)[5 * DAY + 12 : 5 * DAY + 18].mean()
    assert ensemble.predict(6).mean.mean() == pytest.approx(now, rel=0.25)


def test_an_outage_of_zeros_does_not_pull_the_forecast_down(ensemble: Ensemble) -> None:
    before = ensemble.predict(6).mean
    for _ in range(6):
        ensemble.update(0.0)
    forecast = ensemble.predict(6)
    assert forecast.mean.min() > 0.6 * before.min()
    assert any("taken for an outage" in reason for reason in forecast.reasons)
    assert forecast.confidence < 1.0


def test_zeros_that_stay_are_believed_in_the_end(ensemble: Ensemble) -> None:
    for _ in range(DAY):
        ensemble.update(0.0)
    assert ensemble.predict(3).mean.max() < 5.0


def test_a_single_spike_is_forgotten(ensemble: Ensemble) -> None:
    plain = copy.deepcopy(ensemble)
    for step, value in enumerate(daily(6)[5 * DAY : 5 * DAY + 40]):
        ensemble.update(5_000.0 if step == 3 else value)
        plain.update(value)
    assert ensemble.predict(10).mean == pytest.approx(plain.predict(10).mean, rel=0.25)


def test_a_family_that_fails_loses_its_say_and_harms_no_answer(
    ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ensemble.predict(5).weights
    best = max(FAMILIES, key=lambda family: before[family])
    plain = members_module.Members.ahead

    def broken(self: members_module.Members, *arguments: object) -> tuple[np.ndarray, np.ndarray]:
        answers, width = plain(self, *arguments)  # type: ignore[arg-type]
        answers[FAMILIES.index(best)] = np.nan
        return answers, width

    monkeypatch.setattr(members_module.Members, "ahead", broken)
    for value in daily(7)[5 * DAY : 6 * DAY]:
        ensemble.update(value)
        sound(ensemble.predict(5), 5)
    assert ensemble.predict(5).weights[best] < 0.2 * before[best]


def test_the_reasons_name_numbers(ensemble: Ensemble) -> None:
    forecast = ensemble.predict(6)
    assert any("expected in 1800 s, 90% between" in reason for reason in forecast.reasons)
    assert any("repeating the last value" in reason for reason in forecast.reasons)


def test_the_same_seed_gives_the_same_forecast() -> None:
    values = daily(1.2)
    forecasts = [fit(values, STEP, START, seed=3).predict(10).mean for _ in range(2)]
    assert (forecasts[0] == forecasts[1]).all()


def test_one_value_too_few_is_a_cold_start_and_one_more_is_not() -> None:
    values = daily(2)
    assert fit(values[: LEAST_STEPS - 1], STEP, START).members.learned is None
    assert fit(values[:LEAST_STEPS], STEP, START).members.learned is not None


def test_a_horizon_below_one_is_refused(ensemble: Ensemble) -> None:
    with pytest.raises(ValueError, match="give 1 or more"):
        ensemble.predict(0)


def test_a_farther_horizon_changes_no_nearer_answer(ensemble: Ensemble) -> None:
    near, far = ensemble.predict(HORIZONS), ensemble.predict(HORIZONS + 20)
    assert len(far.mean) == HORIZONS + 20
    assert far.mean[:HORIZONS] == pytest.approx(near.mean)
    assert far.quantiles[0.9][:HORIZONS] == pytest.approx(near.quantiles[0.9])
    assert ensemble.predict(3).mean == pytest.approx(near.mean[:3])


def test_updates_equal_a_history_fitted_at_once(ensemble: Ensemble) -> None:
    future = daily(6)[5 * DAY : 5 * DAY + 100]
    for value in future:
        ensemble.update(value)
    again = fit(np.concatenate((daily(5), future)), STEP, START).history
    ours = ensemble.history
    for name in ("log", "level", "of_day", "of_week"):
        mine = getattr(ours, name)[ours.last - DAY : ours.last + 1]
        fresh = getattr(again, name)[again.last - DAY : again.last + 1]
        # The scale, and so the offset, is each fit's own.
        assert np.exp(mine) - ours.offset == pytest.approx(
            np.exp(fresh) - again.offset, rel=0.02, nan_ok=True
        )


def test_the_band_is_wide_when_the_load_is_apt_to_jump() -> None:
    random = np.random.default_rng(0)
    steps = np.arange(6 * DAY)
    values = random.poisson(100.0, steps.size).astype(np.float64)
    # At every full hour a batch comes, of any size.
    values[steps % 12 == 0] += random.uniform(0.0, 150.0, (steps % 12 == 0).sum())
    forecast = fit(values, STEP, START).predict(12)
    wide = forecast.quantiles[0.95] - forecast.quantiles[0.05]
    assert wide[0] > 1.5 * wide[1:].max()
