"""How many requests a second are wanted at which time: straight lines between points."""

import bisect
import csv
import gzip
import itertools
import pathlib
from typing import Self

import pydantic


class ShapeError(ValueError):
    """A trace that cannot be replayed; the message says why."""


class Point(pydantic.BaseModel):
    """A rate at a time; between two points it changes evenly."""

    model_config = pydantic.ConfigDict(frozen=True)

    seconds: float
    per_second: float


class Shape(pydantic.BaseModel):
    """A rate over time. `measured_from` is where the way up to it ends and judging begins."""

    model_config = pydantic.ConfigDict(frozen=True)

    points: tuple[Point, ...]
    measured_from: float

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> Self:
        times = [point.seconds for point in self.points]
        if len(times) < 2 or times[0] != 0 or times != sorted(times):
            raise ValueError("a shape needs two points and more, in order, the first at 0 s")
        if not 0 <= self.measured_from < times[-1]:
            raise ValueError("measured_from lies between the first and the last point")
        return self

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.points[-1].seconds

    @property
    def peak(self) -> float:
        """The highest rate."""
        return max(point.per_second for point in self.points)

    def rate(self, at: float) -> float:
        """Return the rate at a time, requests a second; what it ends with after its end."""
        after = bisect.bisect_right([point.seconds for point in self.points], at)
        if after == len(self.points):
            return self.points[-1].per_second
        left, right = self.points[max(0, after - 1)], self.points[after]
        share = (at - left.seconds) / (right.seconds - left.seconds)
        return left.per_second + share * (right.per_second - left.per_second)

    def requests(self, begin: float, end: float) -> float:
        """Return how many requests are wanted between two times."""
        inner = [point.seconds for point in self.points if begin < point.seconds < end]
        times = [begin, *inner, min(end, self.seconds)]
        return sum(
            # From just inside: at a step there are two rates for one time.
            (right - left) * (self.rate(left) + self._before(right)) / 2
            for left, right in itertools.pairwise(times)
        )

    @property
    def mean(self) -> float:
        """The mean rate while it is judged."""
        return self.requests(self.measured_from, self.seconds) / (self.seconds - self.measured_from)

    def scaled(self, factor: float) -> Self:
        """Return the same shape at another height."""
        points = tuple(
            point.model_copy(update={"per_second": point.per_second * factor})
            for point in self.points
        )
        return self.model_copy(update={"points": points})

    def _before(self, at: float) -> float:
        """Return the rate just before a time."""
        number = bisect.bisect_left([point.seconds for point in self.points], at)
        left, right = self.points[number - 1], self.points[number]
        share = (at - left.seconds) / (right.seconds - left.seconds)
        return left.per_second + share * (right.per_second - left.per_second)


def _shape(measured_from: float, *points: tuple[float, float]) -> Shape:
    return Shape(
        points=tuple(Point(seconds=seconds, per_second=rate) for seconds, rate in points),
        measured_from=measured_from,
    )


def steady(per_second: float, seconds: float, ramp: float) -> Shape:
    """Return one rate after a ramp."""
    return _shape(ramp, (0, 0), (ramp, per_second), (ramp + seconds, per_second))


def ramp(low: float, high: float, seconds: float, start: float) -> Shape:
    """Return a climb to a rate that is then held for a fifth of the time."""
    top = start + 0.8 * seconds
    return _shape(start, (0, 0), (start, low), (top, high), (start + seconds, high))


def spike(low: float, high: float, seconds: float, start: float) -> Shape:
    """Return a rate that is there at once for a third of the time, and as suddenly gone."""
    up, down = start + seconds / 3, start + seconds * 2 / 3
    return _shape(
        start, (0, 0), (start, low), (up, low), (up, high), (down, high), (down, low),
        (start + seconds, low),
    )  # fmt: skip


def replay(trace: pathlib.Path, peak: float, seconds: float, start: float) -> Shape:
    """Return the course of a trace in so many seconds, as high as its highest point is set.

    The trace is a CSV, packed or not, whose last column is what came in each interval. Raises
    ShapeError.
    """
    values = _read(trace)
    highest = max(values, default=0.0)
    if len(values) < 2 or highest <= 0:
        raise ShapeError(f"{trace} has no two intervals with requests in them.")
    step = seconds / (len(values) - 1)
    points = [
        (start + number * step, value / highest * peak) for number, value in enumerate(values)
    ]
    return _shape(start, (0, 0), *points)


def _read(trace: pathlib.Path) -> list[float]:
    try:
        content = trace.read_bytes()
        if trace.suffix == ".gz":
            content = gzip.decompress(content)
        rows = list(csv.reader(content.decode().splitlines()))[1:]
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ShapeError(f"{trace} cannot be read: {error}.") from error
    try:
        return [max(0.0, float(row[-1])) for row in rows]
    except (ValueError, IndexError) as error:
        raise ShapeError(f"{trace} has a row whose last column is no number: {error}.") from error
