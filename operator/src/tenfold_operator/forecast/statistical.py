"""ETS and ARIMA in their common form: a linear state that each step's surprise moves.

    e(t) = y(t) - Z a(t),   a(t+1) = T a(t) + K e(t),   forecast of y(t+h-1) = Z T^(h-1) a(t)

Simple smoothing is ARIMA(0,1,1), the damped trend ARIMA(1,1,2) (Hyndman et al., Forecasting with
Exponential Smoothing, chapter 11). y is the logarithm less the profile of day and week.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenfold_operator.forecast.types import Floats


@dataclass(frozen=True)
class Statistical:
    """A fitted innovations state space.

    Attributes:
        transition: T, shape (k, k).
        design: Z, shape (k,).
        gain: K, shape (k,).
        reach: Z T^(h-1) for h = 1.., shape (horizons, k).
        centre: Subtracted from y.
        seasonal: Whether y is without the profile.
        order: The ARIMA order (p, d, q).
    """

    transition: Floats
    design: Floats
    gain: Floats
    reach: Floats
    centre: float
    seasonal: bool
    order: tuple[int, int, int]

    def begin(self, residual: float) -> Floats:
        """Return a state, shape (k,), that expects the residual to stay as it is."""
        state: Floats = self.design * ((residual - self.centre) / (self.design @ self.design))
        return state

    def step(self, state: Floats, residual: float) -> Floats:
        """Return the state after a residual; NaN is a gap, which only time moves."""
        surprise = residual - self.centre - float(self.design @ state)
        moved: Floats = self.transition @ state
        if np.isfinite(surprise):
            moved = moved + self.gain * surprise
        return moved


def space(
    transition: Floats,
    design: Floats,
    gain: Floats,
    *,
    horizons: int,
    centre: float = 0.0,
    seasonal: bool = False,
    order: tuple[int, int, int] = (0, 1, 1),
) -> Statistical:
    """Return the model with its reach computed for 1..horizons steps."""
    rows = [design]
    for _ in range(horizons - 1):
        rows.append(rows[-1] @ transition)
    return Statistical(transition, design, gain, np.array(rows), centre, seasonal, order)


def smoothing(rate: float, horizons: int, *, seasonal: bool = False) -> Statistical:
    """Return simple exponential smoothing: what there is where nothing could be fitted."""
    gain = np.full(1, rate)
    return space(np.ones((1, 1)), np.ones(1), gain, horizons=horizons, seasonal=seasonal)
