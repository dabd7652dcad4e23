"""What a person wants of a Workload or RedisTier, as the patch that asks the operator for it.

Each function first checks that it makes sense now, and raises Failure with the next step where it
does not. A value names the revision, attempt and step that it was meant for, so that one which
comes too late does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from tenfold_local.shell import Failure
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisTier, Workload, WorkloadProgress
from tenfold_operator.plan.redis_handover import REQUEST, REQUESTED_TARGET
from tenfold_operator.plan.rollout import RETRY
from tenfold_operator.plan.rollout_step import ABORT, PROMOTE

from tenfold_kubectl.rollout import failure_of, is_seen, progressing, upcoming

RESTARTED = "kubectl.kubernetes.io/restartedAt"
"""Annotation of the pod template, as `kubectl rollout restart` sets it."""

_ON_ITS_WAY = ("WaitingForPods", "WaitingForGateway", "PrometheusAway", "InvalidQuery")


@dataclass(frozen=True)
class Order:
    """A merge patch, and how to tell a person of it."""

    patch: JsonObject
    done: str
    next: str


def promote(workload: Workload, *, full: bool) -> Order:
    """Pass the present step now, or with `full` this and all after it."""
    progress = _rolling(workload)
    attempt, steps = _attempt(progress), upcoming(workload, progress)
    value = f"{attempt}/{'all' if full else progress.step}"
    place = f"step {progress.step + 1} of {progress.step + len(steps)}"
    given = workload.metadata.annotations.get(PROMOTE)
    if progress.done or given in (value, f"{attempt}/all"):
        raise Failure(
            f"revision {progress.revision} has passed {place} already; "
            f"it waits: {_waits(workload)}",
            hint=f"kubectl tenfold status {workload.metadata.name} --watch",
        )
    what = "every step" if full else place
    return Order(
        patch=_annotate(PROMOTE, value),
        done=f"promoted revision {progress.revision} beyond {what}",
        next=_after_promotion(workload, progress, full=full),
    )


def _after_promotion(workload: Workload, progress: WorkloadProgress, *, full: bool) -> str:
    condition, steps = progressing(workload), upcoming(workload, progress)
    blocked = condition is not None and condition.reason in _ON_ITS_WAY
    first = f"first what it waits for ({_waits(workload)}), then " if blocked else ""
    if full:
        return (
            f"{first}it gets all of the traffic as fast as its pods are ready; "
            "health and failed judgements still abort it"
        )
    if len(steps) == 1:
        return f"{first}the rollout ends, and the pods of the old revision leave"
    paused = " and stays there: the rollout is paused" if workload.spec.rollout.paused else ""
    return f"{first}it goes on to {steps[1].weight}% of the traffic{paused}"


def abort(workload: Workload) -> Order:
    """Give the present attempt up."""
    progress = _rolling(workload)
    value = _attempt(progress)
    if workload.metadata.annotations.get(ABORT) == value:
        raise Failure(
            f"revision {progress.revision} is aborted already; it waits: {_waits(workload)}",
            hint=f"kubectl tenfold status {workload.metadata.name} --watch",
        )
    name, stable = workload.metadata.name, workload.status.stable_revision
    return Order(
        patch=_annotate(ABORT, value),
        done=f"aborted the rollout of revision {progress.revision}",
        next=f"the traffic goes back to {stable}, then the pods of {progress.revision} leave; "
        f"it stays failed until the template changes or kubectl tenfold retry {name}",
    )


def retry(workload: Workload) -> Order:
    """Try the revision that the template asks for again, after it failed."""
    _require_seen(workload)
    status, failed = workload.status, failure_of(workload)
    if status.progress:
        raise Failure(
            f"revision {status.progress.revision} rolls out already; it waits: {_waits(workload)}",
            hint=f"kubectl tenfold status {workload.metadata.name} --watch",
        )
    if failed is None:
        raise Failure(
            f"there is nothing to retry: revision {status.target_revision}, "
            "which the template asks for, has not failed",
            hint=f"kubectl tenfold history {workload.metadata.name}",
        )
    return Order(
        patch=_annotate(RETRY, f"{failed.revision}@{failed.attempt}"),
        done=f"revision {failed.revision} is tried again; "
        f"attempt {failed.attempt} failed: {failed.message}",
        next=f"attempt {failed.attempt + 1} begins with the first step",
    )


def pause(workload: Workload) -> Order:
    """Keep the rollout, or the next one, at its present step."""
    if workload.spec.rollout.paused:
        raise Failure(
            f"rollouts of {workload.metadata.name} are paused already",
            hint=f"kubectl tenfold resume {workload.metadata.name}",
        )
    progress = workload.status.progress
    kept = (
        f"revision {progress.revision} stays at {progress.weight}% of the traffic until it is "
        "promoted or resumed; health and analysis go on, and may abort it"
        if progress
        else "nothing rolls out now: the next rollout stays at its first step"
    )
    return Order(
        patch=_set_paused(True), done=f"paused rollouts of {workload.metadata.name}", next=kept
    )


def resume(workload: Workload) -> Order:
    """Let rollouts go on."""
    name, progress = workload.metadata.name, workload.status.progress
    if not workload.spec.rollout.paused:
        own = progress is not None and upcoming(workload, progress)[0].pause
        raise Failure(
            f"rollouts of {name} are not paused"
            + ("; the present step itself waits for a person" if own else ""),
            hint=f"kubectl tenfold promote {name}" if own else f"kubectl tenfold status {name}",
        )
    if progress is None:
        after = "nothing rolls out now: the next rollout goes through its steps"
    elif upcoming(workload, progress)[0].pause:
        after = f"this step waits for a person by itself: kubectl tenfold promote {name}"
    else:
        after = f"revision {progress.revision} goes on when its step's hold and analysis are over"
    return Order(patch=_set_paused(False), done=f"resumed rollouts of {name}", next=after)


def restart(workload: Workload, now: datetime) -> Order:
    """Replace all pods: a new revision with the same template, but for an annotation."""
    _require_seen(workload)
    name, progress, failed = workload.metadata.name, workload.status.progress, failure_of(workload)
    if failed:
        raise Failure(
            f"the template is that of revision {failed.revision}, which has failed: "
            f"{failed.message}",
            hint=f"change the template, or kubectl tenfold retry {name}",
        )
    strategy = workload.spec.rollout.strategy
    instead = f" in place of {progress.revision}, which is not rolled out yet" if progress else ""
    annotations: JsonObject = {RESTARTED: now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return Order(
        patch={"spec": {"template": {"metadata": {"annotations": annotations}}}},
        done=f"restarted {name}: its template is a new revision{instead}",
        next=f"it rolls out as any other (strategy {strategy}): kubectl tenfold status {name}",
    )


def hand_over(tier: RedisTier, target: str | None, now: datetime) -> Order:
    """Move the primary, to `target` where given. `now` is the cluster's time, not a laptop's.

    A clock that is ahead would have the primary moved again and again until that time has come.
    """
    name, primary = tier.metadata.name, tier.status.primary
    if tier.spec.topology == "cluster":
        raise Failure(
            f"{name} is a cluster: its shards hand over by themselves before a pod ends",
            hint="to move a shard's primary: kubectl delete pod POD "
            f"(see status.shards of redistier {name})",
        )
    if primary is None:
        raise Failure(
            f"no primary of {name} is known: {tier.status.message or 'it was not looked at yet'}",
            hint=f"kubectl describe redistier {name}",
        )
    if target == primary:
        raise Failure(f"{target} is the primary already", hint="leave --to out, or name a replica")
    replicas = [each.name for each in tier.status.replicas if each.role == "replica"]
    if target and target not in replicas:
        raise Failure(
            f"{target} is no replica of {name}",
            hint=f"its replicas: {', '.join(replicas) or 'none answers'}",
        )
    since = now.replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Order(
        patch=_annotate(REQUEST, since, **{REQUESTED_TARGET: target}),
        done=f"asked for a hand-over of {name} from {primary} to {target or 'the best replica'}",
        next="the operator hands over when quorum, lag and the cool-down allow it: "
        f"kubectl get redistier {name} --watch",
    )


def _rolling(workload: Workload) -> WorkloadProgress:
    _require_seen(workload)
    status, name = workload.status, workload.metadata.name
    if status.progress:
        return status.progress
    if failed := failure_of(workload):
        raise Failure(
            f"nothing rolls out: revision {failed.revision} has failed: {failed.message}",
            hint=f"change the template, or kubectl tenfold retry {name}",
        )
    raise Failure(
        f"nothing rolls out: {name} is at revision {status.stable_revision}",
        hint=f"a change of its template starts a rollout; kubectl tenfold history {name}",
    )


def _require_seen(workload: Workload) -> None:
    if not is_seen(workload):
        seen, wanted = workload.status.observed_generation, workload.metadata.generation
        raise Failure(
            f"the operator has not looked at the last change of {workload.metadata.name} yet "
            f"(it saw generation {seen or 'none'} of {wanted})",
            hint="the same command again; if this stays so, see whether the operator runs",
        )


def _attempt(progress: WorkloadProgress) -> str:
    return f"{progress.revision}@{progress.attempt}"


def _waits(workload: Workload) -> str:
    condition = progressing(workload)
    return condition.message if condition else "the operator has not said for what"


def _annotate(name: str, value: str, **others: JsonValue) -> JsonObject:
    return {"metadata": {"annotations": {name: value, **others}}}


def _set_paused(paused: bool) -> JsonObject:
    return {"spec": {"rollout": {"paused": paused}}}
