"""Forecasts from the middle of a step, and over steps that are not known."""

import copy

import numpy as np
import pytest
from tenfold_operator.forecast.ensemble import Ensemble
from tenfold_operator.forecast.members import HORIZONS
from tenfold_operator.forecast.nowcast import look_on
from tenfold_operator.forecast.types import LEVELS, Forecast

from tests.unit.forecast.shapes import STEP

UNTIL = 1_000_000.0


def seen(
    ensemble: Ensemble, recent: dict[float, float], now: float, seconds: float = STEP
) -> Forecast:
    found = look_on(ensemble, UNTIL, recent, now, seconds)
    assert found is not None
    return found


def test_at_the_end_of_a_step_it_is_the_forecast_itself(ensemble: Ensemble) -> None:
    found, plain = seen(ensemble, {}, UNTIL), ensemble.predict(2)
    assert np.array_equal(found.mean, plain.mean)
    assert found.confidence == plain.confidence
    assert found.reasons == plain.reasons


def test_the_running_step_keeps_its_forecast_whatever_its_first_samples_say(
    ensemble: Ensemble,
) -> None:
    own = ensemble.predict(1)
    found = seen(ensemble, {UNTIL + 10.0: 0.5 * float(own.mean[0])}, UNTIL + 15.0)
    assert found.mean[0] == own.mean[0]
    assert all(found.quantiles[level][0] == own.quantiles[level][0] for level in LEVELS)


def test_the_first_samples_of_a_step_weigh_little_and_a_whole_step_all(ensemble: Ensemble) -> None:
    expected = seen(ensemble, {}, UNTIL, 2 * STEP).mean[1]
    recent = {UNTIL + 10.0: 300.0}
    early, late = (seen(ensemble, recent, UNTIL + after).mean[1] for after in (15.0, STEP))
    assert expected < early < late
    assert early - expected < 0.3 * (late - expected)
    whole = copy.deepcopy(ensemble)
    whole.update(300.0)
    assert late == pytest.approx(whole.predict(1).mean[0])


def test_it_reaches_as_far_as_it_is_asked_to(ensemble: Ensemble) -> None:
    for after in (0.0, 1.0, 0.5 * STEP, STEP - 1.0):
        recent = {UNTIL + 0.5: 100.0} if after else {}
        found = seen(ensemble, recent, UNTIL + after, 2.5 * STEP)
        assert len(found.mean) * STEP >= after + 2.5 * STEP
        assert {len(values) for values in found.quantiles.values()} == {len(found.mean)}


def test_unknown_steps_are_forecast_over_with_less_confidence_and_said(ensemble: Ensemble) -> None:
    known = seen(ensemble, {}, UNTIL)
    gap = seen(ensemble, {}, UNTIL + 10.5 * STEP)
    assert gap.confidence < known.confidence
    assert gap.reasons[-1] == "the last 10 steps are not known"
    assert np.array_equal(gap.mean[:2], known.mean)
    assert look_on(ensemble, UNTIL, {}, UNTIL + (HORIZONS + 1) * STEP, STEP) is None


def test_what_is_no_number_is_no_sample(ensemble: Ensemble) -> None:
    found = seen(ensemble, {UNTIL + 1.0: float("nan")}, UNTIL + 2.0)
    assert np.array_equal(found.mean, ensemble.predict(len(found.mean)).mean)


def test_the_model_stays_as_it_is(ensemble: Ensemble) -> None:
    before = ensemble.predict(5)
    seen(ensemble, {UNTIL + 10.0: 500.0}, UNTIL + 15.0)
    assert np.array_equal(ensemble.predict(5).mean, before.mean)
