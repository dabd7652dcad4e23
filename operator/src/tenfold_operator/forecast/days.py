"""The customers' clock: where a step lies in its local day and week, and whether in a campaign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from tenfold_operator.forecast.types import Calendar, Floats

DAY = 86_400.0
WEEK = 7 * DAY
_FINEST_SLOT_SECONDS = 60.0
# Time zones have changed their offset at quarters of an hour, never finer.
_QUARTER = 900
# The epoch was a Thursday; weeks are counted from Monday.
_MONDAY = 4 * DAY
_OFFSETS_HELD = 100_000
_NEAR_QUARTERS = 4 * 24


class Days:
    """A series' steps as moments of a local week.

    Args:
        start: Moment of step 0, with its time zone.
        step_seconds: Distance of two steps.
        calendar: Time zone and campaigns.

    Raises:
        ValueError: No such time zone, a start without one, or a step that is not positive.
    """

    def __init__(self, start: datetime, step_seconds: float, calendar: Calendar) -> None:
        if start.tzinfo is None:
            raise ValueError("give the start of the series with its time zone")
        if not step_seconds > 0:
            raise ValueError(f"a step of {step_seconds} s: give a positive one")
        try:
            self._zone = ZoneInfo(calendar.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"time zone {calendar.timezone!r}: give an IANA name") from error
        self.start = start
        self.step_seconds = step_seconds
        self.calendar = calendar
        self.slot_seconds = max(step_seconds, _FINEST_SLOT_SECONDS)
        self.slots_a_day = max(1, round(DAY / self.slot_seconds))
        self._first = start.timestamp()
        self._offsets: dict[int, float] = {}
        self._campaigns = [(c.start.timestamp(), c.end.timestamp()) for c in calendar.campaigns]

    def after(self, steps: int) -> Days:
        """Return the clock of the same series without its first steps."""
        start = self.start + timedelta(seconds=steps * self.step_seconds)
        return Days(start, self.step_seconds, self.calendar)

    def slot(self, step: int) -> tuple[int, int]:
        """Return a step's slot in the local day and in the local week."""
        moment = self._first + step * self.step_seconds
        week = (moment + self._offset(int(moment // _QUARTER)) - _MONDAY) % WEEK
        day, seconds = divmod(week, DAY)
        of_day = int(seconds / self.slot_seconds) % self.slots_a_day
        return of_day, int(day) * self.slots_a_day + of_day

    def in_campaign(self, step: int) -> bool:
        """Return whether a step lies in a campaign."""
        moment = self._first + step * self.step_seconds
        return any(begin <= moment < end for begin, end in self._campaigns)

    def local(self, steps: NDArray[np.int64]) -> Floats:
        """Return seconds into the local week, Monday 0:00 being 0, for steps of shape (m,).

        Steps that lie within a day have to rise.
        """
        moments = self._first + steps * self.step_seconds
        quarters = (moments // _QUARTER).astype(np.int64)
        # A live forecast asks for a few steps that lie close to each other: two look-ups do.
        near, far = self._offset(int(quarters[0])), self._offset(int(quarters[-1]))
        if near == far and 0 <= quarters[-1] - quarters[0] <= _NEAR_QUARTERS:
            return np.asarray((moments + (near - _MONDAY)) % WEEK, dtype=np.float64)
        unique, where = np.unique(quarters, return_inverse=True)
        offsets = np.array([self._offset(int(quarter)) for quarter in unique])
        return np.asarray((moments + offsets[where] - _MONDAY) % WEEK, dtype=np.float64)

    def slots(self, local: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the slots in the day and in the week of local seconds, shape (m,) each."""
        day = local // DAY
        of_day = (local % DAY / self.slot_seconds).astype(np.int64) % self.slots_a_day
        return of_day, day.astype(np.int64) * self.slots_a_day + of_day

    def campaigns(self, steps: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of the steps, shape (m,), lie in a campaign."""
        moments = self._first + steps * self.step_seconds
        inside = np.zeros(moments.shape, dtype=np.bool_)
        for begin, end in self._campaigns:
            inside |= (moments >= begin) & (moments < end)
        return inside

    def _offset(self, quarter: int) -> float:
        known = self._offsets.get(quarter)
        if known is None:
            offset = datetime.fromtimestamp(quarter * _QUARTER, UTC).astimezone(self._zone)
            shift = offset.utcoffset()
            known = 0.0 if shift is None else shift.total_seconds()
            if len(self._offsets) >= _OFFSETS_HELD:
                self._offsets.clear()
            self._offsets[quarter] = known
        return known
