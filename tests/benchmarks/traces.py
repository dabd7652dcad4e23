"""The request-rate traces of TENFOLD_DATA, on even steps."""

from __future__ import annotations

import csv
import gzip
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_STEPS = {"1min": 60.0, "5min": 300.0, "1h": 3600.0}
_DEFAULT = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(frozen=True)
class Trace:
    """Requests in each step, NaN where the trace has none."""

    name: str
    values: NDArray[np.float64]
    step_seconds: float
    start: datetime

    def first(self, share: float) -> Trace:
        """Return the trace's first part."""
        return Trace(
            self.name, self.values[: int(share * len(self.values))], self.step_seconds, self.start
        )


def folder() -> Path:
    """Return the folder of the traces.

    Raises:
        SystemExit: There is none; says where it was looked for.
    """
    path = Path(os.environ.get("TENFOLD_DATA", _DEFAULT)) / "traces"
    if not path.is_dir():
        raise SystemExit(f"no traces in {path}: set TENFOLD_DATA to the folder that holds traces/")
    return path


def names() -> list[str]:
    """Return the traces that are there, without the step and the suffix."""
    return sorted(path.name.removesuffix(".csv.gz") for path in folder().glob("*.csv.gz"))


def load(name: str) -> Trace:
    """Read a trace by its file's name without .csv.gz."""
    step = _STEPS[name.rsplit("_", 1)[1]]
    with gzip.open(folder() / f"{name}.csv.gz", "rt", newline="") as file:
        rows = [(row["timestamp"], row["value"]) for row in csv.DictReader(file)]
    moments = [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment, _ in rows]
    start = min(moments)
    places = [round((moment - start).total_seconds() / step) for moment in moments]
    values = np.full(max(places) + 1, np.nan)
    for place, (_, value) in zip(places, rows, strict=True):
        values[place] = float(value) if value else np.nan
    return Trace(name, values, step, start)
