"""What forecasts are compared with: the last value, the last season, ETS, ARIMA, boosted lags.

All are fitted once on the training part and then see every value up to their origin. Each returns
an array of the series' length whose element t + h is the forecast made at t, NaN before the split.
"""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.statespace.exponential_smoothing import ExponentialSmoothing
from statsmodels.tsa.statespace.mlemodel import MLEResults

from tests.benchmarks.traces import Trace

Floats = NDArray[np.float64]
Baseline = Callable[[Trace, int, tuple[int, ...]], dict[int, Floats]]

_DAY, _WEEK = 86_400.0, 604_800.0
_FITTED_STEPS = 3_000
_LAGS = 12
_WINDOWS = (30, 60, 180)


def filled(values: Floats) -> Floats:
    """Return values with each gap at the last one known before it."""
    known = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), 0))
    return np.nan_to_num(values[known], nan=0.0)


def _lagged(values: Floats, lag: int, split: int) -> Floats:
    forecast = np.full(len(values), np.nan)
    forecast[split:] = filled(values)[split - lag : len(values) - lag]
    return forecast


def naive(trace: Trace, split: int, horizons: tuple[int, ...]) -> dict[int, Floats]:
    """Repeat the last value."""
    return {h: _lagged(trace.values, h, split) for h in horizons}


def seasonal_naive(trace: Trace, split: int, horizons: tuple[int, ...]) -> dict[int, Floats]:
    """Repeat the value of a day or a week ago, whichever was better in the training part."""
    values = trace.values

    def error(lag: int) -> float:
        return float(np.nanmean(np.abs(values[lag:split] - values[: split - lag])))

    lags = [round(season / trace.step_seconds) for season in (_DAY, _WEEK)]
    best = min((lag for lag in lags if 2 * lag < split), key=error, default=lags[0])
    return {h: _lagged(values, best, split) for h in horizons}


def _filtered(
    result: MLEResults, values: Floats, split: int, horizons: tuple[int, ...]
) -> dict[int, Floats]:
    """Run a fitted state space over the series and look ahead from each step."""
    output = result.apply(values).filter_results
    transition, design = output.transition[:, :, -1], output.design[0, :, -1]
    level = output.obs_intercept[0, -1]
    shift = output.state_intercept[:, -1]
    state = output.predicted_state.T
    forecasts = {}
    for step in range(1, max(horizons) + 1):
        # Row t of the predicted state is what steps before t say of t.
        if step in horizons:
            forecast = np.full(len(values), np.nan)
            forecast[split:] = (state @ design + level)[split - step + 1 : len(values) - step + 1]
            forecasts[step] = np.maximum(0.0, forecast)
        state = state @ transition.T + shift
    return forecasts


def _best(models: list[Callable[[], MLEResults]]) -> MLEResults:
    results = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for model in models:
            try:
                results.append(model())
            except np.linalg.LinAlgError:
                continue
    return min(results, key=lambda result: float(np.nan_to_num(result.aicc, nan=np.inf)))


def ets(trace: Trace, split: int, horizons: tuple[int, ...]) -> dict[int, Floats]:
    """ETS with and without a trend, damped or not, by AICc, on the last of the training part."""
    tail = trace.values[max(0, split - _FITTED_STEPS) : split]
    kinds = ((False, False), (True, False), (True, True))

    def fitted(trend: bool, damped: bool) -> MLEResults:
        return ExponentialSmoothing(tail, trend=trend, damped_trend=damped).fit(disp=False)

    best = _best([functools.partial(fitted, *kind) for kind in kinds])
    return _filtered(best, trace.values, split, horizons)


def arima(trace: Trace, split: int, horizons: tuple[int, ...]) -> dict[int, Floats]:
    """ARIMA up to (2, 1, 2) by AICc, on the last of the training part."""
    tail = trace.values[max(0, split - _FITTED_STEPS) : split]

    def fitted(order: tuple[int, int, int]) -> MLEResults:
        model = ARIMA(tail, order=order, trend="n" if order[1] else "c")
        return model.fit(method_kwargs={"maxiter": 30})

    orders = itertools.product((0, 1, 2), (0, 1), (0, 1, 2))
    best = _best([functools.partial(fitted, order) for order in orders])
    return _filtered(best, trace.values, split, horizons)


def boosted_lags(trace: Trace, split: int, horizons: tuple[int, ...]) -> dict[int, Floats]:
    """Gradient boosting on lags, level and calendar: direct for each horizon, log-ratio target."""
    values = filled(trace.values)
    log = np.log1p(values)
    means = {w: _trailing(values, w) for w in (10, *_WINDOWS)}
    level = np.log1p(means[10])
    forecasts = {}
    for h in horizons:
        origins = np.arange(_WINDOWS[-1], len(values) - h)
        target = origins + h
        seasons = [round(season / trace.step_seconds) for season in (_DAY, _WEEK)]
        columns = [log[origins - lag] - level[origins] for lag in range(_LAGS)]
        columns += [np.log1p(means[w][origins]) - level[origins] for w in _WINDOWS]
        columns += [_at(log, target - season) - level[origins] for season in seasons]
        seconds = trace.start.timestamp() + target * trace.step_seconds
        columns += [level[origins], seconds % _DAY, seconds % 3600, seconds // _DAY % 7]
        inputs = np.column_stack(columns)
        wanted = log[target] - level[origins]
        fitted = target < split
        model = HistGradientBoostingRegressor(random_state=0)
        model.fit(inputs[fitted], wanted[fitted])
        forecast = np.full(len(values), np.nan)
        asked = target >= split
        ratio = model.predict(inputs[asked])
        forecast[target[asked]] = np.maximum(0.0, np.expm1(ratio + level[origins[asked]]))
        forecasts[h] = forecast
    return forecasts


def _trailing(values: Floats, width: int) -> Floats:
    sums = np.cumsum(np.concatenate((np.zeros(width), values)))
    means: Floats = (sums[width:] - sums[:-width]) / width
    return means


def _at(values: Floats, places: NDArray[np.int64]) -> Floats:
    return np.where(places >= 0, values[np.maximum(places, 0)], np.nan)


BASELINES: Mapping[str, Baseline] = {
    "naive": naive,
    "seasonal_naive": seasonal_naive,
    "ets": ets,
    "arima": arima,
    "boosted_lags": boosted_lags,
}
