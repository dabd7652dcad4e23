"""Restarting a tier's servers for a new template: replicas first, the former primary last."""

from collections.abc import Iterator

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref, number_at, text_at
from tenfold_operator.model.observed import ServerAnswer, TierPod, TierView
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan.actions import Action, Delete, Wait
from tenfold_operator.plan.redis_status import Opinion


def next_restart(view: TierView, opinion: Opinion) -> str | None:
    """Return the pod that restarts next, None when all are made from the newest template."""
    newest = newest_revision(view)
    old = [each.name for each in server_pods(view) if newest and each.revision != newest]
    return max(old, key=lambda pod: (pod != opinion.primary, names.ordinal(pod)), default=None)


def plan_restart(view: TierView, opinion: Opinion, pod: str | None) -> Iterator[Action]:
    """Delete `pod` for its StatefulSet to make it anew, once all the others are whole."""
    if pod is None or pod == opinion.primary:
        return
    if missing := _missing(view, opinion):
        yield Wait(reason=f"{pod} restarts later: {missing}")
        return
    ref = Ref("Pod", view.tier.metadata.namespace, pod)
    yield Delete(ref=ref, why="it was made from an earlier template")


def newest_revision(view: TierView) -> str:
    """Return the revision that the servers' StatefulSet makes pods from; empty when unknown."""
    return update_revision(_stateful_set(view))


def update_revision(found: JsonObject) -> str:
    """Return the revision that a StatefulSet makes pods from; empty when it is not known yet."""
    seen = number_at(found, "status", "observedGeneration")
    is_known = seen >= number_at(found, "metadata", "generation")
    return text_at(found, "status", "updateRevision") if is_known else ""


def server_pods(view: TierView) -> tuple[TierPod, ...]:
    """Return the pods of the servers, without those of the Sentinels."""
    prefix = f"{view.tier.metadata.name}-"
    return tuple(each for each in view.pods if each.name.removeprefix(prefix).isdigit())


def _stateful_set(view: TierView) -> JsonObject:
    meta = view.tier.metadata
    return view.objects.get(Ref("StatefulSet", meta.namespace, meta.name), {})


def _missing(view: TierView, opinion: Opinion) -> str:
    """Return what is not whole; empty when a replica can be spared."""
    wanted = number_at(_stateful_set(view), "spec", "replicas")
    ready = [each for each in server_pods(view) if each.is_ready and not each.is_ending]
    available = min(len(ready), number_at(_stateful_set(view), "status", "availableReplicas"))
    if available < wanted:
        return f"{available} of {wanted} pods are ready"
    primary = next((each for each in view.servers if each.pod == opinion.primary), None)
    synced = _synced(primary)
    if synced < wanted - 1:
        return f"{synced} of {wanted - 1} replicas are in sync"
    return ""


def _synced(primary: ServerAnswer | None) -> int:
    if primary is None or primary.role != "primary":
        return 0
    return sum(each.online and each.lag <= names.LAG_SECONDS for each in primary.followers)
