"""What to do for a Workload: revisions, traffic, capacity."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from tenfold_operator.model.generated import Workload
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import Backend, Revision, WorkloadView
from tenfold_operator.plan import analysis_queries
from tenfold_operator.plan import workload_objects as objects
from tenfold_operator.plan.actions import Action, Delete, Plan, Scale, Wait
from tenfold_operator.plan.ensure import ensure
from tenfold_operator.plan.rollout import Rollout, look
from tenfold_operator.plan.rollout_step import converged_at, find, serving
from tenfold_operator.plan.traffic import pods_for, shift
from tenfold_operator.plan.workload_scaling import scaling_actions
from tenfold_operator.plan.workload_status import status_actions

_SERVED_WINDOW_SECONDS = 6
_STILL_SERVED_LIMIT = timedelta(seconds=60)


def plan_workload(view: WorkloadView, now: datetime) -> Plan:
    """Return what to do now; nothing when everything is as it should be."""
    rollout = look(view, now)
    weights = _weights(view, rollout, now)
    return (
        *_target(view, rollout, now),
        *_traffic(view, rollout, weights),
        *_capacity(view, rollout, weights, now),
        *_history(view, rollout, weights),
        *scaling_actions(view),
        *status_actions(view, rollout, now),
    )


def questions(view: WorkloadView, now: datetime) -> Mapping[str, str]:
    """Return what Prometheus is to be asked before the plan: PromQL by name."""
    rollout = look(view, now)
    asked: dict[str, str] = {}
    if rollout.progress:
        asked |= analysis_queries.queries(view.workload, rollout.target, rollout.stable)
    staying = {rollout.stable} | ({rollout.target} if rollout.progress else set())
    for revision in view.revisions:
        if revision.name not in staying and _is_leaving(view, revision):
            asked[_served(revision.name)] = analysis_queries.served_query(
                view.workload, revision.name, _SERVED_WINDOW_SECONDS
            )
    return asked


def _served(revision: str) -> str:
    return f"served {revision}"


def _is_leaving(view: WorkloadView, revision: Revision) -> bool:
    return revision.replicas > 0 and revision.name not in view.live


def _weights(view: WorkloadView, rollout: Rollout, now: datetime) -> dict[str, int]:
    """Return where the traffic should go now.

    A new backend joins with weight 0 first: when the gateway has accepted that, it knows the
    Service and its addresses, and the shift finds nothing that it has yet to load.
    """
    target, stable, live = rollout.target, rollout.stable, view.live
    ready = {each.name: serving(each) for each in view.revisions}
    if target == stable or rollout.progress is None:
        receiver = target if target == stable else stable
        return shift(live, {receiver: 100}, ready, view.total)
    has, granted = live.get(target), rollout.granted
    if has is None:
        goal = {stable: 100} if granted is None else {stable: 100, target: 0}
    elif granted is None or (granted > has and converged_at(view, now) is None):
        goal = {stable: 100 - has, target: has}
    else:
        goal = {stable: 100 - granted, target: granted}
    return shift(live, goal, ready, view.total)


def _target(view: WorkloadView, rollout: Rollout, now: datetime) -> Iterator[Action]:
    """The Deployment and Service that the template asks for."""
    found = find(view, rollout.target)
    if rollout.failure and found is None:
        return
    pods = _pods_of_target(view, rollout, found, now)
    why = f"revision {rollout.target}: {pods} of {view.total} pods"
    for wanted, observed in (
        (objects.deployment(view.workload, rollout.target, pods), found and found.deployment),
        (objects.service(view.workload, rollout.target), found and found.service),
    ):
        yield from ensure(observed or None, wanted, why)


def _pods_of_target(
    view: WorkloadView, rollout: Rollout, found: Revision | None, now: datetime
) -> int:
    """Pods for what the target gets, and for the step that it is at."""
    if rollout.failure and found:
        return found.replicas
    if rollout.progress is None:
        return view.total
    wanted = pods_for(view.total, max(rollout.progress.weight, view.live.get(rollout.target, 0)))
    return max(wanted, found.replicas) if found and _drained_in(view, now) else wanted


def _traffic(view: WorkloadView, rollout: Rollout, weights: Mapping[str, int]) -> Iterator[Action]:
    ports = {each.revision: each.port for each in (view.route.backends if view.route else ())}
    backends = [
        Backend(name, ports.get(name, view.workload.spec.port), weight)
        for name, weight in weights.items()
    ]
    is_previewed = rollout.progress is not None and rollout.target in weights
    preview = rollout.target if is_previewed else None
    # A rollout that goes on parts nobody from his revision, unless nothing of it can serve.
    keeping = [name for name in weights if rollout.progress and serving(find(view, name))]
    shares = ", ".join(f"{weight}% to {name}" for name, weight in weights.items())
    yield from ensure(
        view.route.manifest if view.route else None,
        objects.route(view.workload, backends, preview, keeping),
        shares,
    )
    receiver = max(weights, key=lambda name: (weights[name], name == rollout.stable))
    yield from ensure(
        view.budget, objects.budget(view.workload, receiver), "the budget covers what serves"
    )


def _capacity(
    view: WorkloadView, rollout: Rollout, weights: Mapping[str, int], now: datetime
) -> Iterator[Action]:
    """Pods of the other revisions: those for their traffic, none when they have drained."""
    for revision in view.revisions:
        name, live = revision.name, view.live.get(revision.name, 0)
        if name == rollout.target and not rollout.failure:
            continue
        if name == rollout.stable:
            # It can take back at once what the target has not earned yet, and serves visitors who
            # stay whatever its weight.
            stays = view.workload.spec.rollout.affinity is not None
            passed = rollout.progress.passed_weight if rollout.progress and not stays else 0
            wanted = max(pods_for(view.total, 100 - passed), pods_for(view.total, live))
            yield from _resize(view, revision, wanted, f"it may have to serve {100 - passed}%", now)
        elif name in view.live or name in weights:
            wanted = max(revision.replicas, pods_for(view.total, live) if live else 0)
            yield from _resize(view, revision, wanted, f"it serves {live}%", now)
        else:
            yield from _resize(view, revision, 0, "the route no longer names it", now)


def _resize(
    view: WorkloadView, revision: Revision, wanted: int, why: str, now: datetime
) -> Iterator[Action]:
    """Give a revision more pods at once, and fewer only when nothing is sent to them any more."""
    if wanted == revision.replicas:
        return
    wait = _drained_in(view, now) if wanted < revision.replicas else None
    if wanted == 0:
        wait = wait or _until_unserved(view, revision.name, now)
    if wait:
        yield wait
    else:
        ref = _ref("Deployment", view.workload, revision.name)
        yield Scale(ref=ref, replicas=wanted, why=why)


def _drained_in(view: WorkloadView, now: datetime) -> Wait | None:
    """Return what is waited for before pods that lost their traffic may end."""
    since = converged_at(view, now)
    if since is None:
        return Wait(reason="the gateway may still send traffic by an older route")
    until = since + timedelta(seconds=view.workload.spec.rollout.drain_seconds)
    return Wait(reason="pods that lost their traffic drain", until=until) if now < until else None


def _until_unserved(view: WorkloadView, name: str, now: datetime) -> Wait | None:
    """Return a wait while Prometheus sees traffic go there still; for a minute at most."""
    since = converged_at(view, now) or now
    reading = view.readings.by_name.get(_served(name)) if view.readings else None
    served = sum(each.value for each in reading.samples) if reading else 0.0
    if served <= 0 or now >= since + _STILL_SERVED_LIMIT:
        return None
    again = now + timedelta(seconds=_SERVED_WINDOW_SECONDS / 2)
    return Wait(reason=f"the gateway still sends traffic to {name}", until=again)


def _history(view: WorkloadView, rollout: Rollout, weights: Mapping[str, int]) -> Iterator[Action]:
    """Revisions beyond the history limit go, the oldest first, never one that is in use."""
    in_use = {rollout.target, rollout.stable, *view.live, *weights}
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
