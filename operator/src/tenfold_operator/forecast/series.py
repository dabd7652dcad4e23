"""From what Prometheus answers to a load at even steps."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np

from tenfold_operator.forecast.types import Floats, Series

MOST_STEPS = 1_000_000


def regular(times: Floats, values: Floats, step_seconds: float) -> Series:
    """Return samples as means of even steps.

    Steps without a sample, and samples that are no load (NaN, infinite, negative), are NaN. Steps
    begin at multiples of `step_seconds` since the epoch, so that two queries meet.

    Args:
        times: Unix seconds, shape (n,), in any order.
        values: Shape (n,).
        step_seconds: Length of a step, > 0.

    Raises:
        ValueError: No sample, shapes that differ, a time that is not finite, or a span of more
            than MOST_STEPS steps.
    """
    if times.shape != values.shape or times.ndim != 1:
        raise ValueError(f"times of shape {times.shape} and values of {values.shape}: give pairs")
    if not times.size:
        raise ValueError("no samples: widen the range of the query, or check that it has a series")
    if not np.isfinite(times).all():
        raise ValueError("a sample's time is not a number: check the source of the samples")
    if not step_seconds > 0:
        raise ValueError(f"a step of {step_seconds} s: give a positive one")
    first = math.floor(times.min() / step_seconds)
    count = math.floor(times.max() / step_seconds) - first + 1
    if count > MOST_STEPS:
        raise ValueError(f"{count} steps: ask for a shorter range or a longer step")
    good = np.isfinite(values) & (values >= 0.0)
    places = np.floor(times[good] / step_seconds).astype(np.int64) - first
    sums = np.bincount(places, weights=values[good], minlength=count)
    seen = np.bincount(places, minlength=count)
    means = np.divide(sums, seen, out=np.full(count, np.nan), where=seen > 0)
    start = datetime.fromtimestamp(first * step_seconds, UTC)
    return Series(values=means, step_seconds=step_seconds, start=start)


def rates(times: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return the rates of a counter, per second, at the later time of each two samples.

    A counter that falls was reset and has counted from 0, as Prometheus takes it. Samples that are
    no count (NaN, infinite, negative) are left out; so are two at one time.

    Args:
        times: Unix seconds, shape (n,), in any order.
        counts: Shape (n,).
    """
    good = np.isfinite(times) & np.isfinite(counts) & (counts >= 0.0)
    order = np.argsort(times[good], kind="stable")
    times, counts = times[good][order], counts[good][order]
    apart = np.diff(times, prepend=-np.inf) > 0
    times, counts = times[apart], counts[apart]
    grown = np.diff(counts)
    grown = np.where(grown < 0, counts[1:], grown)
    # More than a float can hold is infinite, and an infinite load is a gap to `regular`.
    with np.errstate(over="ignore"):
        return times[1:], grown / np.diff(times)
