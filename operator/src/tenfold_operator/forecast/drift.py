"""Whether a model still fits its world: its errors against its own calibration, and the population.

Both are asked over the recent day. Either calls for a new fit; neither stops the forecasts, whose
weights and band follow the change meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenfold_operator.forecast.types import Floats

ERROR_RATIO = 1.5
"""Mean score at which errors have drifted; at the fit it is 1."""

POPULATION_SHIFT = 0.25
"""Population stability index at which a shift is called major (Siddiqi, Credit Risk, 2006)."""

_EDGES = np.linspace(0.1, 0.9, 9)
_FARTHEST_SCORE = 5.0
_LEAST_STEPS = 60


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What a monitor sees.

    Attributes:
        error_ratio: Recent mean absolute score; 1 is as at the fit.
        population_shift: Population stability index of the load less its season; 0: as at the fit.
        reason: Why to fit anew, in words and numbers; empty where there is no reason.
    """

    error_ratio: float
    population_shift: float
    reason: str

    @property
    def retrain(self) -> bool:
        """Whether a new fit is called for."""
        return bool(self.reason)


class Monitor:
    """Compares what comes with what was fitted to.

    Args:
        edges: Shape (9,): the deciles of what was fitted to: logarithms less the season.
        memory_steps: Steps over which is compared, a day where the steps allow it.
    """

    def __init__(self, edges: Floats, memory_steps: int) -> None:
        self.edges = edges
        self.rate = 1.0 / max(memory_steps, _LEAST_STEPS)
        self.score = 1.0
        self.shares = np.full(len(edges) + 1, 0.1)
        self.steps = 0

    def update(self, residual: float, score: float) -> None:
        """Take a known step: its logarithm less the season, and the score of its forecast.

        A NaN score says that there was no forecast.
        """
        self.steps += 1
        hit = np.zeros_like(self.shares)
        hit[int(np.searchsorted(self.edges, residual, side="right"))] = 1.0
        self.shares += self.rate * (hit - self.shares)
        if np.isfinite(score):
            self.score += self.rate * (min(abs(score), _FARTHEST_SCORE) - self.score)

    def seen(self) -> Drift:
        """Return what has drifted so far."""
        # Half a step of each share, so that an empty one has a logarithm.
        shares = (self.shares + 0.5 * self.rate) / (1.0 + 5.0 * self.rate)
        shift = float(((shares - 0.1) * np.log(shares / 0.1)).sum())
        reasons = []
        if self.steps * self.rate >= 1.0:
            if self.score > ERROR_RATIO:
                reasons.append(f"errors are {self.score:.2f} times those at the fit")
            if shift > POPULATION_SHIFT:
                reasons.append(f"the load's distribution has moved (stability index {shift:.2f})")
        return Drift(error_ratio=self.score, population_shift=shift, reason="; ".join(reasons))


def edges(residuals: Floats) -> Floats:
    """Return the deciles of residuals of shape (n,), NaN left out; zeros where there are none."""
    known = residuals[np.isfinite(residuals)]
    return np.quantile(known, _EDGES) if known.size else np.zeros(len(_EDGES))
