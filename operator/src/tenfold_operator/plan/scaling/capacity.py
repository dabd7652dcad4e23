"""What one pod can serve, given or learned from load, latency and CPU."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tenfold_operator.model.generated import WorkloadScalingCapacity

MIN_SAMPLES = 20
"""Fewer say nothing yet: five minutes at a sample every 15 s."""
MIN_SLOW = 5
"""So many slow samples make a limit; fewer are chance."""
MAX_SLOW_RATIO = 0.05
"""Share of slow samples, of those near a load, up to which the load is within the capacity."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """One moment of the past.

    Attributes:
        load: Requests a second for each ready pod.
        latency: 95th percentile in seconds; NaN when unknown.
        cpu: Share of the pods' CPU (limit, or else request) in use; NaN when unknown.
    """

    load: float
    latency: float
    cpu: float


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """What one pod can serve.

    Attributes:
        per_second: Requests a second, above 0.
        reason: Where the number comes from, in words and numbers.
    """

    per_second: float
    reason: str


def learn(samples: Sequence[Usage], spec: WorkloadScalingCapacity) -> Capacity | None:
    """Return the capacity of a pod; None when there is no telling.

    A given one counts. Else it is the least of what the CPU allows and of the load at which the
    latency was seen to pass its limit. Where neither limits, what the pods have served well is
    the capacity: a bound from below, which grows with the load.
    """
    if spec.requests_per_minute is not None:
        reason = f"a pod serves {spec.requests_per_minute} requests a minute, as given"
        return Capacity(per_second=spec.requests_per_minute / 60, reason=reason)
    usable = [each for each in samples if math.isfinite(each.load) and each.load > 0]
    if len(usable) < MIN_SAMPLES:
        return None
    limits = [_by_cpu(usable, spec), _by_latency(usable, spec)]
    found = [each for each in limits if each is not None]
    if found:
        return min(found, key=lambda each: each.per_second)
    return _proven(usable, spec)


def _by_cpu(samples: Sequence[Usage], spec: WorkloadScalingCapacity) -> Capacity | None:
    """CPU per request where the pods are busiest: there the idle share weighs least."""
    known = [each for each in samples if math.isfinite(each.cpu) and each.cpu > 0]
    if len(known) < MIN_SAMPLES:
        return None
    busiest = max(each.load for each in known)
    cost = median(each.cpu / each.load for each in known if each.load >= busiest / 2)
    per_second = spec.cpu_percent / 100 / cost
    reason = (
        f"a pod serves {per_second * 60:.0f} requests a minute at {spec.cpu_percent}% of its CPU:"
        f" a request a second takes {cost:.2%} of it"
    )
    return Capacity(per_second=per_second, reason=reason)


def _by_latency(samples: Sequence[Usage], spec: WorkloadScalingCapacity) -> Capacity | None:
    """The highest load near which the latency holds, where it was seen not to hold above."""
    if spec.latency_milliseconds is None:
        return None
    goal = spec.latency_milliseconds / 1000
    known = sorted(
        (each for each in samples if math.isfinite(each.latency)), key=lambda each: each.load
    )
    slow = [each for each in known if each.latency > goal]
    if len(slow) < MIN_SLOW:
        return None
    calm = known[: max(1, len(known) // 4)]
    if sum(each.latency > goal for each in calm) > MAX_SLOW_RATIO * len(calm):
        # Slow without load: more pods would not help.
        return None
    within = [each.load for each in known if not _is_slow_near(each.load, known, goal)]
    if not within or max(within) >= slow[-1].load:
        return None
    per_second = max(within)
    reason = (
        f"a pod serves {per_second * 60:.0f} requests a minute: above, the 95th percentile passed"
        f" {spec.latency_milliseconds} ms ({len(slow)} of {len(known)} samples)"
    )
    return Capacity(per_second=per_second, reason=reason)


def _is_slow_near(load: float, samples: Sequence[Usage], goal: float) -> bool:
    near = [each.latency for each in samples if 0.9 * load <= each.load <= load]
    return sum(latency > goal for latency in near) > MAX_SLOW_RATIO * len(near)


def _proven(samples: Sequence[Usage], spec: WorkloadScalingCapacity) -> Capacity | None:
    if spec.latency_milliseconds is None:
        return None
    goal = spec.latency_milliseconds / 1000
    good = [each.load for each in samples if each.latency <= goal]
    if len(good) < MIN_SAMPLES:
        return None
    reason = (
        f"a pod has served {max(good) * 60:.0f} requests a minute within"
        f" {spec.latency_milliseconds} ms; more was not seen"
    )
    return Capacity(per_second=max(good), reason=reason)
