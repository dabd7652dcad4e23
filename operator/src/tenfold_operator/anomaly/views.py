"""The angles from which a value may look unusual. Each gives a deviation, 0 and more."""

import bisect
import statistics
from collections import deque

import numpy as np
from numpy.typing import NDArray

from tenfold_operator.anomaly.window import Window

_HISTORY = 4000
"""Rows in which a value's like is sought."""
_NEIGHBOURS = 10
_CYCLES = 14
"""Seasons in which a value's like at the same time is sought: two weeks of days."""
_CYCLE_NEIGHBOURS = 4
_MEDIAN_CYCLES = 4
_FEWEST_PEERS = 3


class Rarity:
    """How far the mean of the last rows is from its tenth nearest in the past."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._recent: deque[float] = deque(maxlen=rows)
        # The last means wait: they overlap with the present one.
        self._waiting: deque[float] = deque()
        self._past = Window(_HISTORY)

    def deviation(self, value: float) -> float:
        """Return the distance, 0 while the past is short, and remember the value."""
        self._recent.append(value)
        mean = sum(self._recent) / len(self._recent)
        found = self._distance(mean) if len(self._past.sorted) >= 3 * _NEIGHBOURS else 0.0
        self._waiting.append(mean)
        if len(self._waiting) > self._rows:
            self._past.add(self._waiting.popleft())
        return found

    def _distance(self, mean: float) -> float:
        past = self._past.sorted
        place = bisect.bisect_left(past, mean)
        around = past[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS]
        return sorted(abs(each - mean) for each in around)[_NEIGHBOURS - 1]


class Shift:
    """How far the mean of the last ten rows is from that of the thousand before."""

    def __init__(self, now: int = 10, before: int = 1000, fewest: int = 20) -> None:
        self._now: deque[float] = deque(maxlen=now)
        self._before: deque[float] = deque(maxlen=before)
        self._fewest = fewest

    def deviation(self, value: float) -> float:
        """Return the distance, 0 while the past is short, and remember the value."""
        if len(self._now) == self._now.maxlen:
            self._before.append(self._now[0])
        self._now.append(value)
        if len(self._before) < self._fewest:
            return 0.0
        return abs(sum(self._now) / len(self._now) - sum(self._before) / len(self._before))


class Season:
    """What was measured at the same time of earlier seasons."""

    def __init__(self, rows: int) -> None:
        """Keep two weeks of seasons of `rows` rows each."""
        self._near = _offsets(rows, max(1, rows // 24), _CYCLES)
        self._close = _offsets(rows, max(1, rows // 96), _MEDIAN_CYCLES)
        self._size = int(self._near.max()) + 1
        self._ring = np.full(self._size, np.nan)
        self._row = 0

    def expected(self) -> float | None:
        """Return the median of the last four seasons around the coming row's time."""
        peers = self._peers(self._close)
        return statistics.median(peers.tolist()) if len(peers) >= _FEWEST_PEERS else None

    def deviation(self, value: float) -> float:
        """Return the distance to the fourth nearest value around this time of two weeks."""
        peers = self._peers(self._near)
        if len(peers) < _CYCLE_NEIGHBOURS:
            return 0.0
        distances = np.abs(peers - value)
        return float(np.partition(distances, _CYCLE_NEIGHBOURS - 1)[_CYCLE_NEIGHBOURS - 1])

    def remember(self, value: float) -> None:
        """Take the coming row's value; NaN for a gap, so that the times stay right."""
        self._ring[self._row % self._size] = value
        self._row += 1

    def _peers(self, offsets: NDArray[np.int64]) -> NDArray[np.float64]:
        found = self._ring[(self._row - offsets) % self._size]
        peers: NDArray[np.float64] = found[~np.isnan(found)]
        return peers


def _offsets(rows: int, width: int, cycles: int) -> NDArray[np.int64]:
    """How many rows back the same time of each earlier season lies, and its surroundings."""
    back = rows * np.arange(1, cycles + 1)[:, None] + np.arange(-width, width + 1)[None, :]
    return back[back >= 1].astype(np.int64)
