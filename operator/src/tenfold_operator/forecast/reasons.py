"""Why a forecast says what it says, for a person at three in the morning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenfold_operator.forecast.calibration import Spread
from tenfold_operator.forecast.history import History
from tenfold_operator.forecast.types import FAMILIES, LEVELS, Floats

BAND = 0.9
_RECENT_STEPS = 30
_LOW, _MIDDLE, _HIGH = LEVELS.index(0.05), LEVELS.index(0.5), LEVELS.index(0.95)


@dataclass
class Track:
    """What was seen of the forecasts so far, a column for each knot.

    Attributes:
        errors: Recent mean absolute errors, shape (families, knots); NaN: has no answer.
        ensemble: The same of the ensemble, shape (knots,).
        last_value: The same of repeating the last value, shape (knots,).
        held: Recent share of values inside the 90% band, shape (knots,).
        quantiles: Quantiles of the scores, shape (levels, knots).
        spread: The usual error at a value.
        load: Recent mean of the values.
        known_steps: Steps with a trusted value so far.
    """

    errors: Floats
    ensemble: Floats
    last_value: Floats
    held: Floats
    quantiles: Floats
    spread: Spread
    load: float
    known_steps: int


def confidence(track: Track, history: History, shares: Floats) -> float:
    """Return how far to trust a forecast, in [0, 1].

    It is the product of three shares: how much of two days has been seen, whether the band has
    held as often as it says, and whether repeating the last value would have been no better.

    Args:
        track: What was seen of the forecasts.
        history: The series.
        shares: Of the knots in the horizon, shape (knots,).
    """
    seen = min(1.0, track.known_steps / (2 * history.day)) ** 0.5 * (1.0 - _missing(history))
    held = 1.0 - min(1.0, abs(float(shares @ track.held) - BAND) / BAND)
    own, simple = float(shares @ track.ensemble), float(shares @ track.last_value)
    better = 1.0 if own <= simple else simple / own
    return float(max(0.0, min(1.0, seen * held * better)))


def explain(
    track: Track, history: History, shares: Floats, values: Floats, weights: Floats, steps: int
) -> tuple[str, ...]:
    """Return sentences with numbers.

    Args:
        track: What was seen of the forecasts.
        history: The series.
        shares: Of the knots in the horizon, shape (knots,).
        values: Quantiles at the horizon, shape (levels,).
        weights: Of the families, shape (families,).
        steps: The horizon.
    """
    seconds = steps * history.days.step_seconds
    sentences = [
        f"{values[_MIDDLE]:.4g} expected in {seconds:.0f} s, 90% between {values[_LOW]:.4g} and "
        f"{values[_HIGH]:.4g}; {history.typical():.4g} lately"
    ]
    if track.known_steps == 0:
        return (*sentences, "no value has been seen yet")
    if weights[0] == weights[2] == weights[3] == 0.0:
        sentences.append(
            f"{track.known_steps} steps known: too few to learn from, the last level goes on"
        )
    else:
        order = np.argsort(-weights)
        said = ", ".join(f"{FAMILIES[i]} {weights[i]:.0%}" for i in order)
        sentences.append(f"{said}, by their recent errors")
        own, simple = float(shares @ track.ensemble), float(shares @ track.last_value)
        load = max(track.load, 1e-12)
        sentences.append(
            f"off by {own / load:.1%} lately, repeating the last value by {simple / load:.1%}; "
            f"the band held {float(shares @ track.held):.0%}"
        )
    missing = _missing(history)
    if missing:
        sentences.append(f"{missing:.0%} of the last {_RECENT_STEPS} steps are missing")
    if history.outage:
        sentences.append(
            f"{history.zero_steps} zeros in a row where {history.typical():.4g} was expected: "
            "taken for an outage"
        )
    if history.days.in_campaign(history.steps - 1 + steps):
        sentences.append("a campaign: the profiles of ordinary days may not hold")
    return tuple(sentences)


def _missing(history: History) -> float:
    """Return the share of the recent steps that are gaps."""
    if history.empty:
        return 1.0
    recent = history.known[
        max(0, history.last + 1 - min(_RECENT_STEPS, history.steps)) : history.last + 1
    ]
    return 1.0 - float(np.count_nonzero(recent)) / len(recent)
