"""What the libraries fit, as plain arrays: scikit-learn and statsmodels are imported here alone."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from statsmodels.tsa.arima.model import ARIMA

from tenfold_operator.forecast import statistical
from tenfold_operator.forecast.calibration import Spread
from tenfold_operator.forecast.forest import Forest, mean_of
from tenfold_operator.forecast.members import HORIZONS
from tenfold_operator.forecast.network import Network
from tenfold_operator.forecast.statistical import Statistical
from tenfold_operator.forecast.types import Floats, Positions

COLD_RATE = 0.4
"""Smoothing where nothing could be fitted."""

_FORESTS = 2
_FEATURES_SHARE = 0.3
_ORDERS = ((0, 1, 1), (1, 1, 2), (2, 0, 1))


def fit_forest(inputs: Floats, target: Floats, weight: Floats, seed: int) -> Forest:
    """Fit boosted trees to the least absolute error and return them as arrays.

    The mean of two, each of whose splits chooses among a third of the features: they err apart.
    """
    forests = []
    for number in range(_FORESTS):
        model = HistGradientBoostingRegressor(
            loss="absolute_error",
            learning_rate=0.1,
            max_iter=100,
            max_leaf_nodes=24,
            max_depth=6,
            min_samples_leaf=40,
            max_features=_FEATURES_SHARE,
            early_stopping=True,
            random_state=seed + number,
        )
        model.fit(inputs, target, sample_weight=weight)
        forests.append(flatten(model))
    return mean_of(forests)


def fit_width(inputs: Floats, ratio: Floats, seed: int) -> Forest:
    """Fit boosted trees to the logarithm of the mean ratio and return them as arrays."""
    model = HistGradientBoostingRegressor(
        loss="poisson",
        learning_rate=0.15,
        max_iter=40,
        max_leaf_nodes=12,
        max_depth=6,
        min_samples_leaf=100,
        early_stopping=False,
        random_state=seed,
    )
    model.fit(inputs, ratio)
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
        return statistical.smoothing(COLD_RATE, HORIZONS, seasonal=seasonal)
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
        return statistical.smoothing(COLD_RATE, HORIZONS, seasonal=seasonal)
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
