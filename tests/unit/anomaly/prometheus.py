"""A Prometheus that tests fill: series by expression, and what it fails with."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from tenfold_operator.model.observed import Sample, Series


class FakePrometheus:
    """Implements ports.Metrics."""

    def __init__(self) -> None:
        self.values: dict[str, Callable[[float], float | None]] = {}
        """The value of an expression at a time; None when there is none."""
        self.copies = 1
        self.error: Exception | None = None
        self.ranges: list[tuple[float, float]] = []

    async def query(self, expression: str) -> tuple[Sample, ...]:
        raise NotImplementedError

    async def query_range(
        self, expression: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        if self.error:
            raise self.error
        self.ranges.append((start.timestamp(), end.timestamp()))
        count = round((end.timestamp() - start.timestamp()) / step_seconds) + 1
        times = [start.timestamp() + row * step_seconds for row in range(count)]
        told = [(time, self.values[expression](time)) for time in times]
        found = [(time, value) for time, value in told if value is not None]
        if not found:
            return ()
        one = Series({}, tuple(time for time, _ in found), tuple(value for _, value in found))
        return (one,) * self.copies


def daily(time: float) -> float:
    """A day's wave with a little noise that is the same each time."""
    return 100.0 + 40.0 * math.sin(2 * math.pi * time / 86400) + math.sin(time * 1.7)
