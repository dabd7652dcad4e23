"""What a detector says of one row of measurements."""

import math
from dataclasses import dataclass

_LARGEST = 1e100
"""Beyond it, sums and squares of floats overflow."""


@dataclass(frozen=True)
class Band:
    """Where a value is expected to be, in the unit of the query."""

    expected: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Reading:
    """One row's score; no part of it is ever NaN."""

    score: float
    """0 and more; above 1 the row is anomalous."""
    band: Band
    is_warm: bool
    """Whether enough rows were seen for the score to count."""
    reasons: tuple[str, ...] = ()
    """What speaks for an anomaly, in words and numbers, the strongest first."""


def is_usable(value: float) -> bool:
    """Tell whether a value is a measurement: finite, and small enough to calculate with."""
    return math.isfinite(value) and abs(value) < _LARGEST
