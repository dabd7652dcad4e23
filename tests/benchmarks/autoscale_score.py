"""What a policy's pods cost and what they leave unserved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tests.benchmarks.autoscale_traces import TICK_SECONDS, TICKS_PER_MINUTE, Floats

Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Point:
    """One run of a policy.

    Attributes:
        setting: What was swept: utilisation target, or quantile.
        pod_hours_ratio: Pod-hours over the least that serve the demand.
        violation_ratio: Share of minutes in which the demand passed the ready pods at any tick.
        under_served_ratio: Share of requests beyond the ready pods.
        changes_per_hour: How often the number of pods changed.
    """

    setting: float
    pod_hours_ratio: float
    violation_ratio: float
    under_served_ratio: float
    changes_per_hour: float


def ticks_of(seconds: float) -> int:
    """Return after how many ticks a pod that was asked for is ready."""
    return -(-round(seconds) // TICK_SECONDS)


def ready(pods: Counts, start_ticks: int) -> Counts:
    """Return the ready pods at each tick, out of the pods asked for, shape (ticks,).

    A pod is ready when it has been asked for during the whole start; those that are not ready are
    taken away first, as a ReplicaSet does. Before the first tick the first number holds.
    """
    padded = np.concatenate((np.full(start_ticks, pods[0]), pods))
    least: Counts = sliding_window_view(padded, start_ticks + 1).min(axis=1)
    return least


def score(
    setting: float, pods: Counts, demand: Floats, start_ticks: int, least_pod_hours: float
) -> Point:
    """Judge the pods asked for at each tick against the demand in pods."""
    short = np.maximum(0.0, demand - ready(pods, start_ticks))
    minutes = (short > 1e-9).reshape(-1, TICKS_PER_MINUTE).any(axis=1)
    hours = len(pods) * TICK_SECONDS / 3600
    return Point(
        setting=setting,
        pod_hours_ratio=float(pods.sum()) * TICK_SECONDS / 3600 / least_pod_hours,
        violation_ratio=float(minutes.mean()),
        under_served_ratio=float(short.sum() / max(demand.sum(), 1e-9)),
        changes_per_hour=float(np.count_nonzero(np.diff(pods)) / hours),
    )


def cost_at(curve: Sequence[Point], violation_ratio: float) -> float | None:
    """Return the pod-hours ratio at a share of violating minutes, None where it is not reached.

    Interpolated between neighbouring runs in the logarithm of the violations, on the best of each
    run and those with no more violations. The cheapest run counts where all violate less.
    """
    least = 1e-6
    ordered = sorted(curve, key=lambda each: (each.violation_ratio, each.pod_hours_ratio))
    seen = np.array([max(least, each.violation_ratio) for each in ordered])
    cost = np.minimum.accumulate([each.pod_hours_ratio for each in ordered])
    if seen[0] > violation_ratio:
        return None
    return float(np.interp(np.log(violation_ratio), np.log(seen), cost))
