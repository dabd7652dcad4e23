"""What an AnomalyDetector runs: one series by its own past, several by how they go together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenfold_operator.anomaly import joint
from tenfold_operator.anomaly.series import SeriesDetector
from tenfold_operator.anomaly.types import Band, Reading, is_usable
from tenfold_operator.anomaly.verdict import Judge, Persistence

_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a detector is set."""

    names: tuple[str, ...]
    """What each series is called, in the order of a row's values."""
    season_rows: int
    sensitivity: float
    """1 is normal; twice as much halves what a score of 1 takes."""
    persistence: Persistence
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is said of the newest row."""

    score: float
    band: Band
    """Where the first series was expected."""
    is_warm: bool
    rows: int
    """Rows measured so far."""
    needed: int
    """Rows needed before a score counts."""
    is_anomalous: bool
    """Whether enough of the last rows are; False during the warm-up."""
    count: int
    """How many of the last rows are anomalous."""
    reasons: tuple[str, ...]


class Detector:
    """Scores rows online. Made by `train`; the same rows give the same answers."""

    def __init__(self, settings: Settings, model: joint.JointModel | None) -> None:
        self._settings = settings
        self._first = SeriesDetector(settings.season_rows, settings.sensitivity)
        self._joint = joint.JointDetector(model) if model else None
        self._judge = Judge(settings.persistence)
        self._rows = 0

    def replay(self, rows: NDArray[np.float64]) -> Judged:
        """Take many rows, shape (n, d), n at least 1, and judge the newest."""
        scores = self._joint.replay(rows) if self._joint else np.zeros(len(rows))
        for row, score in zip(rows.tolist(), scores.tolist(), strict=True):
            judged = self._judged(row, score)
        return judged

    def update(self, row: tuple[float, ...]) -> Judged:
        """Take the next row and judge it; one with a value that is no measurement is a gap.

        A gap holds the last score and verdict, and moves the season on.
        """
        return self.replay(np.array([row], dtype=np.float64))

    def _judged(self, row: list[float], joint_score: float) -> Judged:
        first = self._first.update(row[0])
        is_single = len(self._settings.names) == 1
        needed = self._first.warm_rows if is_single else joint.FEWEST_ROWS
        is_gap = not all(map(is_usable, row))
        self._rows += not is_gap
        is_warm = self._rows >= needed and (is_single or self._joint is not None)
        score = first.score if is_single else joint_score
        if is_warm and not is_gap:
            self._judge.update(score)
        return Judged(
            score=score,
            band=first.band,
            is_warm=is_warm,
            rows=self._rows,
            needed=needed,
            is_anomalous=self._judge.is_anomalous,
            count=self._judge.count,
            reasons=self._reasons(first, score),
        )

    def _reasons(self, first: Reading, score: float) -> tuple[str, ...]:
        if score <= 1.0:
            return ()
        if self._joint is None:
            return first.reasons
        shares = self._joint.shares
        order = np.argsort(-shares, kind="stable")[:_NAMED]
        return tuple(
            f"{self._settings.names[index]}: {shares[index]:.0%} of what is unusual"
            for index in order
            if shares[index] > 0.0
        )


def train(settings: Settings, rows: NDArray[np.float64]) -> tuple[Detector, Judged]:
    """Learn from rows of shape (n, d), oldest first, gaps as NaN; return what they end in.

    With too few rows the detector is not warm. Takes seconds for 10,000 rows.
    """
    model = None
    if len(settings.names) > 1 and _complete(rows) >= joint.FEWEST_ROWS:
        model = joint.fit(rows, settings.sensitivity, settings.seed)
    detector = Detector(settings, model)
    gap = np.full((1, len(settings.names)), math.nan)
    return detector, detector.replay(rows if len(rows) else gap)


def _complete(rows: NDArray[np.float64]) -> int:
    return sum(all(map(is_usable, row)) for row in rows.tolist())
