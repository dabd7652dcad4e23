"""Fitting: checked values in, an ensemble out. Seconds of one core, in a process of its own."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from tenfold_operator.forecast import calibration, fitting, statistical
from tenfold_operator.forecast.days import Days
from tenfold_operator.forecast.drift import Monitor, edges
from tenfold_operator.forecast.ensemble import Ensemble
from tenfold_operator.forecast.history import History
from tenfold_operator.forecast.members import HORIZONS, KNOTS, Members
from tenfold_operator.forecast.reasons import Track
from tenfold_operator.forecast.types import FAMILIES, NO_CALENDAR, Calendar, Floats
from tenfold_operator.forecast.window import Window

MOST_STEPS = 60_000
"""A fit looks at no more than the last so many steps."""

LEAST_STEPS = 300
"""With fewer known steps only the statistical family speaks."""

_CALIBRATION_SHARE = 0.15


def fit(
    values: Floats,
    step_seconds: float,
    start: datetime,
    calendar: Calendar = NO_CALENDAR,
    seed: int = 0,
) -> Ensemble:
    """Fit an ensemble to a series.

    Args:
        values: Shape (n,), NaN where there is none. Fewer than LEAST_STEPS known ones, or none at
            all, give an ensemble that says so and whose band is wide.
        step_seconds: Distance of two values, > 0.
        start: Moment of the first value, with its time zone.
        calendar: Time zone and campaigns.
        seed: Of the rows that are drawn and the network's first weights.

    Raises:
        ValueError: Values of another shape, a start without time zone, no such time zone.
    """
    if values.ndim != 1:
        raise ValueError(f"values of shape {values.shape}: give one dimension")
    skipped = max(0, len(values) - MOST_STEPS)
    days = Days(start, step_seconds, calendar).after(skipped)
    values = values[skipped:]
    positive = values[np.isfinite(values) & (values > 0)]
    scale = float(positive.mean()) if positive.size else 1.0
    history = History(days, scale, capacity=len(values))
    for value in values:
        history.append(value)
    first = history.last + 1 - len(values)
    known = int(history.known.sum())
    if known < LEAST_STEPS:
        return _cold(history, first, known)
    window = Window(history, first, seed)
    split = history.last - int(_CALIBRATION_SHARE * len(values))
    members = window.fitted(until=split)
    members, track = window.judged(members, since=split)
    state = window.states(members)[-1]
    monitor = Monitor(edges(window.residuals[first:]), history.day)
    history.trim()
    return Ensemble(history, members, state, track, monitor)


def _cold(history: History, first: int, known: int) -> Ensemble:
    """Return an ensemble of the last level only: nothing could be learned yet."""
    members = Members(statistical.smoothing(fitting.COLD_RATE, HORIZONS), None)
    state = members.statistical.begin(0.0)
    begun = False
    for at in range(first, history.last + 1):
        residual = members.residual(history, at)
        if not begun and np.isfinite(residual):
            state, begun = members.statistical.begin(residual), True
        state = members.statistical.step(state, residual)
    errors = np.full((len(FAMILIES), len(KNOTS)), np.nan)
    errors[1] = history.scale
    typical = np.full(len(KNOTS), history.scale)
    track = Track(
        errors=errors,
        ensemble=typical,
        last_value=typical,
        held=np.full(len(KNOTS), 0.9),
        quantiles=calibration.first_quantiles(len(KNOTS)),
        spread=calibration.first_spread(history.scale, len(KNOTS)),
        load=history.scale if known else 0.0,
        known_steps=known,
    )
    monitor = Monitor(edges(history.log[first : history.last + 1]), history.day)
    history.trim()
    return Ensemble(history, members, state, track, monitor)
