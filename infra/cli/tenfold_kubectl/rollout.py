"""What a Workload's status says of its rollout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tenfold_operator.model.generated import (
    Condition,
    Workload,
    WorkloadFailedRevision,
    WorkloadProgress,
    WorkloadRolloutStep,
)
from tenfold_operator.plan import conditions
from tenfold_operator.plan.rollout import steps_of


@dataclass(frozen=True)
class Deadline:
    """When something happens by itself, unless what is waited for comes first."""

    time: datetime
    what: str


def is_seen(workload: Workload) -> bool:
    """Tell whether the operator's status speaks of the spec as it is."""
    return workload.status.observed_generation == workload.metadata.generation


def progressing(workload: Workload) -> Condition | None:
    """Return the condition that says what the rollout does or waits for."""
    return conditions.find(workload.status.conditions, "Progressing")


def failure_of(workload: Workload) -> WorkloadFailedRevision | None:
    """Return why the revision that the template asks for was given up; None where it was not."""
    status = workload.status
    if status.progress or status.target_revision == status.stable_revision:
        return None
    failed = status.failed_revisions
    return next((each for each in failed if each.revision == status.target_revision), None)


def upcoming(workload: Workload, progress: WorkloadProgress) -> tuple[WorkloadRolloutStep, ...]:
    """Return the present step and those after it."""
    steps = steps_of(workload)
    # An edit may have removed the step meanwhile.
    return steps[min(progress.step, len(steps) - 1) :]


def deadline(workload: Workload) -> Deadline | None:
    """Return until when the rollout waits; None where only a person or more traffic ends it."""
    progress, condition = workload.status.progress, progressing(workload)
    if progress is None or condition is None:
        return None
    rollout = workload.spec.rollout
    if condition.reason == "Holding" and progress.served_time:
        held = timedelta(seconds=upcoming(workload, progress)[0].hold_seconds)
        return Deadline(progress.served_time + held, "the hold ends")
    if condition.reason == "WaitingForPods":
        limit = timedelta(seconds=rollout.progress_deadline_seconds)
        return Deadline((progress.step_time or progress.start_time) + limit, "it is given up")
    if rollout.analysis and progress.unjudged_since:
        limit = timedelta(seconds=rollout.analysis.inconclusive_seconds)
        return Deadline(progress.unjudged_since + limit, "it is given up as inconclusive")
    return None
