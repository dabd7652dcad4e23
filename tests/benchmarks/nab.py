"""The Numenta Anomaly Benchmark's score (Lavin and Ahmad, 2015), as its version 1.1 computes it."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PROFILES = ("standard", "reward_low_FP_rate", "reward_low_FN_rate")
_PROBATION_SHARE = 0.15
_PROBATION_OF_AT_MOST = 5000


@dataclass(frozen=True)
class Weights:
    """What a profile pays and takes."""

    hit: float
    miss: float
    false_alarm: float


@dataclass(frozen=True)
class LabelledSeries:
    """A series with the windows in which it is anomalous."""

    name: str
    times: tuple[datetime, ...]
    values: NDArray[np.float64]
    windows: tuple[tuple[int, int], ...]
    """First and last row of each."""

    @property
    def probation(self) -> int:
        """Rows at the beginning that do not count: 15%, of at most 5,000."""
        return math.floor(_PROBATION_SHARE * min(len(self.values), _PROBATION_OF_AT_MOST))

    @property
    def step_seconds(self) -> float:
        """The median time between rows."""
        seconds = [time.timestamp() for time in self.times]
        return float(np.median(np.diff(seconds)))


def read_all(folder: Path) -> tuple[LabelledSeries, ...]:
    """Return the series of NAB's folder, by name; raises SystemExit that says what is missing."""
    labels = folder / "labels" / "combined_windows.json"
    if not labels.exists():
        raise SystemExit(f"{labels} is missing: point TENFOLD_DATA to the folder that holds nab/")
    windows = json.loads(labels.read_text())
    return tuple(
        _read(folder / "data" / name, name, windows[name])
        for name in sorted(windows)
        if (folder / "data" / name).exists()
    )


def _read(path: Path, name: str, windows: Iterable[tuple[str, str]]) -> LabelledSeries:
    with path.open() as lines:
        rows = list(csv.DictReader(lines))
    times = tuple(datetime.fromisoformat(row["timestamp"]) for row in rows)
    limits = [tuple(datetime.fromisoformat(limit) for limit in each) for each in windows]
    return LabelledSeries(
        name=name,
        times=times,
        values=np.array([float(row["value"]) for row in rows]),
        windows=tuple((times.index(first), times.index(last)) for first, last in limits),
    )


def read_weights(folder: Path) -> Mapping[str, Weights]:
    """Return the profiles' weights, by name."""
    profiles = json.loads((folder / "profiles.json").read_text())
    costs = {name: profiles[name]["CostMatrix"] for name in PROFILES}
    return {
        name: Weights(cost["tpWeight"], cost["fnWeight"], cost["fpWeight"])
        for name, cost in costs.items()
    }


def read_reference(folder: Path, detector: str, series: LabelledSeries) -> NDArray[np.float64]:
    """Return a published detector's scores on a series, shape (n,)."""
    path = folder / "reference" / detector / f"{series.name}.gz"
    with gzip.open(path, "rt") as lines:
        return np.array([float(row["anomaly_score"]) for row in csv.DictReader(lines)])


def score(
    series: Iterable[LabelledSeries],
    alarms: Mapping[str, NDArray[np.bool_]],
    weights: Weights,
) -> float:
    """Return NAB's score in percent: 0 for silence, 100 for the earliest alarm in every window.

    `alarms` holds for each series by name whether each row raises one, shape (n,).
    """
    chosen = tuple(series)
    raw = sum(_raw(each, alarms[each.name], weights) for each in chosen)
    windows = sum(len(list(_counted(each))) for each in chosen)
    null, perfect = -weights.miss * windows, weights.hit * windows
    return 100.0 * (raw - null) / (perfect - null)


def _counted(series: LabelledSeries) -> Iterator[tuple[int, int]]:
    return (each for each in series.windows if each[1] >= series.probation)


def _raw(series: LabelledSeries, alarms: NDArray[np.bool_], weights: Weights) -> float:
    rows = [int(row) for row in np.flatnonzero(alarms) if row >= series.probation]
    total = 0.0
    for first, last in _counted(series):
        inside = [row for row in rows if first <= row <= last]
        width = last - first + 1
        # The earliest row earns the most.
        reward = _sigmoid(-(last - inside[0] + 1) / width) / _sigmoid(-1.0) if inside else 0.0
        total += weights.hit * reward if inside else -weights.miss
    outside = (row for row in rows if not any(a <= row <= b for a, b in series.windows))
    return total + weights.false_alarm * sum(_penalty(series, row) for row in outside)


def _penalty(series: LabelledSeries, row: int) -> float:
    """A false alarm costs less shortly after a window."""
    before = [each for each in series.windows if each[1] < row]
    if not before:
        return -1.0
    first, last = before[-1]
    return _sigmoid((row - last) / (last - first))


def _sigmoid(position: float) -> float:
    return -1.0 if position > 3.0 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0
