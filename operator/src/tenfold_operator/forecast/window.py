"""A training window: the rows drawn from it, the fits on them, and how those are judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenfold_operator.forecast import behavioural, features, skill
from tenfold_operator.forecast.calibration import Spread
from tenfold_operator.forecast.fitting import (
    fit_forest,
    fit_network,
    fit_spread,
    fit_statistical,
    fit_width,
)
from tenfold_operator.forecast.forest import Forest
from tenfold_operator.forecast.history import History
from tenfold_operator.forecast.members import (
    HORIZONS,
    KNOTS,
    NEAR_STEPS,
    WIDEST,
    Learned,
    Members,
    blend,
    bounded,
    mixing,
)
from tenfold_operator.forecast.reasons import Track
from tenfold_operator.forecast.types import FAMILIES, LEVELS, Floats, Positions

_ROWS = 90_000
_BURN_IN = 12
_CALIBRATION_STEPS = 4_000
_STATISTICAL_STEPS = 3_000
# A spike teaches the width no more than so many usual errors; no error has no logarithm.
_LEAST_RATIO, _WORST_RATIO = 1e-3, 8.0

# How far the learned width may be believed: not at all, as it is, or more than it dares to say.
_TRUSTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
_WIDTHS = (np.exp(-WIDEST), np.exp(WIDEST))


@dataclass(frozen=True)
class _Band:
    """A band and how well it fits: the logarithm of its mean pinball loss."""

    spread: Spread
    quantiles: Floats
    loss: float


class Window:
    """A training window: the rows that can be drawn from it, and fits on its parts.

    Args:
        history: All of the window has been appended to it.
        first: Position of the window's first step.
        seed: Of the rows that are drawn and of the fits.
    """

    def __init__(self, history: History, first: int, seed: int) -> None:
        self.history = history
        self.first = first
        self.seed = seed
        n = history.last + 1
        profiles = np.stack((history.of_day[:n], history.of_week[:n]))
        self.season = blend(profiles)
        self.seasonal = bool(np.isfinite(self.season[first:]).sum() > 2 * history.day)
        season = self.season if self.seasonal else 0.0
        self.residuals = np.where(history.known[:n], history.log[:n] - season, np.nan)

    def fitted(self, until: int) -> Members:
        """Fit all families to what is known at position `until`."""
        at, steps = self._drawn(until)
        now, ahead, target = self._rows(at, steps)
        weight = np.clip(np.exp(self.history.level[at]) / self.history.scale, 0.1, 5.0)
        shares = mixing(steps)
        both = np.concatenate((now, ahead), axis=1)
        habit = behavioural.fit(both, shares, target, weight)
        near = steps <= NEAR_STEPS
        close, farther = (
            fit_forest(both[part], target[part], weight[part], self.seed) for part in (near, ~near)
        )
        shared = both[:, : features.SHARED]
        network = fit_network(shared, target, weight, self.seed)
        # Every other row: nearer and farther ones alike, and memory for all would be too much.
        some = np.arange(0, len(both), 2)
        trees = np.empty(len(both))
        for forest, part in ((close, some[near[some]]), (farther, some[~near[some]])):
            trees[part] = forest(both[part])
        answer = 0.5 * (trees[some] + network(shared[some]))
        width = self._width(at[some], both[some], target[some], answer)
        tail = self.residuals[max(self.first, until + 1 - _STATISTICAL_STEPS) : until + 1]
        return Members(
            fit_statistical(tail, seasonal=self.seasonal),
            Learned(network, close, farther, habit, width),
        )

    def _width(self, at: Positions, inputs: Floats, target: Floats, answer: Floats) -> Forest:
        """Fit how far off the answers are, in usual errors at such a value."""
        level, offset = self.history.level[at], self.history.offset
        expected = self.history.natural(level + answer)
        error = np.abs(np.exp(level + target) - offset - expected)
        usual = fit_spread(expected[:, None], error[:, None], self.history.scale)
        ratio = error / usual(expected[:, None])[:, 0]
        return fit_width(inputs, np.clip(ratio, _LEAST_RATIO, _WORST_RATIO), self.seed)

    def states(self, members: Members) -> Floats:
        """Return the statistical family's state after each position, shape (n, k)."""
        space = members.statistical
        states = np.zeros((len(self.residuals), len(space.design)))
        known = np.flatnonzero(np.isfinite(self.residuals))
        state = space.begin(float(self.residuals[known[0]]))
        for at in range(int(known[0]), len(self.residuals)):
            state = space.step(state, float(self.residuals[at]))
            states[at] = state
        return states

    def judged(self, members: Members, since: int) -> tuple[Members, Track]:
        """Judge members on the steps after position `since`, which they have not seen.

        Returns:
            The members, with the width that far believed that the band is the best on these
            steps, and what was seen of them.
        """
        history = self.history
        origins = np.arange(max(since, history.last - _CALIBRATION_STEPS), history.last)
        answers, width, actual = self._answers(members, origins)
        level = history.level[origins][:, None]
        natural = history.natural(level + answers)
        errors = np.nanmean(np.abs(actual - natural), axis=1)
        shares = skill.weights(errors)
        mixed = skill.combine(answers.reshape(len(FAMILIES), -1), np.tile(shares, len(origins)))
        centre = history.natural(level + mixed.reshape(actual.shape))
        bands = {
            trust: self._band(actual, centre, np.clip(width**trust, *_WIDTHS)) for trust in _TRUSTS
        }
        trust = min(bands, key=lambda each: bands[each].loss)
        band = bands[trust]
        last = np.exp(history.log[origins])[:, None] - history.offset
        return members.trusting(trust), Track(
            errors=errors,
            ensemble=np.nanmean(np.abs(actual - centre), axis=0),
            last_value=np.nanmean(np.abs(actual - last), axis=0),
            held=np.full(len(KNOTS), 0.9),
            quantiles=band.quantiles,
            spread=band.spread,
            load=float(np.nanmean(actual)),
            known_steps=int(history.known.sum()),
        )

    def _band(self, actual: Floats, centre: Floats, width: Floats) -> _Band:
        """Fit spread and quantiles to the errors of forecasts, shape (m, knots) each."""
        spread = fit_spread(centre, (actual - centre) / width, self.history.scale)
        usual = spread(centre) * width
        quantiles = np.nanquantile((actual - centre) / usual, LEVELS, axis=0)
        off = actual - (centre + quantiles[:, None, :] * usual)
        levels = np.array(LEVELS)[:, None, None]
        losses = np.nanmean(np.maximum(levels * off, (levels - 1.0) * off), axis=(0, 1))
        # Farther horizons err more: each counts as much as another.
        return _Band(
            spread, quantiles, float(np.log(losses + _LEAST_RATIO * self.history.scale).mean())
        )

    def _drawn(self, until: int) -> tuple[Positions, Positions]:
        """Draw origins and horizons, shape (m,) each, whose targets are known by `until`.

        Each origin has two of the near horizons and one farther on: what the next steps need is
        finer, and differs from one to the next.
        """
        random = np.random.default_rng(self.seed)
        origins = np.arange(self.first + _BURN_IN, until)
        origins = origins[self.history.known[origins]]
        near = random.permuted(np.tile(np.arange(1, NEAR_STEPS + 1), (origins.size, 1)), axis=1)
        far = random.uniform(np.log(NEAR_STEPS + 1), np.log(HORIZONS + 1), origins.size)
        steps = np.column_stack((near[:, :2], np.exp(far).astype(np.int64))).ravel()
        at = np.repeat(origins, 3)
        usable = at + steps <= until
        usable[usable] &= self.history.known[at[usable] + steps[usable]]
        rows = np.flatnonzero(usable)
        if rows.size > _ROWS:
            rows = np.sort(random.choice(rows, _ROWS, replace=False))
        return at[rows], steps[rows]

    def _rows(self, at: Positions, steps: Positions) -> tuple[Floats, Floats, Floats]:
        history, target = self.history, at + steps
        profiles = np.stack((history.of_day[target], history.of_week[target]))
        now = np.nan_to_num(features.now(history, at), nan=0.0)
        ahead = np.nan_to_num(features.ahead(history, at, steps, profiles), nan=0.0)
        return now, ahead, history.log[target] - history.level[at]

    def _answers(self, members: Members, origins: Positions) -> tuple[Floats, Floats, Floats]:
        """Return answers, shape (families, m, knots), widths and actual values, (m, knots)."""
        history = self.history
        answers = np.full((len(FAMILIES), origins.size, len(KNOTS)), np.nan)
        actual = np.full(answers.shape[1:], np.nan)
        width = np.ones(answers.shape[1:])
        states = self.states(members)[origins]
        space = members.statistical
        for column, steps in enumerate(KNOTS):
            there = np.flatnonzero(origins + steps <= history.last)
            at = origins[there]
            target = at + steps
            now, ahead, _ = self._rows(at, np.full(at.shape, steps))
            if members.learned is not None:
                learned = members.learned(now, ahead, mixing(np.full(at.shape, steps)))
                answers[0, there, column], answers[2, there, column] = learned[:2]
                answers[3, there, column], width[there, column] = learned[2:]
            season = self.season[target] if space.seasonal else 0.0
            trend = states[there] @ space.reach[steps - 1] + space.centre + season
            answers[1, there, column] = trend - history.level[at]
            value = np.exp(history.log[target]) - history.offset
            actual[there, column] = np.where(history.known[target], value, np.nan)
        return bounded(answers), width, actual
