"""What a forecast is made from and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]

LEVELS: tuple[float, ...] = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
"""The quantile levels that every forecast carries; 0.05 to 0.95 is the 90% band."""

FAMILIES: tuple[str, ...] = ("neural", "statistical", "hybrid", "behavioural")
"""The model families of the ensemble, in the order of every array that has one row for each."""


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """A stretch of time in which customers behave otherwise: a sale, a holiday.

    Attributes:
        name: For the reasons.
        start: First moment, with its time zone.
        end: Moment after the last.
    """

    name: str
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"campaign {self.name}: give start and end with their time zone")
        if self.end <= self.start:
            raise ValueError(f"campaign {self.name}: ends at {self.end}, not after its start")


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """How the customers' clock differs from UTC.

    Attributes:
        timezone: IANA name; days follow its clock, so that a profile by minute of day keeps its
            place when summer time begins or ends.
        campaigns: Days that the profile neither learns from nor is taken for.
    """

    timezone: str = "UTC"
    campaigns: tuple[Campaign, ...] = ()


NO_CALENDAR = Calendar()


@dataclass(frozen=True, kw_only=True)
class Series:
    """A load at even steps.

    Attributes:
        values: Shape (n,), NaN where nothing is known; never infinite, never negative.
        step_seconds: Distance of two values.
        start: Moment of the first value, with its time zone.
    """

    values: Floats
    step_seconds: float
    start: datetime


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What is expected of the next steps.

    Attributes:
        step_seconds: Distance of two steps.
        mean: Shape (h,): the value expected 1..h steps ahead. It is the ensemble's centre, which
            aims at the least absolute error. Never NaN, never negative.
        quantiles: Level to shape (h,): monotone in the level, never NaN, never negative.
        confidence: In [0, 1]: how far the forecast has been better than repeating the last value,
            and how well its band has held. 0 while there is too little history.
        reasons: Why, in words and numbers.
        weights: Share of each family; sums to 1.
    """

    step_seconds: float
    mean: Floats
    quantiles: Mapping[float, Floats]
    confidence: float
    reasons: tuple[str, ...]
    weights: Mapping[str, float] = field(default_factory=dict)
