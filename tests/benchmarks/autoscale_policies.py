"""The policies: pods asked for at each tick, from what was seen before the tick.

Every policy sees at a tick the demand of the tick before (a rate over 15 s, one scrape late). The
columns of the answers are the settings that are swept. Tenfold's is the operator's own planner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from tenfold_operator.model.generated import (
    WorkloadScaling,
    WorkloadScalingCapacity,
    WorkloadScalingForecast,
)
from tenfold_operator.plan.scaling import capacity, memory, startup
from tenfold_operator.plan.scaling.decide import Observed, decide
from tenfold_operator.plan.scaling.load import Load, Signals, judge
from tenfold_operator.plan.scaling.outlook import Outlook, look_ahead

from tests.benchmarks.autoscale_forecasts import Forecasts
from tests.benchmarks.autoscale_score import Counts, ticks_of
from tests.benchmarks.autoscale_traces import TICK_SECONDS, Floats, Trace

TARGETS = tuple(round(0.40 + 0.05 * index, 2) for index in range(13))
SWEEP = (
    (0.40, "0.99999"),
    (0.45, "0.9995"),
    (0.50, "0.998"),
    (0.60, "0.995"),
    (0.70, "0.99"),
    (0.80, "0.98"),
    (0.90, "0.96"),
    (0.95, "0.9"),
    (1.00, "0.7"),
)
"""Tenfold's sweep: the quantile, and the target that counts where no forecast does."""

_TOLERANCE = 0.1
_STABILISATION_TICKS = 300 // TICK_SECONDS
_KEDA_RATE_TICKS = 120 // TICK_SECONDS
_KEDA_POLLING_TICKS = 30 // TICK_SECONDS
_ROUNDING = 1e-9
_MOST = 1000


def seen(trace: Trace) -> Floats:
    """Return what is known at each tick: the demand of the one before, in pods."""
    return np.concatenate((trace.pods(trace.split - 1, trace.split)[-1:], trace.demand[:-1]))


def hpa(trace: Trace) -> Counts:
    """Kubernetes' HorizontalPodAutoscaler on an average value, with its default behaviour."""
    return _follow(seen(trace)[:, None] / TARGETS)


def keda(trace: Trace) -> Counts:
    """KEDA with sum(rate(requests[2m])) polled every 30 s: an HPA behind an older average."""
    load = seen(trace)
    padded = np.concatenate((np.full(_KEDA_RATE_TICKS - 1, load[0]), load))
    rate = sliding_window_view(padded, _KEDA_RATE_TICKS).mean(axis=1)
    polled = rate[np.arange(len(rate)) // _KEDA_POLLING_TICKS * _KEDA_POLLING_TICKS]
    return _follow(polled[:, None] / TARGETS)


def seasonal_naive(trace: Trace, start_seconds: float) -> Counts:
    """The larger of the HPA and of the last day's demand up to the horizon, at the same target."""
    day = 86400 // trace.step_seconds
    first = trace.split - day
    if first < 0:
        raise SystemExit(f"{trace.name} has less than a day before the judged part")
    ahead = _ahead_ticks(start_seconds)
    yesterday = trace.pods(first, trace.end)[: len(trace.demand) + ahead]
    expected = sliding_window_view(yesterday, ahead + 1).max(axis=1)[: len(trace.demand)]
    load = np.maximum(seen(trace), expected)
    return _follow(load[:, None] / TARGETS)


def oracle(trace: Trace, start_seconds: float, *, window: bool = True) -> Counts:
    """Who knows the demand up to the pod start, and takes pods away as the HPA does or at once."""
    ahead = _ahead_ticks(start_seconds)
    padded = np.concatenate((trace.demand, np.full(ahead, trace.demand[-1])))
    known = sliding_window_view(padded, ahead + 1).max(axis=1)
    if window:
        before = np.concatenate((np.zeros(_STABILISATION_TICKS), known))
        known = sliding_window_view(before, _STABILISATION_TICKS + 1).max(axis=1)
    return _rounded(known[:, None] / TARGETS)


def tenfold(trace: Trace, forecasts: Forecasts, start_seconds: float) -> Counts:
    """The operator's planner on the operator's forecasts."""
    loads = _judged(trace, forecasts)
    columns = [
        _plan(trace, loads, forecasts, start_seconds, target, quantile)
        for target, quantile in SWEEP
    ]
    return np.stack(columns, axis=1)


def _ahead_ticks(start_seconds: float) -> int:
    """Ticks from a decision to the last that it has to serve: the next decision serves later."""
    return ticks_of(start_seconds)


def _rounded(pods: Floats) -> Counts:
    whole: Counts = np.clip(np.ceil(pods - _ROUNDING), 1, _MOST).astype(np.int64)
    return whole


def _follow(wanted: Floats) -> Counts:
    """Run the HPA's rules over pods wanted (not rounded), shape (ticks, settings).

    ceil(load / (capacity * target)); no change within the tolerance; up by at most 100% or 4 pods
    a sync; down to the highest recommendation of the window (kubernetes/pkg/controller/
    podautoscaler: external metric of type AverageValue, default behaviour).
    """
    ticks, settings = wanted.shape
    rounded = _rounded(wanted)
    pods = np.empty((ticks, settings), dtype=np.int64)
    recommended = np.zeros((_STABILISATION_TICKS + 1, settings), dtype=np.int64)
    current = rounded[0]
    for tick in range(ticks):
        near = np.abs(wanted[tick] / current - 1.0) <= _TOLERANCE
        asked = np.where(near, current, rounded[tick])
        recommended[tick % len(recommended)] = asked
        lowest = np.minimum(current, recommended.max(axis=0))
        highest = np.maximum(2 * current, current + 4)
        current = np.where(asked > current, np.minimum(asked, highest), lowest)
        pods[tick] = current
    return pods


def _judged(trace: Trace, forecasts: Forecasts) -> list[Load]:
    """The operator's own judgement of the load at each tick, in pods for a capacity of 1."""
    known = seen(trace)
    hour = 3600 // TICK_SECONDS
    history = trace.pods(max(0, trace.split - 3600 // trace.step_seconds - 1), trace.split)
    # The last tick of the history is the first of those that are seen.
    before = history[-hour - 1 : -1].tolist()
    values = [*before, *known.tolist()]
    signals = Signals(targets_up=1.0, errors=0.0, pods_failing=0, pods=1)
    begin = forecasts.origin(0).timestamp()
    loads = []
    for tick in range(len(known)):
        # A sample's moment is within the tick that it measures.
        now = begin + tick * TICK_SECONDS
        times = [now - TICK_SECONDS / 2 - TICK_SECONDS * back for back in range(hour, -1, -1)]
        samples = values[max(0, tick + len(before) - hour) : tick + len(before) + 1]
        loads.append(judge(times[-len(samples) :], samples, signals, now, trace.step_seconds))
    return loads


def _plan(
    trace: Trace,
    loads: Sequence[Load],
    forecasts: Forecasts,
    start_seconds: float,
    target: float,
    quantile: str,
) -> Counts:
    spec = WorkloadScaling(
        min_replicas=1,
        max_replicas=_MOST,
        target_utilization_percent=round(100 * target),
        start_seconds=round(start_seconds),
        forecast=WorkloadScalingForecast(quantile=quantile),
        capacity=WorkloadScalingCapacity(requests_per_minute=60),
    )
    pod = capacity.learn((), spec.capacity)
    start = startup.measure((), spec.start_seconds)
    outlook_at = _outlooks(trace, forecasts, float(quantile))
    begin, kept = forecasts.origin(0), memory.EMPTY
    replicas = max(1, round(np.ceil(trace.demand[0] / target)))
    pods = np.empty(len(loads), dtype=np.int64)
    for tick, load in enumerate(loads):
        # A step is forecast from when its first tick was seen on.
        step = (tick - 1) // trace.ticks_per_step + 1
        observed = Observed(
            replicas=replicas, load=load, capacity=pod, start=start, outlook=outlook_at(step)
        )
        decision = decide(observed, spec, kept, begin + timedelta(seconds=tick * TICK_SECONDS))
        replicas, kept = decision.replicas, decision.memory
        pods[tick] = replicas
    return pods


def _outlooks(trace: Trace, forecasts: Forecasts, quantile: float) -> Callable[[int], Outlook]:
    @lru_cache(maxsize=1)
    def outlook(step: int) -> Outlook:
        origin = forecasts.origin(step)
        return look_ahead(forecasts.forecast(step), origin, quantile, trace.capacity)

    return outlook
