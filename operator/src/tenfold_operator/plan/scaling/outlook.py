"""The forecast as scaling needs it: the load at the chosen quantile, step by step in time."""

import math
from dataclasses import dataclass
from datetime import datetime
from statistics import NormalDist

import numpy as np

from tenfold_operator.forecast.types import Forecast

_NORMAL = NormalDist()


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """The load to be ready for.

    Attributes:
        origin: When the first step begins.
        step_seconds: Length of a step.
        loads: Requests a second at the quantile, for each step from the origin on.
        expected: The same at the centre of the forecast.
        quantile: The level of `loads`.
        confidence: In [0, 1], the forecast's own.
        reasons: The forecast's own, in words and numbers.
    """

    origin: datetime
    step_seconds: float
    loads: tuple[float, ...]
    expected: tuple[float, ...]
    quantile: float
    confidence: float
    reasons: tuple[str, ...] = ()


def look_ahead(
    forecast: Forecast, origin: datetime, quantile: float, values_per_request: float = 1.0
) -> Outlook:
    """Return the forecast at a quantile.

    Args:
        forecast: Of the load.
        origin: End of the last step that the forecast knows, be it still running.
        quantile: In (0, 1).
        values_per_request: What one request a second is in the units of the forecast's series:
            its step in seconds where it counts the requests of a step.
    """
    loads = _at_level(forecast, quantile) / values_per_request
    return Outlook(
        origin=origin,
        step_seconds=forecast.step_seconds,
        loads=tuple(loads.tolist()),
        expected=tuple((forecast.mean / values_per_request).tolist()),
        quantile=quantile,
        confidence=forecast.confidence,
        reasons=forecast.reasons,
    )


def peak(outlook: Outlook, now: datetime, horizon_seconds: float) -> tuple[float, float] | None:
    """Return the highest load within the horizon, at the quantile and at the centre.

    (0, 0) when the horizon ends before the first step: the running one is measured, not forecast.
    None when the forecast ends before the horizon does.
    """
    passed = (now - outlook.origin).total_seconds()
    step = outlook.step_seconds
    first = max(0, math.floor(passed / step))
    last = math.ceil((passed + horizon_seconds) / step) - 1
    if last < 0:
        return 0.0, 0.0
    if last >= len(outlook.loads):
        return None
    return max(outlook.loads[first : last + 1]), max(outlook.expected[first : last + 1])


def _at_level(forecast: Forecast, level: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Interpolate between the forecast's levels, and go on beyond the highest.

    Between levels along the normal score; beyond the highest with the exponential tail through
    the two highest, since the maximum-likelihood estimate of a far quantile needs more history
    than there is.
    """
    levels = sorted(forecast.quantiles)
    if level >= levels[-1]:
        below, top = levels[-2], levels[-1]
        rate = math.log((1 - below) / (1 - top))
        beyond = math.log((1 - top) / (1 - level)) / rate
        high = forecast.quantiles[top]
        return high + (high - forecast.quantiles[below]) * beyond
    upper = next((index for index, each in enumerate(levels) if each > level), 0)
    upper = max(upper, 1)
    low, high_level = levels[upper - 1], levels[upper]
    a, b, at = (_NORMAL.inv_cdf(each) for each in (low, high_level, max(level, low)))
    share = (at - a) / (b - a)
    return (1 - share) * forecast.quantiles[low] + share * forecast.quantiles[high_level]
