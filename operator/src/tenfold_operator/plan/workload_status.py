"""How far a Workload's rollout is, as status, conditions and events."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenfold_operator.model.generated import Workload, WorkloadRevision, WorkloadStatus
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import Revision, WorkloadView
from tenfold_operator.plan import conditions
from tenfold_operator.plan import workload_objects as objects
from tenfold_operator.plan.actions import Action, SetStatus, Wait
from tenfold_operator.plan.conditions import Verdict


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the rollout is."""

    target: str
    """The revision that the template asks for."""
    revision: Revision | None
    """The target as it is; None before it is made."""
    stable: str
    """The revision that gets the traffic."""
    is_ready: bool
    """Whether all wanted pods of the target are ready and given out by its Service."""
    target_time: datetime
    """When it became the target."""
    route_time: datetime | None
    """When the Gateway was first seen to have taken the live route over; None if it has not."""
    drained_at: datetime | None
    """When pods that the live route does not name may end."""


def status_actions(view: WorkloadView, progress: Progress, now: datetime) -> Iterator[Action]:
    """The status where it changed, events for its transitions, and when to look again."""
    workload = view.workload
    deadline = _deadline(workload, progress)
    if not progress.is_ready and now < deadline:
        yield Wait(reason=f"pods of revision {progress.target} get ready", until=deadline)
    status = _status(view, progress, now)
    if status.to_json() != workload.status.to_json():
        meta = workload.metadata
        ref = Ref("Workload", meta.namespace, meta.name)
        yield SetStatus(ref=ref, status=status.to_json())
        yield from conditions.transitions(workload.status.conditions, status.conditions)


def _deadline(workload: Workload, progress: Progress) -> datetime:
    seconds = workload.spec.rollout.progress_deadline_seconds
    return progress.target_time + timedelta(seconds=seconds)


def _status(view: WorkloadView, progress: Progress, now: datetime) -> WorkloadStatus:
    workload, before = view.workload, view.workload.status
    generation = workload.metadata.generation
    verdicts = (_ready(view, progress), _progressing(view, progress, now), _route(view))
    stable = next((each for each in view.revisions if each.name == progress.stable), None)
    labels = objects.selector(workload, progress.stable)
    return WorkloadStatus(
        observed_generation=generation,
        stable_revision=progress.stable,
        target_revision=progress.target,
        target_time=progress.target_time,
        route_generation=view.route.generation if view.route and progress.route_time else None,
        route_time=progress.route_time,
        revisions=_revisions(view),
        replicas=stable.pods if stable else 0,
        selector=",".join(f"{name}={value}" for name, value in labels.items()),
        message=verdicts[1].message if verdicts[1].reason != "RolledOut" else verdicts[0].message,
        conditions=conditions.update(before.conditions, verdicts, generation, now),
    )


def _revisions(view: WorkloadView) -> tuple[WorkloadRevision, ...]:
    weights = {each.revision: each.weight for each in (view.route.backends if view.route else ())}
    newest_first = sorted(view.revisions, key=lambda each: (each.created, each.name), reverse=True)
    return tuple(
        WorkloadRevision(
            name=each.name,
            replicas=each.replicas,
            ready_replicas=each.ready,
            weight=weights.get(each.name, 0),
            created_at=each.created,
        )
        for each in newest_first
    )


def _ready(view: WorkloadView, progress: Progress) -> Verdict:
    wanted = view.workload.spec.replicas
    ready = progress.revision.ready if progress.revision else 0
    count = f"{ready} of {wanted} pods of revision {progress.target} are ready"
    if progress.stable != progress.target:
        message = f"revision {progress.stable} serves while {progress.target} is rolled out"
        return Verdict("Ready", "False", "RollingOut", message)
    if not progress.is_ready:
        return Verdict("Ready", "False", "PodsNotReady", count)
    if progress.route_time is None:
        return Verdict("Ready", "False", "RouteNotAccepted", _route(view).message)
    return Verdict("Ready", "True", "Serving", f"{count} and serve")


def _progressing(view: WorkloadView, progress: Progress, now: datetime) -> Verdict:
    target, stable = progress.target, progress.stable
    before = conditions.find(view.workload.status.conditions, "Progressing")
    same_target = view.workload.status.target_revision == target
    if before and same_target and before.reason == "RolledOut" and stable == target:
        # Pods that fail later are not a rollout: Ready tells of them.
        return Verdict("Progressing", "True", "RolledOut", before.message)
    if not progress.is_ready:
        return _waiting(view, progress, now)
    if stable != target or progress.route_time is None:
        message = f"revision {target} is ready; the Gateway takes it over"
        return Verdict("Progressing", "True", "WaitingForGateway", message)
    leaving = [each.name for each in view.revisions if each.name != target and each.replicas]
    if leaving:
        message = f"revision {target} serves; {', '.join(leaving)} drains"
        return Verdict("Progressing", "True", "Draining", message)
    return Verdict("Progressing", "True", "RolledOut", f"revision {target} is rolled out")


def _waiting(view: WorkloadView, progress: Progress, now: datetime) -> Verdict:
    wanted, revision = view.workload.spec.replicas, progress.revision
    count = f"{revision.ready if revision else 0} of {wanted} pods of {progress.target} are ready"
    trouble = f": {revision.trouble}" if revision and revision.trouble else ""
    if now < _deadline(view.workload, progress):
        return Verdict("Progressing", "True", "WaitingForPods", count + trouble)
    kept = f"; traffic stays with {progress.stable}" if progress.stable != progress.target else ""
    seconds = view.workload.spec.rollout.progress_deadline_seconds
    message = f"after {seconds} s {count}{trouble}{kept}"
    return Verdict("Progressing", "False", "ProgressDeadlineExceeded", message)


def _route(view: WorkloadView) -> Verdict:
    route, gateway = view.route, view.workload.spec.route.gateway
    if route is None or route.accepted is None:
        message = f"Gateway {gateway.namespace}/{gateway.name} has not answered yet"
        return Verdict("RouteAccepted", "Unknown", "WaitingForGateway", message)
    state: conditions.State = "True" if route.accepted else "False"
    return Verdict("RouteAccepted", state, route.reason, route.message)
