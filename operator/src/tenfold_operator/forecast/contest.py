"""Champion and challenger side by side: who forecasts the same steps better, and by enough.

Forecast errors of neighbouring steps go together; the test of Diebold and Mariano (1995) counts
that in, with the variance of Newey and West.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tenfold_operator.forecast.types import Floats

MARGIN = 0.02
"""A challenger has to be better by this share of the champion's error."""

SURE = 1.645
"""Standard errors by which it has to be better, too: one sided, 95%."""

MOST_STEPS = 4_000


class Ruling(Enum):
    """What is to be done with a challenger."""

    WAIT = "wait"
    PROMOTE = "promote"
    DROP = "drop"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A ruling with its reason in words and numbers."""

    ruling: Ruling
    reason: str


class Contest:
    """Paired absolute errors of two models on the same steps.

    Args:
        horizon_steps: How far ahead the forecasts looked, >= 1.
        least_steps: Steps before any ruling.
        most_steps: Steps after which a challenger that is not better is dropped.
    """

    def __init__(self, horizon_steps: int, least_steps: int, most_steps: int = MOST_STEPS) -> None:
        if not 1 <= horizon_steps < least_steps <= most_steps:
            raise ValueError(
                f"a horizon of {horizon_steps}, {least_steps} and {most_steps} steps: "
                "give them in rising order from 1"
            )
        self.horizon_steps = horizon_steps
        self.least_steps = least_steps
        self.most_steps = most_steps
        self._champion: deque[float] = deque(maxlen=most_steps)
        self._challenger: deque[float] = deque(maxlen=most_steps)

    def update(self, champion_error: float, challenger_error: float) -> None:
        """Take the absolute errors of a step; a pair in which one is NaN is left out."""
        if math.isfinite(champion_error) and math.isfinite(challenger_error):
            self._champion.append(champion_error)
            self._challenger.append(challenger_error)

    def verdict(self) -> Verdict:
        """Rule on what was seen so far."""
        steps = len(self._champion)
        if steps < self.least_steps:
            return Verdict(
                ruling=Ruling.WAIT, reason=f"{steps} of {self.least_steps} steps compared"
            )
        champion, challenger = np.array(self._champion), np.array(self._challenger)
        gain = 1.0 - challenger.mean() / champion.mean() if champion.any() else 0.0
        sure = _standard_errors(champion - challenger, self.horizon_steps - 1)
        said = f"its error is {-gain:+.1%} of the champion's over {steps} steps, {sure:+.1f} sigma"
        if gain >= MARGIN and sure >= SURE:
            return Verdict(ruling=Ruling.PROMOTE, reason=said)
        if sure <= -SURE or steps == self.most_steps:
            return Verdict(ruling=Ruling.DROP, reason=said)
        return Verdict(ruling=Ruling.WAIT, reason=said)


def _standard_errors(difference: Floats, lags: int) -> float:
    """Return the mean of differences, shape (n,), in its standard errors."""
    count = len(difference)
    off = difference - difference.mean()
    variance = float(off @ off) / count
    for lag in range(1, lags + 1):
        variance += 2.0 * (1.0 - lag / (lags + 1)) * float(off[lag:] @ off[:-lag]) / count
    if variance <= 0.0:
        return float(np.sign(difference.mean())) * math.inf if difference.mean() else 0.0
    return float(difference.mean()) / math.sqrt(variance / count)
