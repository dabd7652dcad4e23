"""What the learned families look at: the last steps, levels, seasons, the target's calendar.

All but the calendar are differences of logarithms to the level of the last steps, so that what was
learned at one load holds at ten times of it. What is not known is 0: no difference.
"""

from __future__ import annotations

import numpy as np

from tenfold_operator.forecast.days import DAY
from tenfold_operator.forecast.history import History
from tenfold_operator.forecast.types import Floats, Positions

NOW, AHEAD, WEEK = 23, 15, 2
COUNT = NOW + AHEAD + WEEK
"""Features of a row: those of its origin, of its target, and of the target's time a week ago."""

SHARED = NOW + AHEAD
"""The first so many are for all families. A week ago is a single noisy moment: trees ask for it
where it tells, a sum would take it everywhere."""

STEPS = AHEAD - 1
"""Column of `ahead` with the logarithm of the horizon."""

DIFFERENCES = 8
"""The first so many of the target's are differences, the others calendar and horizon."""

_LAGS = np.arange(12)
_WINDOWS = np.array([2, 10, 30, 60, 180])
_LEVEL_LAGS = np.array([5, 10, 15, 30])
_SPREAD_STEPS = 30
_HOUR = 3600.0


def now(history: History, at: Positions) -> Floats:
    """Return what is known of the origins at positions `at`, shape (m,), as shape (m, features)."""
    level = history.level[at]
    column = at[:, None]
    base = level[:, None]
    sums = history.sums
    means = (sums[column] - sums[column - _WINDOWS]) / _WINDOWS
    squares = history.squares[at] - history.squares[at - _SPREAD_STEPS]
    return np.concatenate(
        (
            history.log[column - _LAGS] - base,
            np.log(np.maximum(means, 0.0) + history.offset) - base,
            history.level[column - _LEVEL_LAGS] - base,
            np.sqrt(np.maximum(squares, 0.0) / _SPREAD_STEPS)[:, None],
            base - np.log(history.scale + history.offset),
        ),
        axis=1,
    )


def ahead(history: History, at: Positions, steps: Positions, profiles: Floats) -> Floats:
    """Return what is known of the targets `steps` ahead of the origins, shape (m, features).

    Args:
        history: The series.
        at: Positions of the origins, shape (m,).
        steps: Steps from each origin to its target, shape (m,), >= 1.
        profiles: Day and week profile at each target, shape (2, m).
    """
    level = history.level[at]
    hour = max(1, round(_HOUR / history.days.step_seconds))
    an_hour_ago = at + (steps - 1) % hour + 1 - hour
    a_day_ago = at + (steps - 1) % history.day + 1 - history.day
    yesterday = _smooth(history, at, a_day_ago)
    last_week = _smooth(history, at, at + (steps - 1) % history.week + 1 - history.week)
    local = history.days.local(history.step(0) + at + steps)
    clock = 2 * np.pi * local / DAY
    return np.stack(
        (
            history.log[an_hour_ago] - level,
            history.log[a_day_ago] - level,
            yesterday - level,
            yesterday - history.level[at - history.day],
            profiles[0] - level,
            profiles[0] - history.of_day[at],
            profiles[1] - level,
            profiles[1] - history.of_week[at],
            local % DAY / DAY,
            local % _HOUR / _HOUR,
            np.sin(clock),
            np.cos(clock),
            np.floor(local / DAY),
            history.days.campaigns(history.step(0) + at + steps).astype(np.float64),
            np.log(steps),
            last_week - level,
            last_week - history.level[at - history.week],
        ),
        axis=1,
    )


def profiles_at(history: History, steps: Positions) -> Floats:
    """Return the profiles of day and week at steps after the last one, shape (2, m)."""
    local = history.days.local(history.steps - 1 + steps)
    of_day, of_week = history.days.slots(local)
    return np.stack((history.day_table[of_day], history.week_table[of_week]))


def _smooth(history: History, at: Positions, around: Positions) -> Floats:
    """Return the logarithm of the mean of the values around positions, of what is known at `at`."""
    since, until = around - history.smoothing - 1, np.minimum(around + history.smoothing, at)
    mean = (history.sums[until] - history.sums[since]) / (until - since)
    result: Floats = np.log(np.maximum(mean, 0.0) + history.offset)
    return result
