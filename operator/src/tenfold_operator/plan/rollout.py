"""How a rollout goes on: which step it is at, whether it may pass it, and why it is given up.

Every strategy is a list of steps. Everything that a restart must not lose is in the status.
"""

from dataclasses import dataclass
from datetime import datetime

from tenfold_operator.model.generated import (
    Workload,
    WorkloadFailedRevision,
    WorkloadFailedRevisionVerdict,
    WorkloadProgress,
    WorkloadProgressVerdict,
    WorkloadRolloutStep,
)
from tenfold_operator.model.observed import WorkloadView
from tenfold_operator.plan import workload_objects as objects
from tenfold_operator.plan.rollout_step import Advance, GiveUp, Hold, Look, Outcome

RETRY = "tenfold.dev/retry"
"""Annotation: REVISION@ATTEMPT tries a revision again whose attempt of that number failed."""

KEEP_SECONDS = 300
"""How long blueGreen keeps the old revision where the spec does not say."""
_WITHOUT_MORE_TRAFFIC = ("WaitingForPods", "InvalidQuery", "PrometheusAway")
_REMEMBERED_FAILURES = 10


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """Where the rollout is after this look at it."""

    target: str
    """The revision that the template asks for."""
    stable: str
    """The revision that was rolled out last; the target when it is rolled out."""
    progress: WorkloadProgress | None
    """The rollout that goes on; None when the target is stable or has failed."""
    outcome: Outcome
    failures: tuple[WorkloadFailedRevision, ...]
    """The revisions that were given up, to be remembered."""
    attempts: int
    """Rollouts begun so far, this one included."""
    verdicts: tuple[WorkloadProgressVerdict, ...] = ()
    """Those that this look made; also those that the target was given up for."""

    @property
    def granted(self) -> int | None:
        """The weight that the target may have now; None while it may not get more than it has."""
        if self.progress is None:
            return 100 if self.target == self.stable else 0
        held = isinstance(self.outcome, Hold) and self.outcome.reason in _WITHOUT_MORE_TRAFFIC
        return None if held else self.progress.weight

    @property
    def failure(self) -> WorkloadFailedRevision | None:
        """Why the target was given up; None where it was not."""
        if self.progress or self.target == self.stable:
            return None
        return next((each for each in self.failures if each.revision == self.target), None)


def steps_of(workload: Workload) -> tuple[WorkloadRolloutStep, ...]:
    """Return the steps of the strategy; the last one is always all of the traffic."""
    rollout = workload.spec.rollout
    everything = WorkloadRolloutStep(weight=100, hold_seconds=0)
    if rollout.strategy == "canary":
        last = () if rollout.steps[-1].weight == 100 else (everything,)
        return (*rollout.steps, *last)
    if rollout.strategy == "blueGreen":
        kept = KEEP_SECONDS if rollout.keep_seconds is None else rollout.keep_seconds
        return (WorkloadRolloutStep(weight=100, hold_seconds=kept),)
    return (everything,)


def look(view: WorkloadView, now: datetime) -> Rollout:
    """Return where the rollout is now."""
    target = objects.revision_of(view.workload, view.config)
    stable = _stable(view, target)
    failures = view.workload.status.failed_revisions
    progress = None if target == stable else _progress(view, target, now)
    if progress is None:
        return Rollout(
            target=target,
            stable=stable,
            progress=None,
            outcome=Advance(),
            failures=failures,
            attempts=view.workload.status.attempts or 0,
        )
    steps, judged = steps_of(view.workload), progress.judged_time
    while True:
        at = Look(view, now, progress, stable, steps)
        progress, outcome = at.outcome()
        if not isinstance(outcome, Advance):
            break
        if progress.step + 1 == len(steps):
            stable = target
            failures = tuple(each for each in failures if each.revision != target)
            break
        progress = _next_step(progress, steps, now)
    if isinstance(outcome, GiveUp):
        failures = _remember(failures, progress, outcome, now)
    return Rollout(
        target=target,
        stable=stable,
        progress=progress if isinstance(outcome, Hold) else None,
        outcome=outcome,
        failures=failures,
        attempts=progress.attempt,
        verdicts=progress.verdicts if progress.judged_time != judged else (),
    )


def _stable(view: WorkloadView, target: str) -> str:
    """Return the revision that was rolled out last and still exists.

    Where the status does not tell, it is the one with the most traffic; the target when nothing
    serves, for then there is nothing that a rollout would protect.
    """
    existing = {each.name for each in view.revisions}
    if view.workload.status.stable_revision in existing:
        return str(view.workload.status.stable_revision)
    served = {name: weight for name, weight in view.live.items() if weight and name in existing}
    if not served:
        return target
    return max(served, key=lambda name: (served[name], name == target))


def _progress(view: WorkloadView, target: str, now: datetime) -> WorkloadProgress | None:
    """Return the rollout as it was left; a new one for a new target; None for a failed one."""
    status = view.workload.status
    if status.progress and status.progress.revision == target:
        return status.progress
    wanted = view.workload.metadata.annotations.get(RETRY)
    for each in status.failed_revisions:
        if each.revision == target and wanted != f"{target}@{each.attempt}":
            return None
    steps, start = steps_of(view.workload), now.replace(microsecond=0)
    return WorkloadProgress(
        revision=target,
        attempt=(status.attempts or 0) + 1,
        start_time=start,
        step=0,
        steps=len(steps),
        weight=steps[0].weight,
        passed_weight=0,
        step_time=start,
    )


def _next_step(
    progress: WorkloadProgress, steps: tuple[WorkloadRolloutStep, ...], now: datetime
) -> WorkloadProgress:
    return progress.model_copy(
        update={
            "step": progress.step + 1,
            "steps": len(steps),
            "weight": steps[progress.step + 1].weight,
            "passed_weight": progress.weight,
            "step_time": now.replace(microsecond=0),
            "served_time": None,
            "done": None,
        }
    )


def _remember(
    failures: tuple[WorkloadFailedRevision, ...],
    progress: WorkloadProgress,
    outcome: GiveUp,
    now: datetime,
) -> tuple[WorkloadFailedRevision, ...]:
    others = [each for each in failures if each.revision != progress.revision]
    failed = WorkloadFailedRevision(
        revision=progress.revision,
        attempt=progress.attempt,
        reason=outcome.reason,
        message=outcome.message,
        time=now.replace(microsecond=0),
        start_time=progress.start_time,
        weight=progress.weight,
        verdicts=tuple(
            WorkloadFailedRevisionVerdict(
                metric=each.metric, outcome=each.outcome, message=each.message
            )
            for each in progress.verdicts
        ),
    )
    return (*others, failed)[-_REMEMBERED_FAILURES:]
