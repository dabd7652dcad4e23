"""Quantiles that hold: conformal scores whose quantiles are tracked as the steps come.

A score is the error divided by the spread that is usual at such a value, a sqrt(p) + b p + c: the
noise of counting and a share of the load. Each tracked quantile moves up a little when it was
exceeded and down when not, in the ratio of its level, so that over time it is exceeded as often as
it says, whatever the distribution does (Gibbs and Candès, 2021; Angelopoulos, Candès and
Tibshirani, 2023, quantile tracking).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenfold_operator.forecast.types import LEVELS, Floats

RATE = 0.05
"""How far a quantile moves at most in one step, in usual spreads."""

_LEVELS = np.array(LEVELS)
# Scores of a first guess: about those of a normal distribution with mean absolute value 1.
_NORMAL = np.array([-2.06, -1.61, -0.85, 0.0, 0.85, 1.61, 2.06, 2.92])


@dataclass(frozen=True)
class Spread:
    """Usual absolute error at a value: root * sqrt(p) + share * p + least."""

    root: Floats
    share: Floats
    least: Floats

    def __call__(self, value: Floats) -> Floats:
        """Return the spread, > 0, of values whose last axis is that of the coefficients."""
        result: Floats = self.root * np.sqrt(value) + self.share * value + self.least
        return result

    def mixed(self, shares: Floats) -> Spread:
        """Return the spread of horizons in which the knots have shares of shape (m, knots)."""
        return Spread(shares @ self.root, shares @ self.share, shares @ self.least)


def first_spread(scale: float, knots: int) -> Spread:
    """Return a wide guess for series of which nothing is known yet."""
    ones = np.ones(knots)
    return Spread(0.3 * np.sqrt(scale) * ones, 0.3 * ones, 0.02 * scale * ones)


def first_quantiles(knots: int) -> Floats:
    """Return quantiles of scores before any are known, shape (levels, knots)."""
    return np.repeat(_NORMAL[:, None], knots, axis=1)


def fit_quantiles(scores: Floats) -> Floats:
    """Return the quantiles, shape (levels, knots), of scores of shape (m, knots), NaN left out."""
    result: Floats = np.nanquantile(scores, _LEVELS, axis=0)
    return result


def tracked(quantiles: Floats, score: Floats, rate: float = RATE) -> Floats:
    """Return the quantiles, shape (levels, knots), after a score of each knot; NaN moves none."""
    above = score > quantiles
    step = rate * np.where(above, _LEVELS[:, None], _LEVELS[:, None] - 1.0)
    result: Floats = np.where(np.isfinite(score), quantiles + step, quantiles)
    return result
