"""What to do for a Workload: revisions, traffic, capacity."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import Workload
from tenfold_operator.model.manifest import Ref, covers
from tenfold_operator.model.observed import Backend, Revision, WorkloadView
from tenfold_operator.plan import workload_objects as objects
from tenfold_operator.plan.actions import Action, Apply, Delete, Plan, Scale, Wait
from tenfold_operator.plan.workload_status import Progress, status_actions


def plan_workload(view: WorkloadView, now: datetime) -> Plan:
    """Return what to do now; nothing when everything is as it should be."""
    progress = observe_progress(view, now)
    return (
        *_target(view, progress),
        *_traffic(view, progress),
        *_capacity(view, progress, now),
        *_history(view, progress),
        *status_actions(view, progress, now),
    )


def observe_progress(view: WorkloadView, now: datetime) -> Progress:
    """Return how far the rollout is."""
    workload, status = view.workload, view.workload.status
    target = objects.revision_of(workload)
    revision = next((each for each in view.revisions if each.name == target), None)
    wanted = workload.spec.replicas
    ready = revision is not None and min(revision.ready, revision.endpoints) >= wanted
    known = status.target_revision == target and status.target_time is not None
    route = view.route
    # While the Gateway has not said that it took this generation over, it may serve an older one.
    converged = route is not None and route.accepted is True
    same_route = route is not None and status.route_generation == route.generation
    route_time = (status.route_time if same_route else None) or now.replace(microsecond=0)
    return Progress(
        target=target,
        revision=revision,
        stable=_stable(view, target),
        is_ready=ready,
        target_time=(status.target_time if known else None) or now.replace(microsecond=0),
        route_time=route_time if converged else None,
        drained_at=(
            route_time + timedelta(seconds=workload.spec.rollout.drain_seconds)
            if converged
            else None
        ),
    )


def _stable(view: WorkloadView, target: str) -> str:
    """Return the revision with the most traffic; the target when nothing serves."""
    existing = {each.name for each in view.revisions}
    serving = [
        each
        for each in (view.route.backends if view.route else ())
        if each.weight > 0 and each.revision in existing
    ]
    if not serving:
        return target
    return max(serving, key=lambda each: (each.weight, each.revision == target)).revision


def _target(view: WorkloadView, progress: Progress) -> Iterator[Action]:
    """The Deployment and Service that the template asks for, at full size."""
    found = progress.revision
    why = f"the template asks for revision {progress.target}"
    for wanted, observed in (
        (objects.deployment(view.workload), found.deployment if found else None),
        (objects.service(view.workload), found.service if found else None),
    ):
        yield from _ensure(wanted, observed, why)


def _ensure(wanted: JsonObject, observed: JsonObject | None, why: str) -> Iterator[Action]:
    if observed is None or not covers(observed, wanted):
        yield Apply(manifest=wanted, is_new=observed is None, why=why)


def _traffic(view: WorkloadView, progress: Progress) -> Iterator[Action]:
    backends, why = _backends(view, progress)
    manifest = view.route.manifest if view.route else None
    yield from _ensure(objects.route(view.workload, backends), manifest, why)
    receiver = max(backends, key=lambda each: each.weight).revision
    yield from _ensure(
        objects.budget(view.workload, receiver), view.budget, "the budget covers what serves"
    )


def _backends(view: WorkloadView, progress: Progress) -> tuple[tuple[Backend, ...], str]:
    """Return where the traffic should go now.

    A new backend joins with weight 0 first: when the Gateway has accepted that, it knows the
    Service and its addresses, and the switch finds nothing that it has yet to load.
    """
    target = Backend(progress.target, view.workload.spec.port, 100)
    if progress.stable == progress.target:
        return (target,), f"revision {progress.target} serves"
    live = view.route.backends if view.route else ()
    is_named = any(each.revision == progress.target for each in live)
    if progress.is_ready and is_named and progress.route_time is not None:
        return (target,), f"revision {progress.target} is ready and the Gateway knows it"
    stable = next(each for each in live if each.revision == progress.stable)
    serving = Backend(stable.revision, stable.port, 100)
    if progress.is_ready or is_named:
        joining = Backend(progress.target, view.workload.spec.port, 0)
        return (serving, joining), f"revision {progress.target} joins without traffic"
    return (serving,), f"revision {progress.stable} serves until {progress.target} is ready"


def _capacity(view: WorkloadView, progress: Progress, now: datetime) -> Iterator[Action]:
    """Pods of the other revisions: full size while they serve, none when they have drained."""
    live = {each.revision: each.weight for each in (view.route.backends if view.route else ())}
    for revision in view.revisions:
        if revision.name == progress.target:
            continue
        if revision.name == progress.stable:
            why = "it serves"
            yield from _scale(view.workload, revision, view.workload.spec.replicas, why)
        elif revision.name in live or revision.replicas == 0:
            continue
        elif progress.drained_at is None:
            yield Wait(reason=f"the Gateway may still send traffic to {revision.name}")
        elif now < progress.drained_at:
            yield Wait(reason=f"revision {revision.name} drains", until=progress.drained_at)
        else:
            why = "the route no longer names it and it has drained"
            yield from _scale(view.workload, revision, 0, why)


def _scale(workload: Workload, revision: Revision, replicas: int, why: str) -> Iterator[Action]:
    if revision.replicas != replicas:
        yield Scale(ref=_ref("Deployment", workload, revision.name), replicas=replicas, why=why)


def _history(view: WorkloadView, progress: Progress) -> Iterator[Action]:
    """Revisions beyond the history limit go, the oldest first, never one that is in use."""
    in_use = {progress.target, progress.stable}
    in_use |= {each.revision for each in (view.route.backends if view.route else ())}
    idle = [
        each
        for each in view.revisions
        if each.name not in in_use and each.replicas == 0 and each.pods == 0
    ]
    idle.sort(key=lambda each: (each.created, each.name), reverse=True)
    for revision in idle[view.workload.spec.revision_history_limit :]:
        for kind in ("Deployment", "Service"):
            yield Delete(
                ref=_ref(kind, view.workload, revision.name),
                why=f"revision {revision.name} is beyond the history limit",
            )


def _ref(kind: str, workload: Workload, revision: str) -> Ref:
    return Ref(kind, workload.metadata.namespace, objects.object_name(workload, revision))
