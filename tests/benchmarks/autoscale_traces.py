"""The traces: demand in requests a second, the part that policies are judged on, and capacity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks import traces

Floats = NDArray[np.float64]

TICK_SECONDS = 15
TICKS_PER_MINUTE = 60 // TICK_SECONDS
PEAK_PODS = 40
TRAINING_SHARE = 0.8


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A trace, cut into training and judged part.

    Attributes:
        name: The file's.
        values: Requests in each step, shape (n,), NaN where the trace has none.
        step_seconds: Length of a step, a multiple of TICK_SECONDS.
        start: Of the first step.
        split: The first step that is judged; a fit may know those before.
        end: The step after the last that is judged.
        capacity: Requests that a pod serves in a step: the 99.9th percentile needs 40 pods.
    """

    name: str
    values: Floats
    step_seconds: int
    start: datetime
    split: int
    end: int
    capacity: float

    @property
    def ticks_per_step(self) -> int:
        return self.step_seconds // TICK_SECONDS

    def pods(self, first: int, end: int) -> Floats:
        """Pods that the demand of each tick of these steps takes, not rounded.

        A step is held for all of its ticks, and the value before a gap for all of the gap.
        """
        known = np.where(np.isfinite(self.values), np.arange(len(self.values)), 0)
        filled = np.nan_to_num(self.values[np.maximum.accumulate(known)])
        return np.repeat(filled[first:end] / self.capacity, self.ticks_per_step)

    @cached_property
    def demand(self) -> Floats:
        """The same of the judged steps."""
        return self.pods(self.split, self.end)

    @property
    def least_pod_hours(self) -> float:
        """Pod-hours of who has at each tick just what it needs, one pod at least."""
        needed = np.maximum(1.0, np.ceil(self.demand - 1e-9))
        return float(needed.sum()) * TICK_SECONDS / 3600


def load(name: str, days: float, *, on_training: bool = False) -> Trace:
    """Read a trace by its file's name without .csv.gz.

    Args:
        name: NAME_STEP.
        days: How much of the part after the training is judged at most.
        on_training: Judge the last quarter of the training part instead: for choosing parameters.
    """
    found = traces.load(name)
    step = round(found.step_seconds)
    trained = int(TRAINING_SHARE * len(found.values))
    split, end = (int(0.75 * trained), trained) if on_training else (trained, len(found.values))
    return Trace(
        name=name,
        values=found.values,
        step_seconds=step,
        start=found.start,
        split=split,
        end=min(end, split + int(days * 86400 / step)),
        capacity=float(np.nanpercentile(found.values, 99.9)) / PEAK_PODS,
    )
