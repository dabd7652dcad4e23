"""What to do for a RedisTier of topology cluster: its objects, and its servers' next steps."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref, number_at, ref_of
from tenfold_operator.model.observed import TierView
from tenfold_operator.plan import redis_cluster_objects as objects
from tenfold_operator.plan import (
    redis_live,
    redis_password,
    redis_restart,
    redis_tls,
    redis_users,
    redis_volumes,
)
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan.actions import Action, Delete, Plan, Refuse, Wait
from tenfold_operator.plan.ensure import ensure
from tenfold_operator.plan.redis_cluster_picture import Picture, look
from tenfold_operator.plan.redis_cluster_status import status_actions
from tenfold_operator.plan.redis_cluster_steps import next_steps
from tenfold_operator.plan.redis_handover import REQUEST


def plan_cluster(view: TierView, now: datetime) -> Plan:
    """Return what to do now; nothing when everything is as it should be."""
    picture = look(view)
    steps = next_steps(view, picture)
    return (
        *redis_password.plan_secret(view, is_in_use=bool(view.tier.status.shards)),
        *redis_password.plan_passwords(view),
        *redis_tls.or_refusal(view, _objects(view)),
        *redis_live.plan_settings(view, None),
        *steps,
        *_departures(view, picture),
        *_restart(view, picture, is_calm=not steps),
        *_request(view),
        *redis_users.plan_users(view, now),
        *redis_volumes.plan_growth(view),
        # Last: files that a server does not take must not keep anything else from being done.
        *redis_tls.plan_certificates(view),
        *status_actions(
            view,
            picture,
            steps,
            (
                *redis_tls.verdicts(view),
                *redis_users.verdicts(view, now),
                *redis_volumes.verdicts(view),
            ),
            now,
        ),
    )


def _objects(view: TierView) -> Iterator[Action]:
    tier = view.tier
    shards = [
        objects.shard(
            tier,
            number,
            redis_volumes.template_size(view, names.shard(tier, number)),
            view.certificate,
        )
        for number in range(tier.spec.shards or 0)
    ]
    for manifest in chain(*shards, objects.common(tier)):
        yield from ensure(view.objects.get(ref_of(manifest)), manifest, "the spec asks for it")


def _departures(view: TierView, picture: Picture) -> Iterator[Action]:
    """Delete shards that the spec asks for no longer, once nothing of theirs is needed."""
    if picture.unassigned or not picture.is_agreed:
        return
    for number, shard in picture.shards.items():
        away = [each for each in shard.members if each.leaving or each.coming]
        if number < picture.size or shard.slots or away:
            continue
        for ref in objects.shard_refs(view.tier, number):
            if ref in view.objects:
                yield Delete(ref=ref, why=f"shard {number} holds no slot any more")


def _restart(view: TierView, picture: Picture, *, is_calm: bool) -> Iterator[Action]:
    """Delete a pod of an earlier template, replicas first, while all the others are whole."""
    holders = {shard.primary.pod for shard in picture.shards.values() if shard.primary}
    old = [
        each.name
        for each in view.pods
        if each.revision != (_newest(view, each.name) or each.revision)
    ]
    if not old:
        return
    pod = min(old, key=lambda name: (name in holders, name))
    if missing := _missing(view, picture, is_calm=is_calm):
        yield Wait(reason=f"{pod} restarts later: {missing}")
        return
    ref = Ref("Pod", view.tier.metadata.namespace, pod)
    yield Delete(ref=ref, why="it was made from an earlier template")


def _newest(view: TierView, pod: str) -> str:
    """Return the revision that the pod's StatefulSet makes pods from; empty when unknown."""
    return redis_restart.update_revision(_stateful_set(view, pod.rpartition("-")[0]))


def _stateful_set(view: TierView, name: str) -> JsonObject:
    return view.objects.get(Ref("StatefulSet", view.tier.metadata.namespace, name), {})


def _missing(view: TierView, picture: Picture, *, is_calm: bool) -> str:
    """Return what is not whole; empty when a server can be spared."""
    if not is_calm:
        return "the cluster is busy"
    if picture.silent:
        return f"{', '.join(sorted(picture.silent))} does not answer"
    for number, shard in picture.shards.items():
        found = _stateful_set(view, names.shard(view.tier, number))
        available = number_at(found, "status", "availableReplicas")
        if available < number_at(found, "spec", "replicas"):
            return f"{available} pods of shard {number} are ready"
        if len(shard.followers) < view.tier.spec.replicas:
            return f"{len(shard.followers)} replicas of shard {number} are connected"
    return ""


def _request(view: TierView) -> Iterator[Action]:
    if view.tier.metadata.annotations.get(REQUEST):
        message = (
            f"annotation {REQUEST} is for replicated tiers: to move a shard's primary, delete its "
            "pod, which hands over before it ends"
        )
        yield Refuse(reason="NotInACluster", message=message)
