"""Several series at once: a row is anomalous when the series do not go together as they used to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tenfold_operator.anomaly.forest import Forest, grow
from tenfold_operator.anomaly.types import is_usable
from tenfold_operator.anomaly.window import Window

Rows = NDArray[np.float64]

_USUAL_ROWS = 2000
_FEWEST_USUAL = 200
_USUAL_MARGIN = 1.5
"""Where life has changed for good, a score of 1 is so many times the median of the last rows."""

FEWEST_ROWS = 200
_CLIP = 10.0
"""Standard deviations beyond which further does not count as more."""
_SMALLEST_SHARE = 0.01
"""Least standard deviation, in shares of a series' range: rare spikes are not noise."""
_VARIANCE = 0.98
_RIDGE = 0.05
_NEIGHBOURS = 5
_REFERENCES = 2000
_RESIDUAL_FLOOR = 0.02
_SMOOTH = 10
"""Rows over which the score is averaged: what lasts counts."""
_TINY = 1e-3
_HELD_OUT = 0.2
_CALM_QUANTILE = 0.995
_MARGIN = 1.2
"""A score of 1 is so many times what 99.5% of held-out training rows stay below."""


@dataclass(frozen=True)
class JointModel:
    """What is normal among d series; plain arrays, fitted once and never changed."""

    center: Rows
    scale: Rows
    components: Rows
    """Shape (k, d): the directions that hold 98% of the variance."""
    residual_scale: Rows
    precision: Rows
    """Shape (2d, 2d): inverse covariance of a row together with the one before it."""
    references: Rows
    """Shape (r, d): rows of the training."""
    forest: Forest
    """Grown on the residuals of the components."""
    typical: Rows
    """What 99% of the training stays below, for each of the four views."""
    threshold: float

    def raw(self, rows: Rows, before: Rows) -> Rows:
        """Return how unusual rows are, given those before them: the views' geometric mean.

        Both have shape (n, d) and no NaN; the result has shape (n,).
        """
        ratios = self.views(self.scaled(rows), self.scaled(before)) / self.typical
        mean: Rows = np.exp(np.log(ratios + _TINY).mean(axis=1))
        return mean

    def scaled(self, rows: Rows) -> Rows:
        """Return rows in standard deviations from the training's mean, clipped."""
        scaled: Rows = np.clip((rows - self.center) / self.scale, -_CLIP, _CLIP)
        return scaled

    def views(self, now: Rows, before: Rows) -> Rows:
        """Return the four deviations of scaled rows, shape (n, 4)."""
        residual = self.residuals(now)
        capped = np.minimum(np.abs(residual) / self.residual_scale, _CLIP)
        both = np.hstack([now, before])
        return np.column_stack(
            [
                np.sqrt((capped**2).mean(axis=1)),
                np.sqrt(np.maximum(((both @ self.precision) * both).sum(axis=1), 0.0)),
                _nearest(now, self.references),
                self.forest.scores(residual),
            ]
        )

    def residuals(self, scaled: Rows) -> Rows:
        """Return what the components do not explain of scaled rows."""
        explained: Rows = (scaled @ self.components.T) @ self.components
        return scaled - explained

    def shares(self, row: Rows) -> Rows:
        """Return each series' share of what is not explained of one row, shape (d,), sum 1 or 0."""
        capped = np.minimum(np.abs(self.residuals(self.scaled(row[None, :]))[0]), _CLIP)
        squares: Rows = (capped / self.residual_scale) ** 2
        total = float(squares.sum())
        return squares / total if total > 0.0 else squares


def fit(rows: Rows, sensitivity: float = 1.0, seed: int = 0) -> JointModel:
    """Learn what is normal from rows of shape (n, d), oldest first; incomplete rows are left out.

    Raises ValueError when fewer than FEWEST_ROWS are complete, d < 2 or the sensitivity is not
    positive.
    """
    if rows.ndim != 2 or rows.shape[1] < 2:
        raise ValueError(f"rows of several series are needed, not the shape {rows.shape}")
    if not sensitivity > 0.0:
        raise ValueError(f"the sensitivity is above 0, not {sensitivity}")
    complete = rows[np.array([all(map(is_usable, row)) for row in rows.tolist()], dtype=bool)]
    if len(complete) < FEWEST_ROWS:
        raise ValueError(f"{len(complete)} complete rows are too few: {FEWEST_ROWS} are needed")
    held = int(len(complete) * _HELD_OUT)
    trial = _learn(complete[:-held], seed)
    calm = smoothed(trial.raw(complete[-held:], complete[-held - 1 : -1]))
    threshold = _MARGIN * float(np.quantile(calm, _CALM_QUANTILE)) / sensitivity
    return replace(_learn(complete, seed), threshold=max(threshold, _TINY))


def _learn(rows: Rows, seed: int) -> JointModel:
    center, spread = rows.mean(axis=0), np.ptp(rows, axis=0)
    scale = np.maximum(rows.std(axis=0), _SMALLEST_SHARE * spread)
    # A series that never moved: a hundredth of what it is counts as a move.
    scale = np.where(scale > 0.0, scale, np.maximum(np.abs(center) * _SMALLEST_SHARE, 1e-9))
    now = np.clip((rows - center) / scale, -_CLIP, _CLIP)
    values, vectors = np.linalg.eigh(np.cov(now.T))
    share = np.cumsum(values[::-1]) / max(float(values.sum()), 1e-12)
    # One direction at least is left out: with all of them nothing would be unexplained.
    kept = min(int(np.searchsorted(share, _VARIANCE)) + 1, rows.shape[1] - 1)
    components = vectors[:, ::-1][:, :kept].T
    residual = now - (now @ components.T) @ components
    both = np.hstack([now[1:], now[:-1]])
    covariance = np.cov(both.T) + _RIDGE * np.eye(both.shape[1])
    model = JointModel(
        center=center,
        scale=scale,
        components=components,
        residual_scale=np.maximum(np.quantile(np.abs(residual), 0.99, axis=0), _RESIDUAL_FLOOR),
        precision=np.asarray(np.linalg.inv(covariance), dtype=np.float64),
        references=now[:: max(1, -(-len(now) // _REFERENCES))],
        forest=grow(residual, seed),
        typical=np.ones(4),
        threshold=1.0,
    )
    step = max(2, len(now) // _REFERENCES)
    # Rows between the references: a row is not its own neighbour.
    apart = np.arange(1, len(now), step)
    views = model.views(now[apart], now[apart - 1])
    return replace(model, typical=np.maximum(np.quantile(views, 0.99, axis=0), _TINY))


def _nearest(rows: Rows, references: Rows) -> Rows:
    """Return the mean distance to the five nearest references, shape (n,)."""
    count = min(_NEIGHBOURS, len(references))
    found = np.empty(len(rows))
    lengths = (references**2).sum(axis=1)
    for start in range(0, len(rows), 1000):  # bounds the memory
        part = rows[start : start + 1000]
        squares = (part**2).sum(axis=1)[:, None] + lengths[None, :] - 2.0 * part @ references.T
        nearest = np.partition(squares, count - 1, axis=1)[:, :count]
        found[start : start + 1000] = np.sqrt(np.maximum(nearest, 0.0)).mean(axis=1)
    return found


def smoothed(raw: Rows) -> Rows:
    """Return the mean of each value and up to nine before it, shape (n,)."""
    total = np.concatenate([[0.0], np.cumsum(raw)])
    ends = np.arange(1, len(raw) + 1)
    starts = np.maximum(ends - _SMOOTH, 0)
    mean: Rows = (total[ends] - total[starts]) / (ends - starts)
    return np.maximum(mean, 0.0)


def score_rows(model: JointModel, rows: Rows) -> Rows:
    """Return the scores of rows in one go, shape (n,): as JointDetector's row by row."""
    return JointDetector(model).replay(rows)


class _Scorer:
    """Averages, and compares with the threshold and with what has become usual."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._recent: deque[float] = deque(maxlen=_SMOOTH)
        self._usual = Window(_USUAL_ROWS)

    def score(self, raw: float) -> float:
        self._recent.append(raw)
        mean = sum(self._recent) / len(self._recent)
        is_known = len(self._usual.sorted) >= _FEWEST_USUAL
        usual = (self._usual.median() or 0.0) if is_known else 0.0
        self._usual.add(mean)
        return mean / max(self._threshold, _USUAL_MARGIN * usual)


class JointDetector:
    """Scores rows of several series online."""

    def __init__(self, model: JointModel) -> None:
        self._model = model
        self._scorer = _Scorer(model.threshold)
        self._before: Rows | None = None
        self._score = 0.0
        self._shares: Rows = np.zeros(len(model.center))

    @property
    def shares(self) -> Rows:
        """Each series' share of what was unusual in the last row, shape (d,)."""
        return self._shares

    def replay(self, rows: Rows) -> Rows:
        """Take many rows, shape (n, d), and return their scores, shape (n,), as `update` would."""
        usable = np.array([all(map(is_usable, row)) for row in rows.tolist()], dtype=bool)
        complete = rows[usable]
        if not len(complete):
            return np.full(len(rows), self._score)
        first = complete[0] if self._before is None else self._before
        raw = iter(self._model.raw(complete, np.vstack([first, complete[:-1]])).tolist())
        scores = np.empty(len(rows))
        for index, is_complete in enumerate(usable):
            if is_complete:
                self._score = self._scorer.score(next(raw))
            scores[index] = self._score
        self._before = complete[-1]
        self._shares = self._model.shares(complete[-1])
        return scores

    def update(self, row: Rows) -> float:
        """Take the next row, shape (d,), and return its score; above 1 it is anomalous.

        A row with a value that is no measurement is a gap: it holds the last score.
        """
        return float(self.replay(row[None, :])[0])
