"""What to do for a RedisTier: its objects, and the Service that leads to the primary."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref, covers, number_at, object_at, ref_of
from tenfold_operator.model.observed import SentinelAnswer, TierView
from tenfold_operator.plan import (
    redis_fence,
    redis_handover,
    redis_live,
    redis_password,
    redis_recovery,
    redis_restart,
    redis_suspicion,
    redis_tls,
    redis_users,
    redis_volumes,
)
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan import redis_objects as objects
from tenfold_operator.plan.actions import Action, Merge, Plan, Refuse, Wait
from tenfold_operator.plan.ensure import ensure
from tenfold_operator.plan.redis_status import Opinion, status_actions


def plan_tier(view: TierView, now: datetime) -> Plan:
    """Return what to do now; nothing when everything is as it should be."""
    opinion = form_opinion(view.sentinels)
    restarting = redis_restart.next_restart(view, opinion)
    hand_over = redis_handover.decide(view, opinion, restarting, now)
    return (
        *redis_fence.plan_fences(view, opinion),
        *redis_password.plan_secret(view, is_in_use=bool(view.tier.status.primary)),
        *redis_password.plan_passwords(view),
        *redis_tls.or_refusal(view, _objects(view, opinion)),
        *_primary(view, opinion),
        *redis_recovery.plan_recovery(view, opinion, now),
        *redis_live.plan_live(view, opinion),
        *redis_handover.plan_hand_over(hand_over),
        *redis_restart.plan_restart(view, opinion, restarting),
        *redis_users.plan_users(view, now),
        *redis_volumes.plan_growth(view),
        # Last: files that a server does not take must not keep anything else from being done.
        *redis_tls.plan_certificates(view),
        *status_actions(
            view,
            opinion,
            (
                redis_handover.verdict(hand_over),
                *redis_suspicion.verdicts(view, opinion.primary),
                *redis_tls.verdicts(view),
                *redis_users.verdicts(view, now),
                *redis_volumes.verdicts(view),
            ),
            redis_fence.split(view, opinion, now),
            now,
        ),
    )


def form_opinion(sentinels: Sequence[SentinelAnswer]) -> Opinion:
    """Return what a majority of the Sentinels says; their minority and the servers do not count."""
    claims = Counter(each.primary for each in sentinels if each.primary)
    ranked = claims.most_common()
    agreed = ranked[0][0] if ranked and ranked[0][1] >= names.QUORUM else None
    return Opinion(
        primary=agreed,
        agreeing=ranked[0][1] if ranked else 0,
        claims=tuple(sorted(claims)),
        is_failing_over=any(each.is_failing_over for each in sentinels),
    )


def _objects(view: TierView, opinion: Opinion) -> Iterator[Action]:
    wanted = view.tier.spec.replicas + 1
    primary = opinion.primary or view.tier.status.primary
    needed = names.ordinal(primary) + 1 if primary else 1
    if needed > wanted:
        message = (
            f"{primary} is the primary and would be removed with {wanted} servers: "
            "it stays until another pod is the primary"
        )
        yield Refuse(reason="ScaleDownRefused", message=message)
    sentinels = objects.sentinels(view.tier, view.certificate)
    for manifest in sentinels:
        yield from ensure(view.objects.get(ref_of(manifest)), manifest, "the spec asks for it")
    volume = redis_volumes.template_size(view, view.tier.metadata.name)
    for manifest in objects.servers(view.tier, max(wanted, needed), volume, view.certificate):
        ref = ref_of(manifest)
        changes = tuple(ensure(view.objects.get(ref), manifest, "the spec asks for it"))
        restarts_servers = changes and ref.kind == "StatefulSet" and ref in view.objects
        if restarts_servers and _restarts(view, sentinels):
            yield Wait(reason="the Sentinels restart before the servers do")
        else:
            yield from _strategy(view, ref)
            yield from changes


def _strategy(view: TierView, ref: Ref) -> Iterator[Action]:
    """Take a rolling update's settings away: with them the API server takes no other strategy."""
    strategy = object_at(view.objects.get(ref, {}), "spec", "updateStrategy")
    if ref.kind == "StatefulSet" and strategy.get("type") == "RollingUpdate":
        patch: JsonObject = {"type": "OnDelete", "rollingUpdate": None}
        why = "the operator restarts the servers itself"
        yield Merge(ref=ref, patch={"spec": {"updateStrategy": patch}}, why=why)


def _restarts(view: TierView, manifests: Iterable[JsonObject]) -> bool:
    """Tell whether pods of the StatefulSet among `manifests` restart now or are about to."""
    (wanted,) = [each for each in manifests if each["kind"] == "StatefulSet"]
    observed = view.objects.get(ref_of(wanted))
    if observed is None:
        return False
    status, size = object_at(observed, "status"), number_at(wanted, "spec", "replicas")
    seen = number_at(status, "observedGeneration") >= number_at(observed, "metadata", "generation")
    up = min(number_at(status, "updatedReplicas"), number_at(status, "availableReplicas"))
    return not covers(observed, wanted) or not seen or up < size


def _primary(view: TierView, opinion: Opinion) -> Iterator[Action]:
    if opinion.primary:
        service = objects.primary_service(view.tier, opinion.primary)
        why = f"{opinion.agreeing} of {names.SENTINELS} Sentinels name {opinion.primary}"
        yield from ensure(view.objects.get(ref_of(service)), service, why)
    elif len(opinion.claims) > 1:
        message = f"the Sentinels disagree ({', '.join(opinion.claims)}): the Service stays"
        yield Refuse(reason="SentinelsDisagree", message=message)
    elif view.tier.status.primary:
        message = f"{opinion.agreeing} of {names.SENTINELS} Sentinels answer: the Service stays"
        yield Refuse(reason="NoQuorum", message=message)
