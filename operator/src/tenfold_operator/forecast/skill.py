"""Who may speak: weights from the errors of the recent steps, for each horizon."""

from __future__ import annotations

import numpy as np

from tenfold_operator.forecast.types import Floats

POWER = 16.0
"""A family with 1.1 times the error of another has a fifth of its say, with twice none."""

MEMORY_STEPS = 500.0
_FLOOR = 1e-12


def weights(errors: Floats, power: float = POWER) -> Floats:
    """Return weights of shape (families, knots), columns sum to 1, from mean absolute errors.

    A NaN error, a family that has no answer or failed to give one, weighs nothing.
    """
    usable = np.where(np.isfinite(errors), errors, np.inf)
    best = np.maximum(usable.min(axis=0), _FLOOR)
    raw = (best / np.maximum(usable, best)) ** power
    result: Floats = raw / raw.sum(axis=0)
    return result


def combine(answers: Floats, shares: Floats) -> Floats:
    """Return the weighted mean of answers, both of shape (families, m): shape (m,).

    Who has no answer (NaN) leaves its share to the others.
    """
    there = np.isfinite(answers)
    weighted = np.where(there, shares, 0.0)
    total = weighted.sum(axis=0)
    # Where only families without any say have answered, they are all that there is.
    weighted = np.where(total > _FLOOR, weighted, there * 1.0)
    total = np.maximum(weighted.sum(axis=0), _FLOOR)
    result: Floats = (np.where(there, answers, 0.0) * weighted).sum(axis=0) / total
    return result


def moved(errors: Floats, fresh: Floats) -> Floats:
    """Return mean errors of shape (families, knots) moved towards a step's own.

    A family that was to answer and did not (a fresh NaN) counts as three times the worst other.
    """
    worst = np.fmax.reduce(fresh, axis=0)
    seen = np.where(np.isnan(fresh), 3.0 * worst, fresh)
    result: Floats = errors + (seen - errors) / MEMORY_STEPS
    return result
