"""Customers' habits: the profile of the day and week, moved by how busy it is just now.

log y(t+h) - level(t) = c . (profile(t+h) - level(t), profile(t+h) - profile(t), 1) for the profiles
of day and week, with coefficients for each of a few horizons. What they say is how far a deviation
from the habit lasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenfold_operator.forecast.types import Floats

COLUMNS = slice(4, 8)
"""Where features.ahead has the profiles' differences."""


@dataclass(frozen=True)
class Habit:
    """Coefficients of shape (knots, 5) for the horizons in knots."""

    coefficients: Floats

    def __call__(self, ahead: Floats, mixing: Floats) -> Floats:
        """Answer with shape (m,).

        Args:
            ahead: What features.ahead returns, shape (m, features), none NaN.
            mixing: Shares of the knots in each row's horizon, shape (m, knots).
        """
        coefficients = mixing @ self.coefficients
        result: Floats = (ahead[:, COLUMNS] * coefficients[:, :-1]).sum(axis=1) + coefficients[
            :, -1
        ]
        return result


def fit(ahead: Floats, mixing: Floats, target: Floats, weight: Floats, ridge: float = 1.0) -> Habit:
    """Fit by weighted least squares with a ridge, all horizons in one system.

    Args:
        ahead: Shape (m, features).
        mixing: Shape (m, knots).
        target: log y - level, shape (m,).
        weight: Shape (m,), >= 0.
        ridge: Pull towards no change, in rows of weight 1.
    """
    inputs = np.column_stack((ahead[:, COLUMNS], np.ones(len(ahead))))
    knots = mixing.shape[1]
    design = (mixing[:, :, None] * inputs[:, None, :]).reshape(len(inputs), -1)
    weighted = design * weight[:, None]
    gram = weighted.T @ design + ridge * np.eye(design.shape[1])
    solved = np.linalg.solve(gram, weighted.T @ target).reshape(knots, -1)
    return Habit(np.asarray(solved, dtype=np.float64))
