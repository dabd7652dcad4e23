"""The four families as one answer: each says log y(t+h) - level(t)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tenfold_operator.forecast import features
from tenfold_operator.forecast.behavioural import Habit
from tenfold_operator.forecast.forest import Forest, Grove
from tenfold_operator.forecast.history import History
from tenfold_operator.forecast.network import Network
from tenfold_operator.forecast.statistical import Statistical
from tenfold_operator.forecast.types import FAMILIES, Floats

KNOTS: tuple[int, ...] = (1, 2, 3, 5, 10, 20, 30)
"""Horizons, in steps, at which skill and calibration are kept; others lie between."""

HORIZONS = KNOTS[-1]
"""The farthest horizon that is fitted; farther ones take its skill and the season of their time."""

NEAR_STEPS = 3
"""The hybrid has trees of their own for horizons up to this."""

WIDEST = 3.0
"""A band is made no wider and no narrower than by this factor of e."""

_NEAR = np.log(NEAR_STEPS + 0.5)
_FARTHEST = 6.0


def _mixing() -> Floats:
    knots = np.arange(len(KNOTS))
    place = np.interp(np.log(np.arange(1, HORIZONS + 1)), np.log(KNOTS), knots)
    shares: Floats = np.maximum(0.0, 1.0 - np.abs(place[:, None] - knots))
    return shares


_MIXING = _mixing()


def mixing(steps: NDArray[np.int64]) -> Floats:
    """Return the shares of the knots in horizons of shape (m,): shape (m, knots), rows sum to 1."""
    shares: Floats = _MIXING[np.minimum(steps, HORIZONS) - 1]
    return shares


@dataclass(frozen=True)
class Learned:
    """The families that are learned from features.

    The hybrid is boosted trees on the decomposed series: level taken off, seasons as differences.
    There are two sets of them, since what tells the next few steps (the last values) tells little
    of farther ones (the season). `width` says how much wider than usual the band has to be.
    """

    network: Network
    near: Forest
    far: Forest
    habit: Habit
    width: Forest

    def __call__(
        self, now: Floats, ahead: Floats, shares: Floats
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Answer neural, hybrid and behavioural, and the width, for rows, shape (m,) each.

        Args:
            now: features.now of each row's origin, shape (m, features).
            ahead: features.ahead, shape (m, features).
            shares: Of the knots in each row's horizon, shape (m, knots).
        """
        known = np.concatenate((now, ahead), axis=1)
        known[np.isnan(known)] = 0.0
        near = ahead[:, features.STEPS] <= _NEAR
        habit = self.habit(known, shares)
        trees, width = self.grove(known, near)
        return (
            self.network(known[:, : features.SHARED]),
            trees,
            habit,
            np.exp(np.clip(width, -WIDEST, WIDEST)),
        )

    @cached_property
    def grove(self) -> Grove:
        """The three sets of trees, to be walked at once."""
        return Grove(self.near, self.far, self.width)


@dataclass(frozen=True)
class Members:
    """All families as they were fitted; learned ones are missing at a cold start."""

    statistical: Statistical
    learned: Learned | None

    def trusting(self, trust: float) -> Members:
        """Return the same with a width to the power of `trust`: 0 is as wide as usual."""
        if self.learned is None:
            return self
        return replace(self, learned=replace(self.learned, width=self.learned.width.scaled(trust)))

    def residual(self, history: History, position: int) -> float:
        """Return what the statistical family sees of a step; NaN where it is a gap."""
        if not history.known[position]:
            return float("nan")
        season = history.profile(position) if self.statistical.seasonal else 0.0
        return float(history.log[position]) - season

    def ahead(
        self, history: History, state: Floats, steps: NDArray[np.int64]
    ) -> tuple[Floats, Floats]:
        """Answer for steps after the last one, shape (m,): shape (families, m), and widths (m,).

        A row is NaN where a family has no answer. The width is that of the band, 1 being usual.
        """
        at = np.full(steps.shape, history.last)
        level = history.level[history.last]
        profiles = features.profiles_at(history, steps)
        space = self.statistical
        trend = space.reach[np.minimum(steps, len(space.reach)) - 1] @ state + space.centre
        if space.seasonal:
            season = blend(profiles)
            if np.isnan(season).any():
                present = history.profile(history.last)
                season = np.where(np.isnan(season), 0.0 if math.isnan(present) else present, season)
            trend = trend + season
        answers = np.full((len(FAMILIES), len(steps)), np.nan)
        answers[1] = trend - level
        width = np.ones(len(steps))
        if self.learned is not None:
            now = np.repeat(features.now(history, at[:1]), len(steps), axis=0)
            answers[0], answers[2], answers[3], width = self.learned(
                now, features.ahead(history, at, steps, profiles), mixing(steps)
            )
        return bounded(answers), width


def blend(profiles: Floats) -> Floats:
    """Return the mean of the profiles of day and week, shape (2, m) to (m,).

    Where nothing is known of the week it is the day's.
    """
    mean: Floats = np.where(np.isnan(profiles[1]), profiles[0], 0.5 * (profiles[0] + profiles[1]))
    return mean


def bounded(answers: Floats) -> Floats:
    """Hold answers within a factor of 400 of the level; infinite ones become NaN: no answer."""
    held: Floats = np.where(np.isfinite(answers), np.clip(answers, -_FARTHEST, _FARTHEST), np.nan)
    return held
