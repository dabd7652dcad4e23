"""The parts: arrays that answer as libraries do, clocks, weights, drift, contests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.ensemble import HistGradientBoostingRegressor
from statsmodels.tsa.arima.model import ARIMA
from tenfold_operator.forecast import contest, drift, features, fitting, skill, statistical
from tenfold_operator.forecast.contest import Contest, Ruling
from tenfold_operator.forecast.days import Days
from tenfold_operator.forecast.forest import Grove, mean_of
from tenfold_operator.forecast.history import History
from tenfold_operator.forecast.types import NO_CALENDAR, Calendar, Campaign

from tests.unit.forecast.shapes import DAY, START, STEP, daily


def test_trees_as_arrays_answer_as_the_library_does() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(2_000, 6))
    target = inputs[:, 0] * inputs[:, 1] + random.normal(0.0, 0.1, 2_000)
    model = HistGradientBoostingRegressor(max_iter=40, max_leaf_nodes=24, random_state=0)
    model.fit(inputs, target)
    asked = random.normal(size=(500, 6))
    assert fitting.flatten(model)(asked) == pytest.approx(model.predict(asked), abs=1e-9)


def test_forests_walked_at_once_answer_as_each_alone() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(1_000, 4))
    forests = []
    for count in (30, 20, 10):
        model = HistGradientBoostingRegressor(max_iter=count, max_depth=4, random_state=0)
        forests.append(fitting.flatten(model.fit(inputs, random.normal(size=1_000))))
    near, far, width = forests
    is_near = random.random(1_000) < 0.5
    trees, widths = Grove(near, far, width)(inputs, is_near)
    assert trees == pytest.approx(np.where(is_near, near(inputs), far(inputs)))
    assert widths == pytest.approx(width(inputs))


def test_the_mean_of_forests_answers_the_mean_of_their_answers() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(1_000, 4))
    forests = []
    for count in (30, 10):
        model = HistGradientBoostingRegressor(max_iter=count, max_depth=4, random_state=0)
        forests.append(fitting.flatten(model.fit(inputs, random.normal(size=1_000))))
    answers = [forest(inputs) for forest in forests]
    assert mean_of(forests)(inputs) == pytest.approx(np.mean(answers, axis=0))


def test_a_target_is_compared_with_the_same_time_a_week_ago() -> None:
    history = History(Days(START, STEP, NO_CALENDAR), scale=100.0)
    saturday = 5 * DAY
    for value in [*np.full(saturday, 100.0), *np.full(DAY, 300.0), *np.full(6 * DAY - 1, 100.0)]:
        history.append(value)
    steps = np.array([1, 10])
    at = np.full(2, history.last)
    profiles = features.profiles_at(history, steps)
    row = features.ahead(history, at, steps, profiles)
    times = np.log((300.0 + history.offset) / (100.0 + history.offset))
    yesterday, last_week = row[:, 2], row[:, features.AHEAD]
    assert yesterday == pytest.approx(0.0, abs=1e-9)
    assert last_week[1] == pytest.approx(times)


def test_a_network_as_arrays_answers_what_it_learned() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(4_000, 4))
    target = np.abs(inputs[:, 0])
    network = fitting.fit_network(inputs, target, np.ones(4_000), seed=0)
    assert np.abs(network(inputs) - target).mean() < 0.1


def test_the_state_space_forecasts_what_the_library_forecasts() -> None:
    residuals = np.cumsum(np.random.default_rng(0).normal(size=600)) * 0.1
    space = fitting.fit_statistical(residuals, seasonal=False)
    state = space.begin(float(residuals[0]))
    for residual in residuals:
        state = space.step(state, float(residual))
    ours = space.reach[:10] @ state + space.centre
    model = ARIMA(residuals - space.centre, order=space.order, trend="n", concentrate_scale=True)
    theirs = model.fit(method_kwargs={"maxiter": 20}).forecast(10) + space.centre
    assert ours == pytest.approx(theirs, abs=0.02)


def test_a_gap_moves_the_state_by_time_only() -> None:
    space = statistical.smoothing(0.5, 5)
    state = space.begin(3.0)
    assert space.step(state, float("nan")) == pytest.approx(state)


def test_a_gap_after_a_steep_rise_is_filled_with_what_that_hour_of_the_day_is_used_to() -> None:
    day = np.full(DAY, 100.0)
    day[100:112] = 900.0
    history = History(Days(START, STEP, NO_CALENDAR), scale=100.0)
    for value in [*np.tile(day, 6), *day[:103]]:
        history.append(value)
    for _ in day[103:]:
        history.append(float("nan"))
    filled = np.exp(history.log[history.last + 1 - (DAY - 103) : history.last + 1]) - history.offset
    assert filled == pytest.approx(day[103:], rel=0.01)


def test_days_keep_their_place_when_summer_time_begins() -> None:
    zone = ZoneInfo("Europe/Istanbul")
    berlin = Days(datetime(2026, 3, 28, tzinfo=UTC), 3600.0, Calendar(timezone="Europe/Berlin"))
    # 12:00 in Berlin is 11:00 UTC on the 28th and 10:00 UTC on the 29th, the first summer day.
    assert berlin.slot(11)[0] == berlin.slot(24 + 10)[0] == 12
    istanbul = Days(datetime(2026, 3, 28, tzinfo=UTC), 3600.0, Calendar(timezone=str(zone)))
    assert istanbul.slot(11)[0] == istanbul.slot(24 + 11)[0] == 14


@given(st.integers(0, 60_000))
def test_one_step_and_many_have_the_same_slot(step: int) -> None:
    days = Days(START, 600.0, Calendar(timezone="America/New_York"))
    of_day, of_week = days.slots(days.local(np.array([step])))
    assert (int(of_day[0]), int(of_week[0])) == days.slot(step)


def test_many_steps_across_a_change_of_clocks_have_their_own_slots() -> None:
    days = Days(datetime(2026, 3, 28, tzinfo=UTC), 1800.0, Calendar(timezone="Europe/Berlin"))
    steps = np.arange(96)
    of_day, _ = days.slots(days.local(steps))
    assert of_day.tolist() == [days.slot(int(step))[0] for step in steps]


def test_an_unknown_time_zone_and_a_start_without_one_are_refused() -> None:
    with pytest.raises(ValueError, match="IANA name"):
        Days(START, STEP, Calendar(timezone="Mars/Olympus"))
    with pytest.raises(ValueError, match="time zone"):
        Days(datetime(2026, 1, 1), STEP, NO_CALENDAR)
    with pytest.raises(ValueError, match="positive"):
        Days(START, 0.0, NO_CALENDAR)


def test_a_campaign_teaches_the_profile_nothing() -> None:
    sale = Campaign(name="sale", start=START + timedelta(days=1), end=START + timedelta(days=2))
    tables = {}
    for calendar in (NO_CALENDAR, Calendar(campaigns=(sale,))):
        history = History(Days(START, STEP, calendar), 100.0, capacity=4 * DAY)
        for step in range(2 * DAY):
            history.append(1000.0 if step >= DAY else 100.0)
        tables[bool(calendar.campaigns)] = np.exp(history.day_table) - history.offset
    assert np.median(tables[True]) == pytest.approx(100.0)
    assert np.median(tables[False]) > 110.0


def test_a_campaign_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="not after its start"):
        Campaign(name="sale", start=START, end=START)


def test_a_history_that_was_trimmed_goes_on_as_one_that_was_not() -> None:
    long, short = (History(Days(START, STEP, NO_CALENDAR), 100.0, n) for n in (4 * DAY, 0))
    for value in daily(4):
        long.append(value)
        short.append(value)
    for name in ("log", "level", "of_day", "of_week"):
        ours = getattr(short, name)[short.last - DAY : short.last + 1]
        assert ours == pytest.approx(
            getattr(long, name)[long.last - DAY : long.last + 1], nan_ok=True
        )
    assert short.log.size < long.log.size


def test_a_load_with_zeros_of_its_own_is_taken_as_it_is() -> None:
    history = History(Days(START, STEP, NO_CALENDAR), 2.0, capacity=DAY)
    values = np.random.default_rng(0).poisson(1.0, DAY)
    assert all(history.append(float(value)) for value in values)


@given(
    arrays.arrays(
        np.float64,
        (4, 7),
        elements=st.one_of(st.floats(0.0, 1e9), st.just(np.nan), st.just(np.inf)),
    ).filter(lambda errors: bool(np.isfinite(errors).any(axis=0).all()))
)
def test_weights_are_shares_and_who_has_no_error_has_none(errors: np.ndarray) -> None:
    weights = skill.weights(errors)
    assert weights.sum(axis=0) == pytest.approx(np.ones(7))
    assert (weights[~np.isfinite(errors)] == 0.0).all()


def test_twice_the_error_is_no_say() -> None:
    assert skill.weights(np.array([[1.0], [2.0]]))[1, 0] < 0.001


def test_an_absent_answer_leaves_its_share_to_the_others() -> None:
    answers = np.array([[np.nan], [2.0], [4.0]])
    shares = np.array([[0.8], [0.1], [0.1]])
    assert skill.combine(answers, shares) == pytest.approx([3.0])
    assert skill.combine(answers, np.array([[1.0], [0.0], [0.0]])) == pytest.approx([3.0])


def monitored(residuals: np.ndarray, scores: np.ndarray) -> drift.Drift:
    monitor = drift.Monitor(drift.edges(np.random.default_rng(0).normal(size=5_000)), 200)
    for residual, score in zip(residuals, scores, strict=True):
        monitor.update(float(residual), float(score))
    return monitor.seen()


def test_drift_is_seen_in_errors_and_in_the_population_and_not_without() -> None:
    random = np.random.default_rng(1)
    plain, scores = random.normal(size=600), random.laplace(size=600)
    assert not monitored(plain, scores).retrain
    worse = monitored(plain, 3.0 * scores)
    assert worse.retrain
    assert "times those at the fit" in worse.reason
    moved = monitored(plain + 1.5, scores)
    assert moved.retrain
    assert "distribution has moved" in moved.reason


def ruled(champion: np.ndarray, challenger: np.ndarray) -> Ruling:
    match = Contest(horizon_steps=5, least_steps=100, most_steps=1_000)
    for pair in zip(champion, challenger, strict=True):
        match.update(*pair)
    return match.verdict().ruling


def test_a_challenger_is_promoted_for_a_clear_gain_only() -> None:
    errors = np.random.default_rng(0).exponential(10.0, 900)
    assert ruled(errors, 0.8 * errors) is Ruling.PROMOTE
    assert ruled(errors, 0.995 * errors) is Ruling.WAIT
    assert ruled(errors, 1.3 * errors) is Ruling.DROP
    assert ruled(errors[:50], 0.5 * errors[:50]) is Ruling.WAIT


def test_a_contest_ends() -> None:
    random = np.random.default_rng(0)
    assert ruled(random.exponential(10.0, 1_000), random.exponential(10.0, 1_000)) is Ruling.DROP


def test_luck_of_few_steps_that_go_together_is_no_gain() -> None:
    champion = np.repeat(np.random.default_rng(0).exponential(10.0, 30), 5)
    challenger = champion * np.repeat([0.2, 1.7] * 15, 5)
    assert ruled(champion, challenger) is not Ruling.PROMOTE


def test_a_missing_error_is_left_out_and_bad_bounds_are_refused() -> None:
    match = Contest(horizon_steps=1, least_steps=2)
    match.update(float("nan"), 1.0)
    assert match.verdict().reason == "0 of 2 steps compared"
    with pytest.raises(ValueError, match="rising order"):
        contest.Contest(horizon_steps=5, least_steps=5)
