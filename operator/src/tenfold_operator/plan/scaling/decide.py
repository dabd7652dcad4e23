"""The decision: how many pods, and why."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import NormalDist

from tenfold_operator.model.generated import WorkloadScaling
from tenfold_operator.plan.scaling import memory as memories
from tenfold_operator.plan.scaling import outlook as outlooks
from tenfold_operator.plan.scaling import schedule
from tenfold_operator.plan.scaling.capacity import Capacity
from tenfold_operator.plan.scaling.load import Load
from tenfold_operator.plan.scaling.memory import Mark, Memory
from tenfold_operator.plan.scaling.outlook import Outlook
from tenfold_operator.plan.scaling.startup import Start

INTERVAL_SECONDS = 15.0
"""The control interval: between two decisions at most."""
TOLERANCE = 0.1
"""While the pods follow the load, a smaller difference from the target changes nothing, as in
Kubernetes' HorizontalPodAutoscaler."""
_ROUNDING = 1e-9
_NO_CAPACITY = "there is no telling yet what a pod can serve; give capacity.requestsPerMinute"
_NORMAL = NormalDist()


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What a decision depends on.

    Attributes:
        replicas: Pods wanted now, over all revisions.
        load: The present load.
        capacity: Of one pod; None when there is no telling.
        start: How long a pod takes.
        outlook: The forecast; None when there is none.
    """

    replicas: int
    load: Load
    capacity: Capacity | None
    start: Start
    outlook: Outlook | None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """How many pods, and why.

    Attributes:
        replicas: Pods from now on, over all revisions. In mode Preview only to be reported.
        wanted: Pods before windows, limits, pauses and doubts.
        reactive: Pods that the present load asks for; None when it is not known.
        predicted: Pods that the forecast asks for; None when no forecast counts.
        horizon_seconds: How far ahead was looked.
        held: Why the number stays where it is or does not go all the way, in one CamelCase word;
            empty when nothing holds it.
        reasons: In words and numbers.
        memory: For the next decision.
        until: When to decide again at the latest.
    """

    replicas: int
    wanted: int
    reactive: int | None
    predicted: int | None
    horizon_seconds: float
    held: str
    reasons: tuple[str, ...]
    memory: Memory
    until: datetime


@dataclass(frozen=True, kw_only=True)
class _Need:
    """Pods that are needed, before any window or limit."""

    reactive: int | None = None
    predicted: int | None = None
    reasons: tuple[str, ...] = ()


def decide(observed: Observed, spec: WorkloadScaling, memory: Memory, now: datetime) -> Decision:
    """Return how many pods there should be: max(reactive, predicted) within all bounds.

    Nothing is taken away while there is a doubt about the load, and nothing changes without data.
    """
    horizon = observed.start.seconds + INTERVAL_SECONDS
    need = _need(observed, spec, horizon, now)
    floor = schedule.floor(spec.schedules, now, timedelta(seconds=horizon))
    asked = [each for each in (need.reactive, need.predicted) if each is not None]
    if need.reactive is None:
        asked.append(observed.replicas)
    least = max(spec.min_replicas, floor.replicas)
    wanted = min(max(*asked, least), spec.max_replicas)
    move = _move(observed, spec, memory, need, wanted, now)
    return Decision(
        replicas=move.replicas,
        wanted=wanted,
        reactive=need.reactive,
        predicted=need.predicted,
        horizon_seconds=horizon,
        held=move.held,
        reasons=(*need.reasons, *floor.reasons, *_bounds(max(asked), least, spec), *move.reasons),
        memory=move.memory,
        until=now + timedelta(seconds=INTERVAL_SECONDS),
    )


def _need(observed: Observed, spec: WorkloadScaling, horizon: float, now: datetime) -> _Need:
    """Pods by the present load, and by the forecast where one counts."""
    if observed.capacity is None:
        return _Need(reasons=(_NO_CAPACITY,))
    per_pod, level = observed.capacity.per_second, observed.load.level
    reasons = [observed.capacity.reason]
    peak, why_not = _peak(observed.outlook, spec, horizon, now)
    predicted = None
    if peak is not None and observed.outlook is not None:
        predicted = math.ceil(peak[0] / per_pod - _ROUNDING)
        reasons.append(_says(observed.outlook, peak, horizon, predicted))
        reasons.append(observed.start.reason)
    else:
        reasons.append(why_not)
    if level is None:
        return _Need(predicted=predicted, reasons=tuple(reasons))
    if observed.outlook is not None and predicted is not None:
        # The headroom is in the quantile, so the load itself counts without any.
        cover = level + _NORMAL.inv_cdf(observed.outlook.quantile) * observed.load.noise
        reactive = math.ceil(cover / per_pod - _ROUNDING)
        reasons.append(f"the load of {level:.1f}/s (at most {cover:.1f}) takes {reactive} pods")
    else:
        target = spec.target_utilization_percent / 100
        pods = level / (per_pod * target)
        is_near = abs(pods / observed.replicas - 1) <= TOLERANCE if observed.replicas else False
        reactive = observed.replicas if is_near else math.ceil(pods - _ROUNDING)
        reasons.append(f"the load of {level:.1f}/s takes {pods:.1f} pods at {target:.0%}")
    return _Need(reactive=reactive, predicted=predicted, reasons=tuple(reasons))


def _peak(
    outlook: Outlook | None, spec: WorkloadScaling, horizon: float, now: datetime
) -> tuple[tuple[float, float] | None, str]:
    """The highest load of the horizon at quantile and centre, or why no forecast counts."""
    if not spec.forecast.enabled:
        return None, "forecasts are turned off: the pods follow the load"
    if outlook is None:
        return None, "there is no forecast yet: the pods follow the load"
    if outlook.confidence * 100 < spec.forecast.min_confidence_percent:
        return None, (
            f"the forecast's confidence of {outlook.confidence:.0%} is below"
            f" {spec.forecast.min_confidence_percent}%: the pods follow the load"
        )
    peak = outlooks.peak(outlook, now, horizon)
    if peak is None:
        return None, f"the forecast ends within the next {horizon:.0f} s: the pods follow the load"
    return peak, ""


def _says(outlook: Outlook, peak: tuple[float, float], horizon: float, pods: int) -> str:
    high, middle = peak
    if high == 0 == middle:
        return f"the running step of {outlook.step_seconds:.0f} s lasts beyond {horizon:.0f} s"
    return (
        f"within {horizon:.0f} s up to {high:.1f}/s at the {outlook.quantile:.4g} quantile"
        f" ({middle:.1f}/s expected, confidence {outlook.confidence:.0%}) take {pods} pods"
    )


def _bounds(asked: int, least: int, spec: WorkloadScaling) -> tuple[str, ...]:
    if asked > spec.max_replicas:
        return (f"{asked} pods are wanted, maxReplicas allows {spec.max_replicas}",)
    if asked < least:
        return (f"{asked} pods would do, the floor is {least}",)
    return ()


@dataclass(frozen=True, kw_only=True)
class _Move:
    """Where to go from the present number, and what was in the way."""

    replicas: int
    held: str
    reasons: tuple[str, ...]
    memory: Memory


def _move(
    observed: Observed,
    spec: WorkloadScaling,
    memory: Memory,
    need: _Need,
    wanted: int,
    now: datetime,
) -> _Move:
    """Take the wanted number through windows, doubts, pauses and limits, in this order."""
    out, in_, current = spec.scale_out, spec.scale_in, observed.replicas
    longest = max(out.stabilization_window_seconds, in_.stabilization_window_seconds)
    memory = memories.remember(memory, wanted, now, longest)
    lowest = min(memories.within(memory, now, out.stabilization_window_seconds))
    # A forecast of the whole horizon says what the window of the past only hopes for.
    window = in_.stabilization_window_seconds if need.predicted is None else 0
    highest = max(memories.within(memory, now, window))
    target = min(max(current, lowest), highest)

    def stay(held: str, *reasons: str) -> _Move:
        return _Move(replicas=current, held=held, reasons=reasons, memory=memory)

    doubts = observed.load.doubts
    if observed.capacity is None:
        doubts = (*doubts, _NO_CAPACITY)
    if target < current and doubts:
        return stay("InDoubt", f"no pod is taken away: {'; '.join(doubts)}")
    if target == current:
        if need.reactive is None and wanted == current:
            return stay("NoData", f"the number holds: {'; '.join(doubts)}")
        if wanted != current:
            seconds = out.stabilization_window_seconds if wanted > current else window
            return stay("Stabilizing", f"{wanted} pods are wanted, not yet for {seconds} s")
        return stay("")
    if target > current and out.paused:
        return stay("ScaleOutPaused", f"{target} pods are wanted, scaleOut is paused")
    if target < current and in_.paused:
        return stay("ScaleInPaused", f"{target} pods would do, scaleIn is paused")
    return _limited(current, target, spec, memory, now)


def _limited(
    current: int, target: int, spec: WorkloadScaling, memory: Memory, now: datetime
) -> _Move:
    """Go as far as the limit of the running period allows."""
    is_out = target > current
    limit = spec.scale_out if is_out else spec.scale_in
    mark = memory.out if is_out else memory.in_
    if mark is None or (now - mark.time).total_seconds() >= limit.period_seconds:
        mark = Mark(now, current)
    if is_out:
        memory = replace(memory, out=mark)
        furthest = max(
            mark.replicas + limit.max_pods,
            math.ceil(mark.replicas * (1 + limit.max_percent / 100)),
        )
        replicas = max(current, min(target, furthest))
    else:
        memory = replace(memory, in_=mark)
        furthest = min(
            mark.replicas - limit.max_pods,
            math.floor(mark.replicas * (1 - limit.max_percent / 100)),
        )
        replicas = min(current, max(target, furthest))
    if replicas == target:
        return _Move(replicas=replicas, held="", reasons=(), memory=memory)
    reason = f"{target} pods are wanted, {replicas} are allowed within {limit.period_seconds} s"
    return _Move(replicas=replicas, held="Limited", reasons=(reason,), memory=memory)
