"""Customers' habits: the profile of the day and week, moved by how busy it has been lately.

log y(t+h) - level(t) = c . (differences of the last steps and levels to the level, spread of the
last steps, profile(t+h) - level(t), profile(t+h) - profile(t), 1) for the profiles of day, week and
yesterday, with coefficients for each of a few horizons. What they say is how far a deviation from
the habit lasts. All are differences: a tenfold load has the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenfold_operator.forecast import features
from tenfold_operator.forecast.types import Floats

_PASSES = 3
_NEAREST = 0.1
# All that features.now has but the level itself, and of features.ahead what is no calendar.
COLUMNS = np.concatenate(
    (np.arange(features.NOW - 1), features.NOW + np.arange(features.DIFFERENCES))
)


@dataclass(frozen=True)
class Habit:
    """Coefficients of shape (knots, columns + 1) for the horizons in knots, the constant last."""

    coefficients: Floats

    def __call__(self, known: Floats, mixing: Floats) -> Floats:
        """Answer with shape (m,).

        Args:
            known: What features.now and features.ahead return, shape (m, features), none NaN.
            mixing: Shares of the knots in each row's horizon, shape (m, knots).
        """
        coefficients = mixing @ self.coefficients
        result: Floats = (known[:, COLUMNS] * coefficients[:, :-1]).sum(axis=1)
        return result + coefficients[:, -1]


def fit(
    known: Floats, mixing: Floats, target: Floats, weight: Floats, ridge: float = 10.0
) -> Habit:
    """Fit to the least absolute error, all horizons in one system, by reweighted least squares.

    Args:
        known: Shape (m, features).
        mixing: Shape (m, knots).
        target: log y - level, shape (m,).
        weight: Shape (m,), >= 0.
        ridge: Pull towards no change, in rows of weight 1.
    """
    inputs = np.column_stack((known[:, COLUMNS], np.ones(len(known))))
    habit = Habit(np.zeros((mixing.shape[1], inputs.shape[1])))
    error = np.ones(len(inputs))
    for _ in range(_PASSES):
        usual = float(np.median(error))
        rows = weight * usual / np.maximum(error, max(_NEAREST * usual, 1e-12))
        habit = Habit(_solved(inputs, mixing, target, rows, ridge))
        error = np.abs(target - habit(known, mixing))
    return habit


def _solved(inputs: Floats, mixing: Floats, target: Floats, weight: Floats, ridge: float) -> Floats:
    """Return the coefficients of the least squares; rows have two neighbouring knots at most."""
    knots, columns = mixing.shape[1], inputs.shape[1]
    gram = np.zeros((knots, columns, knots, columns))
    for one in range(knots):
        for other in range(one, min(one + 2, knots)):
            shares = weight * mixing[:, one] * mixing[:, other]
            rows = shares > 0
            block = (inputs[rows] * shares[rows, None]).T @ inputs[rows]
            gram[one, :, other, :] = block
            gram[other, :, one, :] = block
    wide = gram.reshape(knots * columns, -1) + ridge * np.eye(knots * columns)
    right = (mixing * (weight * target)[:, None]).T @ inputs
    solved = np.linalg.solve(wide, right.ravel()).reshape(knots, columns)
    return np.asarray(solved, dtype=np.float64)
