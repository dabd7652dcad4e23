"""Fitting: checked values in, an ensemble out. Seconds of one core, in a process of its own.

scikit-learn and statsmodels are imported here and nowhere else: what answers needs only arrays.
"""

from __future__ import annotations

import warnings
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from statsmodels.tsa.arima.model import ARIMA

from tenfold_operator.forecast import behavioural, calibration, features, skill, statistical
from tenfold_operator.forecast.calibration import Spread
from tenfold_operator.forecast.days import Days
from tenfold_operator.forecast.drift import Monitor, edges
from tenfold_operator.forecast.ensemble import Ensemble
from tenfold_operator.forecast.forest import Forest
from tenfold_operator.forecast.history import History
from tenfold_operator.forecast.members import (
    HORIZONS,
    KNOTS,
    NEAR_STEPS,
    Learned,
    Members,
    blend,
    bounded,
    mixing,
)
from tenfold_operator.forecast.network import Network
from tenfold_operator.forecast.reasons import Track
from tenfold_operator.forecast.statistical import Statistical
from tenfold_operator.forecast.types import FAMILIES, LEVELS, NO_CALENDAR, Calendar, Floats

MOST_STEPS = 60_000
"""A fit looks at no more than the last so many steps."""

LEAST_STEPS = 300
"""With fewer known steps only the statistical family speaks."""

_ROWS = 90_000
_BURN_IN = 12
_CALIBRATION_SHARE = 0.15
_CALIBRATION_STEPS = 4_000
_STATISTICAL_STEPS = 3_000
_ORDERS = ((0, 1, 1), (1, 1, 2), (2, 0, 1))
_COLD_RATE = 0.4

Positions = NDArray[np.int64]


def fit(
    values: Floats,
    step_seconds: float,
    start: datetime,
    calendar: Calendar = NO_CALENDAR,
    seed: int = 0,
) -> Ensemble:
    """Fit an ensemble to a series.

    Args:
        values: Shape (n,), NaN where there is none. Fewer than LEAST_STEPS known ones, or none at
            all, give an ensemble that says so and whose band is wide.
        step_seconds: Distance of two values, > 0.
        start: Moment of the first value, with its time zone.
        calendar: Time zone and campaigns.
        seed: Of the rows that are drawn and the network's first weights.

    Raises:
        ValueError: Values of another shape, a start without time zone, no such time zone.
    """
    if values.ndim != 1:
        raise ValueError(f"values of shape {values.shape}: give one dimension")
    skipped = max(0, len(values) - MOST_STEPS)
    days = Days(start, step_seconds, calendar).after(skipped)
    values = values[skipped:]
    positive = values[np.isfinite(values) & (values > 0)]
    scale = float(positive.mean()) if positive.size else 1.0
    history = History(days, scale, capacity=len(values))
    for value in values:
        history.append(value)
    first = history.last + 1 - len(values)
    known = int(history.known.sum())
    if known < LEAST_STEPS:
        return _cold(history, first, known)
    window = _Window(history, first, seed)
    split = history.last - int(_CALIBRATION_SHARE * len(values))
    members = window.fitted(until=split)
    track = window.judged(members, since=split)
    state = window.states(members)[-1]
    monitor = Monitor(edges(window.residuals[first:]), history.day)
    history.trim()
    return Ensemble(history, members, state, track, monitor)


def _cold(history: History, first: int, known: int) -> Ensemble:
    """Return an ensemble of the last level only: nothing could be learned yet."""
    members = Members(statistical.smoothing(_COLD_RATE, HORIZONS), None)
    state = members.statistical.begin(0.0)
    begun = False
    for at in range(first, history.last + 1):
        residual = members.residual(history, at)
        if not begun and np.isfinite(residual):
            state, begun = members.statistical.begin(residual), True
        state = members.statistical.step(state, residual)
    errors = np.full((len(FAMILIES), len(KNOTS)), np.nan)
    errors[1] = history.scale
    typical = np.full(len(KNOTS), history.scale)
    track = Track(
        errors=errors,
        ensemble=typical,
        last_value=typical,
        held=np.full(len(KNOTS), 0.9),
        quantiles=calibration.first_quantiles(len(KNOTS)),
        spread=calibration.first_spread(history.scale, len(KNOTS)),
        load=history.scale if known else 0.0,
        known_steps=known,
    )
    monitor = Monitor(edges(history.log[first : history.last + 1]), history.day)
    history.trim()
    return Ensemble(history, members, state, track, monitor)


class _Window:
    """A training window: the rows that can be drawn from it, and fits on its parts."""

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
        habit = behavioural.fit(ahead, shares, target, weight)
        both = np.concatenate((now, ahead), axis=1)
        near = steps <= NEAR_STEPS
        close, farther = (
            fit_forest(both[part], target[part], weight[part], self.seed) for part in (near, ~near)
        )
        network = fit_network(both, target, weight, self.seed)
        tail = self.residuals[max(self.first, until + 1 - _STATISTICAL_STEPS) : until + 1]
        return Members(
            fit_statistical(tail, seasonal=self.seasonal), Learned(network, close, farther, habit)
        )

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

    def judged(self, members: Members, since: int) -> Track:
        """Judge members on the steps after position `since`, which they have not seen."""
        history = self.history
        origins = np.arange(max(since, history.last - _CALIBRATION_STEPS), history.last)
        answers, actual = self._answers(members, origins)
        level = history.level[origins][:, None]
        natural = np.maximum(0.0, np.exp(level + answers) - history.offset)
        errors = np.nanmean(np.abs(actual - natural), axis=1)
        shares = skill.weights(errors)
        mixed = skill.combine(answers.reshape(len(FAMILIES), -1), np.tile(shares, len(origins)))
        centre = np.maximum(0.0, np.exp(level + mixed.reshape(actual.shape)) - history.offset)
        spread = fit_spread(centre, actual - centre, history.scale)
        scores = (actual - centre) / spread(centre)
        quantiles = np.nanquantile(scores, LEVELS, axis=0)
        last = np.exp(history.log[origins])[:, None] - history.offset
        return Track(
            errors=errors,
            ensemble=np.nanmean(np.abs(actual - centre), axis=0),
            last_value=np.nanmean(np.abs(actual - last), axis=0),
            held=np.full(len(KNOTS), 0.9),
            quantiles=quantiles,
            spread=spread,
            load=float(np.nanmean(actual)),
            known_steps=int(history.known.sum()),
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

    def _answers(self, members: Members, origins: Positions) -> tuple[Floats, Floats]:
        """Return answers, shape (families, m, knots), and actual values, shape (m, knots)."""
        history = self.history
        answers = np.full((len(FAMILIES), origins.size, len(KNOTS)), np.nan)
        actual = np.full(answers.shape[1:], np.nan)
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
                answers[3, there, column] = learned[2]
            season = self.season[target] if space.seasonal else 0.0
            trend = states[there] @ space.reach[steps - 1] + space.centre + season
            answers[1, there, column] = trend - history.level[at]
            value = np.exp(history.log[target]) - history.offset
            actual[there, column] = np.where(history.known[target], value, np.nan)
        return bounded(answers), actual


def fit_forest(inputs: Floats, target: Floats, weight: Floats, seed: int) -> Forest:
    """Fit boosted trees to the least absolute error and return them as arrays."""
    model = HistGradientBoostingRegressor(
        loss="absolute_error",
        learning_rate=0.1,
        max_iter=100,
        max_leaf_nodes=24,
        max_depth=6,
        min_samples_leaf=40,
        early_stopping=True,
        random_state=seed,
    )
    model.fit(inputs, target, sample_weight=weight)
    return flatten(model)


def flatten(model: HistGradientBoostingRegressor) -> Forest:
    """Return a fitted model's trees as arrays; a test holds them to the library's own answers."""
    trees = [predictors[0].nodes for predictors in model._predictors]
    feature: list[Positions] = []
    threshold: list[Floats] = []
    left: list[Positions] = []
    value: list[Floats] = []
    roots: list[int] = []
    for nodes in trees:
        place = _children_adjacent(nodes["left"], nodes["right"], nodes["is_leaf"])
        order = np.argsort(place)
        leaf = nodes["is_leaf"][order].astype(np.bool_)
        root = sum(len(before) for before in feature)
        roots.append(root)
        feature.append(np.where(leaf, 0, nodes["feature_idx"][order]).astype(np.int64))
        threshold.append(np.where(leaf, np.inf, nodes["num_threshold"][order]))
        child = place[np.where(leaf, 0, nodes["left"][order]).astype(np.int64)]
        left.append(root + np.where(leaf, np.arange(len(nodes)), child))
        value.append(np.where(leaf, nodes["value"][order], 0.0))
    return Forest(
        feature=np.concatenate(feature),
        threshold=np.concatenate(threshold),
        left=np.concatenate(left).astype(np.int64),
        value=np.concatenate(value),
        roots=np.array(roots, dtype=np.int64),
        base=float(np.ravel(model._baseline_prediction)[0]),
        depth=max(int(nodes["depth"].max()) for nodes in trees),
    )


def _children_adjacent(
    left: NDArray[np.uint32], right: NDArray[np.uint32], leaf: NDArray[np.uint8]
) -> Positions:
    """Return a new place for each node, such that a right child follows its left one."""
    place = np.zeros(len(left), dtype=np.int64)
    free = 1
    queue = [0]
    for node in queue:
        if leaf[node]:
            continue
        for child in (int(left[node]), int(right[node])):
            place[child] = free
            free += 1
            queue.append(child)
    return place


def fit_network(inputs: Floats, target: Floats, weight: Floats, seed: int) -> Network:
    """Fit a small perceptron to the least squares and return it as arrays."""
    scale = inputs.std(axis=0)
    network = Network(inputs.mean(axis=0), np.where(scale > 1e-9, scale, 1.0), (), ())
    model = MLPRegressor(
        hidden_layer_sizes=(48, 24),
        alpha=1e-3,
        batch_size=min(256, len(inputs)),
        learning_rate_init=2e-3,
        max_iter=8,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # It stops after a bounded number of passes on purpose.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(network.standard(inputs), np.clip(target, -3.0, 3.0), sample_weight=weight)
    return Network(network.mean, network.scale, tuple(model.coefs_), tuple(model.intercepts_))


def fit_statistical(residuals: Floats, *, seasonal: bool) -> Statistical:
    """Fit the orders of ETS and ARIMA that matter and return the best by AIC.

    Args:
        residuals: Logarithms less the season, shape (n,), NaN where there is a gap.
        seasonal: Whether a season was taken off.
    """
    centre = float(np.nanmean(residuals)) if np.isfinite(residuals).any() else 0.0
    if not np.nanstd(residuals) > 1e-6:
        return statistical.smoothing(_COLD_RATE, HORIZONS, seasonal=seasonal)
    fits = []
    with warnings.catch_warnings():
        # A fit that did not converge is judged by its AIC like any other.
        warnings.simplefilter("ignore")
        for order in _ORDERS:
            model = ARIMA(residuals - centre, order=order, trend="n", concentrate_scale=True)
            try:
                fits.append((order, model.fit(method_kwargs={"maxiter": 20})))
            except np.linalg.LinAlgError:
                continue
    fits = [(order, result) for order, result in fits if np.isfinite(result.aic)]
    if not fits:
        return statistical.smoothing(_COLD_RATE, HORIZONS, seasonal=seasonal)
    order, best = min(fits, key=lambda fitted: fitted[1].aic)
    filtered = best.filter_results
    return statistical.space(
        np.ascontiguousarray(filtered.transition[:, :, -1]),
        np.ascontiguousarray(filtered.design[0, :, -1]),
        np.ascontiguousarray(filtered.kalman_gain[:, 0, -1]),
        horizons=HORIZONS,
        centre=centre,
        seasonal=seasonal,
        order=order,
    )


def fit_spread(value: Floats, error: Floats, scale: float) -> Spread:
    """Fit to values and their errors, shape (m, knots) each, NaN where there is none."""
    columns = []
    for knot in range(value.shape[1]):
        there = np.isfinite(error[:, knot]) & np.isfinite(value[:, knot])
        seen = value[there, knot]
        inputs = np.column_stack((np.sqrt(seen * scale), seen))
        (root, share), _ = nnls(inputs, np.abs(error[there, knot]))
        columns.append((root * np.sqrt(scale), share))
    root, share = np.array(columns).T
    return Spread(root, share, np.full(root.shape, 0.02 * scale))
