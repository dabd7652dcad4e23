"""What Prometheus answered a detector, as rows in time, and what is wrong with it."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenfold_operator.anomaly.detector import Settings
from tenfold_operator.anomaly.types import is_usable
from tenfold_operator.anomaly.verdict import Persistence
from tenfold_operator.model.generated import AnomalyDetectorSpec
from tenfold_operator.model.observed import Series

_SENSITIVITY = {"Low": 0.8, "Normal": 1.0, "High": 1.25}
LOOK_BACK_ROWS = 5
"""So far back a value is sought that says how old the newest is."""
_RETRAINED_IN = 7
"""A model is fitted anew so many times in a training window: daily in a week."""
_COLD_ROWS = 20


@dataclass(frozen=True)
class Trouble:
    """Why the newest row cannot be judged."""

    reason: str
    """One CamelCase word."""
    message: str


def settings_of(spec: AnomalyDetectorSpec) -> Settings:
    """Return how the spec sets the detector."""
    return Settings(
        names=tuple(each.name for each in spec.queries),
        season_rows=max(2, round(spec.season_seconds / spec.interval_seconds)),
        sensitivity=_SENSITIVITY[spec.sensitivity],
        persistence=Persistence(spec.persistence.wanted, spec.persistence.of),
    )


def newest_row(now: float, interval_seconds: int) -> float:
    """Return the time of the newest row, unix seconds: a multiple of the interval."""
    return now // interval_seconds * interval_seconds


def first_row(newest: float, spec: AnomalyDetectorSpec) -> float:
    """Return the time of the training's first row, unix seconds."""
    return newest - spec.training_seconds + spec.interval_seconds


def is_due(now: float, trained: float, is_warm: bool, spec: AnomalyDetectorSpec) -> bool:
    """Tell whether it is time to fit anew; sooner while the warm-up goes on."""
    cold = _COLD_ROWS * spec.interval_seconds
    return now - trained >= (spec.training_seconds / _RETRAINED_IN if is_warm else cold)


def rows_of(
    answers: Sequence[Sequence[Series]], start: float, end: float, step: float
) -> NDArray[np.float64]:
    """Return the values at start, start + step, ... end as shape (n, queries); NaN where none is.

    A query that answered several series has no values.
    """
    count = max(0, round((end - start) / step) + 1)
    rows = np.full((count, len(answers)), math.nan)
    for column, series in enumerate(answers):
        if len(series) != 1:
            continue
        for time, value in zip(series[0].times, series[0].values, strict=True):
            row = round((time - start) / step)
            if 0 <= row < count and is_usable(value):
                rows[row, column] = value
    return rows


def find_trouble(
    names: Sequence[str], answers: Sequence[Sequence[Series]], end: float, step: float
) -> Trouble | None:
    """Return what is wrong with the row at `end`, the worst first; None when nothing is."""
    for name, series in zip(names, answers, strict=True):
        if len(series) > 1:
            message = f"query {name} answers {len(series)} series: aggregate them, as with sum()"
            return Trouble("SeveralSeries", message)
        if not series or not series[0].times:
            message = f"query {name} has no value: check that it answers in Prometheus"
            return Trouble("NoData", message)
        newest, value = series[0].times[-1], series[0].values[-1]
        if end - newest >= step / 2:
            message = f"the last value of query {name} is {end - newest:.0f} s older than expected"
            return Trouble("Stale", message)
        if not is_usable(value):
            message = f"query {name} answers {value}: guard it against a division by zero"
            return Trouble("NotANumber", message)
    return None


def version_of(settings: Settings, rows: NDArray[np.float64]) -> str:
    """Return the kind of the model and a hash of its settings and of what it learned from."""
    kind = "series" if len(settings.names) == 1 else "joint"
    content = repr(settings).encode() + np.ascontiguousarray(rows).tobytes()
    return f"{kind}-{hashlib.sha256(content).hexdigest()[:8]}"
