"""From scores to verdicts: one spike does not call, and a call is not repeated at once."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Persistence:
    """So many of the last rows have to be anomalous."""

    wanted: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.wanted <= self.of:
            raise ValueError(f"{self.wanted} of {self.of} rows cannot be wanted")


class Judge:
    """Counts anomalous rows."""

    def __init__(self, persistence: Persistence) -> None:
        self._wanted = persistence.wanted
        self._last: deque[bool] = deque(maxlen=persistence.of)

    @property
    def count(self) -> int:
        """How many of the last rows are anomalous."""
        return sum(self._last)

    @property
    def is_anomalous(self) -> bool:
        """Whether enough of them are."""
        return self.count >= self._wanted

    def update(self, score: float) -> bool:
        """Take the next score and tell whether the series is anomalous now."""
        self._last.append(score > 1.0)
        return self.is_anomalous


def verdicts(scores: Iterable[float], persistence: Persistence) -> NDArray[np.bool_]:
    """Return the verdict at each score, shape (n,)."""
    judge = Judge(persistence)
    return np.array([judge.update(each) for each in scores], dtype=bool)


def calls(anomalous: NDArray[np.bool_], repeat_rows: int) -> NDArray[np.bool_]:
    """Return where somebody is called, shape (n,): never twice within `repeat_rows` rows."""
    called = np.zeros(len(anomalous), dtype=bool)
    last = -repeat_rows - 1
    for row in np.flatnonzero(anomalous):
        if row - last > repeat_rows:
            called[row] = True
            last = int(row)
    return called
