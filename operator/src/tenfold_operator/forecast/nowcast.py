"""A forecast from the middle of a step, and over steps that nobody has told of."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tenfold_operator.forecast.ensemble import Ensemble
from tenfold_operator.forecast.members import HORIZONS
from tenfold_operator.forecast.types import Forecast


def look_on(
    ensemble: Ensemble, until: float, recent: Mapping[float, float], now: float, seconds: float
) -> Forecast | None:
    """Forecast the steps from `until` on, so many seconds beyond now and one step more.

    The running step keeps the forecast that was made before it: what has been measured of it says
    little of a rise in its second half. Together they are the value from which the next are
    forecast. Steps without a sample are forecast over, with less confidence for each.

    None where more than HORIZONS steps are not known.

    Args:
        ensemble: Stays as it is.
        until: End of the last step that it knows, unix seconds.
        recent: Samples by unix seconds, in the series' unit.
        now: Unix seconds.
        seconds: How far to look.
    """
    step = ensemble.history.days.step_seconds
    ahead, parts = copy.deepcopy(ensemble), list[Forecast]()
    while until < now and (within := _within(recent, until, until + step)):
        own = ahead.predict(1)
        parts.append(own)
        share = min(1.0, (now - until) / step)
        ahead.update(share * sum(within) / len(within) + (1.0 - share) * float(own.mean[0]))
        until += step
    unknown = max(0, math.floor((now - until) / step))
    if unknown > HORIZONS:
        return None
    rest = ahead.predict(math.ceil((now + seconds - until) / step) + 1)
    parts.append(rest)
    gap = (f"the last {unknown} steps are not known",) if unknown else ()
    return replace(
        rest,
        mean=np.concatenate([each.mean for each in parts]),
        quantiles={
            level: np.concatenate([each.quantiles[level] for each in parts])
            for level in rest.quantiles
        },
        confidence=rest.confidence * (1.0 - unknown / HORIZONS),
        reasons=(*rest.reasons, *gap),
    )


def _within(recent: Mapping[float, float], start: float, end: float) -> list[float]:
    return [value for time, value in recent.items() if start < time <= end and math.isfinite(value)]
