"""How far a Workload's rollout is, as status, conditions and events."""

from collections.abc import Iterator
from datetime import datetime

from tenfold_operator.model.generated import WorkloadRevision, WorkloadStatus
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import WorkloadView
from tenfold_operator.plan import analysis, conditions
from tenfold_operator.plan import workload_objects as objects
from tenfold_operator.plan.actions import Action, Refuse, SetStatus, Wait
from tenfold_operator.plan.conditions import Verdict
from tenfold_operator.plan.rollout import Rollout
from tenfold_operator.plan.rollout_step import GiveUp, Hold, converged_at, find, settled
from tenfold_operator.plan.workload_scaling import needed_now, scaling_verdicts

_REFUSALS = ("StableNotReady", "InvalidQuery", "PrometheusAway")


def status_actions(view: WorkloadView, rollout: Rollout, now: datetime) -> Iterator[Action]:
    """The status where it changed, events for its transitions, and when to look again."""
    workload = view.workload
    match rollout.outcome:
        case Hold(reason=reason, message=message) if reason in _REFUSALS:
            yield Refuse(reason=reason, message=message)
        case Hold(message=message, until=until):
            yield Wait(reason=message, until=until)
        case GiveUp(reason=reason, message=message):
            yield Refuse(
                reason=reason,
                message=f"revision {rollout.target}: {message}",
                confidence_percent=analysis.confidence(rollout.verdicts)
                if reason == "AnalysisFailed"
                else None,
            )
    status = _status(view, rollout, now)
    if status.to_json() != workload.status.to_json():
        meta = workload.metadata
        ref = Ref("Workload", meta.namespace, meta.name)
        yield SetStatus(ref=ref, status=status.to_json())
        yield from conditions.transitions(workload.status.conditions, status.conditions)


def _status(view: WorkloadView, rollout: Rollout, now: datetime) -> WorkloadStatus:
    workload = view.workload
    generation = workload.metadata.generation
    converged = converged_at(view, now)
    verdicts = (
        _ready(view, rollout, converged),
        _progressing(view, rollout, converged),
        _route(view),
        *scaling_verdicts(view),
    )
    stable = find(view, rollout.stable)
    labels = objects.selector(workload, rollout.stable)
    return WorkloadStatus(
        observed_generation=generation,
        stable_revision=rollout.stable,
        target_revision=rollout.target,
        progress=rollout.progress,
        attempts=rollout.attempts,
        failed_revisions=rollout.failures,
        route_generation=view.route.generation if view.route and converged else None,
        route_time=converged,
        revisions=_revisions(view),
        replicas=stable.pods if stable else 0,
        selector=",".join(f"{name}={value}" for name, value in labels.items()),
        scaling=view.scaling,
        message=verdicts[1].message if verdicts[1].reason != "RolledOut" else verdicts[0].message,
        conditions=conditions.update(workload.status.conditions, verdicts, generation, now),
    )


def _revisions(view: WorkloadView) -> tuple[WorkloadRevision, ...]:
    newest_first = sorted(view.revisions, key=lambda each: (each.created, each.name), reverse=True)
    return tuple(
        WorkloadRevision(
            name=each.name,
            replicas=each.replicas,
            ready_replicas=each.ready,
            weight=view.live.get(each.name, 0),
            created_at=each.created,
        )
        for each in newest_first
    )


def _ready(view: WorkloadView, rollout: Rollout, converged: datetime | None) -> Verdict:
    target, stable = rollout.target, rollout.stable
    if failure := rollout.failure:
        message = f"revision {stable} serves; {target} has failed: {failure.message}"
        return Verdict("Ready", "False", "RolledBack", message)
    if target != stable:
        message = f"revision {stable} serves while {target} is rolled out"
        return Verdict("Ready", "False", "RollingOut", message)
    ready, needed = settled(find(view, target)), needed_now(view)
    count = f"{ready} of {view.total} pods of revision {target} are ready"
    if ready < needed:
        return Verdict("Ready", "False", "PodsNotReady", count)
    if converged is None:
        return Verdict("Ready", "False", "RouteNotAccepted", _route(view).message)
    return Verdict("Ready", "True", "Serving", f"{count} and serve")


def _progressing(view: WorkloadView, rollout: Rollout, converged: datetime | None) -> Verdict:
    target = rollout.target
    if failure := rollout.failure:
        left = view.live.get(target, 0)
        state = f"; {left}% of the traffic still goes there" if left else ""
        again = f"; kubectl tenfold retry {view.workload.metadata.name} tries it again"
        return Verdict("Progressing", "False", failure.reason, failure.message + state + again)
    if isinstance(rollout.outcome, Hold):
        progress = rollout.progress
        step = f"step {progress.step + 1} of {progress.steps}: " if progress else ""
        held = rollout.outcome
        return Verdict("Progressing", "True", held.reason, f"{step}{held.message}")
    before = conditions.find(view.workload.status.conditions, "Progressing")
    if before and before.reason == "RolledOut" and view.workload.status.target_revision == target:
        # Pods that fail later are not a rollout: Ready tells of them.
        return Verdict("Progressing", "True", "RolledOut", before.message)
    found = find(view, target)
    ready = settled(found)
    if ready < view.total:
        trouble = f": {found.trouble}" if found and found.trouble else ""
        count = f"{ready} of {view.total} pods of {target} are ready{trouble}"
        if found and found.is_stuck:
            return Verdict("Progressing", "False", "ProgressDeadlineExceeded", count)
        return Verdict("Progressing", "True", "WaitingForPods", count)
    if converged is None:
        message = f"the gateway takes over revision {target}"
        return Verdict("Progressing", "True", "WaitingForGateway", message)
    leaving = [each.name for each in view.revisions if each.name != target and each.replicas]
    if leaving:
        message = f"revision {target} serves; {', '.join(leaving)} drains"
        return Verdict("Progressing", "True", "Draining", message)
    return Verdict("Progressing", "True", "RolledOut", f"revision {target} is rolled out")


def _route(view: WorkloadView) -> Verdict:
    route, gateway = view.route, view.workload.spec.route.gateway
    if route is None or route.accepted is None:
        message = f"Gateway {gateway.namespace}/{gateway.name} has not answered yet"
        return Verdict("RouteAccepted", "Unknown", "WaitingForGateway", message)
    state: conditions.State = "True" if route.accepted else "False"
    return Verdict("RouteAccepted", state, route.reason, route.message)
