"""What the status says of scaling, and remembers for it."""

from datetime import datetime, timedelta
from typing import Literal

from tenfold_operator.model.generated import (
    WorkloadScalingStatus,
    WorkloadScalingStatusModel,
    WorkloadScalingStatusPeriod,
    WorkloadScalingStatusRecommendation,
)
from tenfold_operator.plan.scaling.decide import Decision, Observed
from tenfold_operator.plan.scaling.memory import Mark, Memory

SAY_AGAIN = timedelta(seconds=60)
"""Loads and forecasts differ at every look: without it there would be a write every 15 s."""


def report(
    observed: Observed,
    decision: Decision,
    model: WorkloadScalingStatusModel | None,
    before: WorkloadScalingStatus | None,
    now: datetime,
) -> WorkloadScalingStatus:
    """Return the status of a decision; the one before where it still says the same."""
    fresh = WorkloadScalingStatus(
        replicas=decision.replicas,
        wanted_replicas=decision.wanted,
        reactive_replicas=decision.reactive,
        predicted_replicas=decision.predicted,
        capacity_requests_per_minute=(
            round(observed.capacity.per_second * 60) if observed.capacity else None
        ),
        horizon_seconds=round(decision.horizon_seconds),
        confidence_percent=(round(observed.outlook.confidence * 100) if observed.outlook else None),
        model=model,
        held=decision.held or None,
        message=_message(decision),
        reasons=decision.reasons,
        time=now,
        recommendations=_recommendations(decision.memory),
        periods=_periods(decision.memory),
    )
    if before is None or before.time is None or now - before.time >= SAY_AGAIN:
        return fresh
    return before if _decided(before) == _decided(fresh) else fresh


def _decided(status: WorkloadScalingStatus) -> WorkloadScalingStatus:
    """The status without what differs at every look."""
    return status.model_copy(
        update={
            "message": None,
            "reasons": (),
            "time": None,
            "confidence_percent": None,
            "model": None,
        }
    )


def _message(decision: Decision) -> str:
    asked = []
    if decision.reactive is not None:
        asked.append(f"{decision.reactive} for the load")
    if decision.predicted is not None:
        asked.append(f"{decision.predicted} for the next {decision.horizon_seconds:.0f} s")
    held = (decision.reasons[-1],) if decision.held else ()
    return "; ".join((f"{decision.replicas} pods", *asked, *held))


def _recommendations(memory: Memory) -> tuple[WorkloadScalingStatusRecommendation, ...]:
    return tuple(
        WorkloadScalingStatusRecommendation(time=each.time, replicas=each.replicas)
        for each in memory.recommendations
    )


def _periods(memory: Memory) -> tuple[WorkloadScalingStatusPeriod, ...]:
    def period(direction: Literal["Out", "In"], mark: Mark) -> WorkloadScalingStatusPeriod:
        return WorkloadScalingStatusPeriod(
            direction=direction, time=mark.time, replicas=mark.replicas
        )

    out = (period("Out", memory.out),) if memory.out else ()
    return (*out, period("In", memory.in_)) if memory.in_ else out
