"""What an ensemble remembers of its series: a week of steps, and the profiles of day and week.

One path for training and for life: a fit appends every value of its window, an update one more.
Levels and profiles are logarithms of (value + offset), in which a tenfold load is a shift.
"""

from __future__ import annotations

import math

import numpy as np

from tenfold_operator.forecast.days import DAY, Days
from tenfold_operator.forecast.types import Floats

LEVEL_STEPS = 5
_LOOKBACK_STEPS = 256
_SLACK = 256
_DAY_RATE, _WEEK_RATE = 0.2, 0.4
# A spike moves a profile no further than by this factor of e a day.
_PROFILE_CLIP = 1.0
# A zero is an outage where none was seen for so long, the load was not to fade out just then, and
# it is clearly above any from which a lone zero has come before.
_NO_ZERO_STEPS = 30
_FADED_SHARE = 0.1
_LONE_ZERO_FACTOR = 3.0
_LONE_ZERO_STEPS = 2
LONGEST_OUTAGE_SECONDS = 6 * 3600.0
"""Zeros that last longer are what the service does now."""

ARRAYS = ("log", "level", "sums", "squares", "of_day", "of_week")


class History:
    """Values of even steps with their levels and profiles, known up to the last step.

    Indices are positions in the arrays, `last` that of the newest step. Positions before the first
    value hold NaN, so that features are NaN where nothing is known.

    Attributes:
        log: log(value + offset); a gap's value is the one that was expected.
        level: log of the mean of the last LEVEL_STEPS values.
        sums: running sum of the values.
        squares: running sum of (log - level)^2.
        of_day: the day profile at this step, as it was known before.
        of_week: the same of the week.
        known: whether the step had a value that is trusted.

    Args:
        days: The series' clock; step 0 is the first value appended.
        scale: A typical value, > 0, in the series' own unit.
        capacity: Steps to hold beyond the week that features look back on.
    """

    def __init__(self, days: Days, scale: float, capacity: int = 0) -> None:
        self.days = days
        self.scale = scale
        self.offset = 0.1 * scale
        self.day = max(1, round(DAY / days.step_seconds))
        self.week = 7 * self.day
        self.lookback = self.week + _LOOKBACK_STEPS
        self.smoothing = min(7, self.day // 200)
        size = self.lookback + capacity + _SLACK
        self.log, self.level, self.sums, self.squares, self.of_day, self.of_week = (
            np.full(size, np.nan) for _ in ARRAYS
        )
        self.known = np.zeros(size, dtype=np.bool_)
        self.day_table = np.full(days.slots_a_day, np.nan)
        self.week_table = np.full(7 * days.slots_a_day, np.nan)
        self.last = self.lookback - 1
        self.sums[self.last] = self.squares[self.last] = 0.0
        self.steps = 0
        self.zero_steps = 0
        self.steps_since_zero = 0
        self.lone_zero_level = 0.0

    @property
    def empty(self) -> bool:
        """Whether no step has been appended."""
        return self.steps == 0

    @property
    def outage(self) -> bool:
        """Whether the last step was a zero that is not believed."""
        return self.zero_steps > 0 and not self.known[self.last]

    def step(self, position: int) -> int:
        """Return the number of the step at a position; step 0 was the first ever appended."""
        return self.steps - 1 - (self.last - position)

    def append(self, value: float) -> bool:
        """Take the next step's value; NaN is a gap. Return whether the value is trusted.

        Not trusted are negative and infinite values, and zeros that come at once where the load
        was far from it: an outage of the service or its metrics, for LONGEST_OUTAGE_SECONDS.
        """
        if self.last + 1 == self.log.size:
            self.trim()
        at = self.last + 1
        of_day, of_week = self.days.slot(self.steps)
        self.of_day[at] = self.day_table[of_day]
        self.of_week[at] = self.week_table[of_week]
        trusted = self._trust(value, at)
        filled = float(value) if trusted else self._expected(at)
        self.last = at
        self.steps += 1
        self.known[at] = trusted
        self.sums[at] = total = self.sums[at - 1] + filled
        width = min(LEVEL_STEPS, self.steps)
        mean = max(0.0, (total - self.sums[at - width]) / width)
        log, level = math.log(filled + self.offset), math.log(mean + self.offset)
        self.log[at] = log
        self.level[at] = level
        self.squares[at] = self.squares[at - 1] + (log - level) ** 2
        self._learn_profile()
        return trusted

    def natural(self, logs: Floats) -> Floats:
        """Return values >= 0 in the series' own unit, from logarithms as `log` has them."""
        values: Floats = np.maximum(0.0, np.exp(logs) - self.offset)
        return values

    def profile(self, position: int) -> float:
        """Return the expected log at a held position by day and week; NaN while none is known."""
        return _blend(float(self.of_day[position]), float(self.of_week[position]))

    def trim(self) -> None:
        """Forget what features no longer look back on."""
        keep = slice(self.last + 1 - self.lookback, self.last + 1)
        for name in (*ARRAYS, "known"):
            old = getattr(self, name)
            fresh = np.full(
                self.lookback + _SLACK, np.nan if old.dtype == np.float64 else False, old.dtype
            )
            fresh[: self.lookback] = old[keep]
            setattr(self, name, fresh)
        self.last = self.lookback - 1
        # Sums that only ever grow would lose the digits of small values.
        self.sums -= self.sums[self.last]
        self.squares -= self.squares[self.last]

    def _trust(self, value: float, at: int) -> bool:
        if not math.isfinite(value) or value < 0.0:
            return False
        if value > 0.0:
            if 0 < self.zero_steps <= _LONE_ZERO_STEPS:
                self.lone_zero_level = max(self.lone_zero_level, self._expected(at))
            self.zero_steps = 0
            self.steps_since_zero += 1
            return True
        self.zero_steps += 1
        sudden = self.steps_since_zero >= _NO_ZERO_STEPS and self._expected(at) > max(
            _FADED_SHARE * self.scale, _LONE_ZERO_FACTOR * self.lone_zero_level
        )
        if sudden and self.zero_steps * self.days.step_seconds <= LONGEST_OUTAGE_SECONDS:
            return False
        self.steps_since_zero = 0
        return True

    def typical(self) -> float:
        """Return the mean of the last LEVEL_STEPS values, 0 where there are none."""
        return 0.0 if self.empty else max(0.0, math.exp(self.level[self.last]) - self.offset)

    def _expected(self, at: int) -> float:
        """Return the value expected at a position by the level before it and the season.

        The level goes with the profile's mean over the same steps, not with its last: in a gap that
        follows a steep rise or a spike, what was filled in is in the next level, and any other
        ratio would be taken again and again.
        """
        if self.empty:
            return 0.0
        season = [self.profile(at - back) for back in range(min(LEVEL_STEPS, self.steps) + 1)]
        usual = sum(map(math.exp, season[1:])) / (len(season) - 1)
        change = season[0] - math.log(usual)
        expected = self.level[at - 1] + (0.0 if math.isnan(change) else change)
        return max(0.0, math.exp(min(expected, 700.0)) - self.offset)

    def _learn_profile(self) -> None:
        """Move both profiles towards the value that now has neighbours on both sides."""
        width = self.day // 500
        at = self.last - width
        if self.steps <= 2 * width or not self.known[at]:
            return
        step = self.step(at)
        if self.days.in_campaign(step):
            return
        mean = (self.sums[at + width] - self.sums[at - width - 1]) / (2 * width + 1)
        log = math.log(max(0.0, mean) + self.offset)
        of_day, of_week = self.days.slot(step)
        _move(self.day_table, of_day, log, _DAY_RATE)
        _move(self.week_table, of_week, log, _WEEK_RATE)


def _blend(of_day: float, of_week: float) -> float:
    return of_day if math.isnan(of_week) else 0.5 * (of_day + of_week)


def _move(
    table: np.ndarray[tuple[int], np.dtype[np.float64]], slot: int, log: float, rate: float
) -> None:
    old = float(table[slot])
    if math.isnan(old):
        table[slot] = log
    else:
        table[slot] = old + rate * min(_PROFILE_CLIP, max(-_PROFILE_CLIP, log - old))
