"""The traces: demand in requests a second, the part that policies are judged on, and capacity."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TICK_SECONDS = 15
TICKS_PER_MINUTE = 60 // TICK_SECONDS
PEAK_PODS = 40
TRAINING_SHARE = 0.8
_ROOT = Path(__file__).resolve().parents[2]
_UNIT_SECONDS = {"s": 1, "min": 60, "h": 3600}
_STEP = re.compile(r"_(\d+)(s|min|h)$")


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A trace, cut into training and judged part.

    Attributes:
        name: The file's.
        values: Requests in each step, shape (n,).
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

    @property
    def demand(self) -> Floats:
        """Pods that the demand of each judged tick takes, not rounded; steps are held."""
        judged = self.values[self.split : self.end] / self.capacity
        return np.repeat(judged, self.ticks_per_step)

    @property
    def least_pod_hours(self) -> float:
        """Pod-hours of who has at each tick just what it needs, one pod at least."""
        needed = np.maximum(1.0, np.ceil(self.demand - 1e-9))
        return float(needed.sum()) * TICK_SECONDS / 3600


def data_folder() -> Path:
    """Return the folder of the traces.

    Raises:
        SystemExit: There is none; the message says what to set.
    """
    base = os.environ.get("TENFOLD_DATA")
    folder = (Path(base) if base else _ROOT.parent / "shared" / "data") / "traces"
    if not any(folder.glob("*.csv.gz")):
        raise SystemExit(f"no traces (*.csv.gz) in {folder}: set TENFOLD_DATA to the data folder")
    return folder


def load(path: Path, days: float, *, on_training: bool = False) -> Trace:
    """Read a trace.

    Args:
        path: NAME_STEP.csv.gz with columns timestamp and value.
        days: How much of the part after the training is judged at most.
        on_training: Judge the last quarter of the training part instead: for choosing parameters.

    Raises:
        SystemExit: The name has no step, or the step is no multiple of 15 s.
    """
    name = path.name.removesuffix(".csv.gz")
    match = _STEP.search(name)
    step = int(match[1]) * _UNIT_SECONDS[match[2]] if match else 0
    if step < TICK_SECONDS or step % TICK_SECONDS:
        raise SystemExit(f"{path}: name it NAME_STEP.csv.gz with a step such as 1min, 5min or 1h")
    table = np.genfromtxt(path, delimiter=",", skip_header=1, dtype=None, encoding="utf-8")
    values = np.nan_to_num(np.array([row[1] for row in table], dtype=np.float64))
    trained = int(TRAINING_SHARE * len(values))
    split, end = (int(0.75 * trained), trained) if on_training else (trained, len(values))
    return Trace(
        name=name,
        values=values,
        step_seconds=step,
        start=datetime.fromisoformat(str(table[0][0])).replace(tzinfo=UTC),
        split=split,
        end=min(end, split + int(days * 86400 / step)),
        capacity=float(np.percentile(values, 99.9)) / PEAK_PODS,
    )
