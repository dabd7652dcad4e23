"""When no majority of the Sentinels can act, the operator decides by who holds data."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tenfold_operator.model.observed import ServerAnswer, TierView
from tenfold_operator.plan import conditions
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan import redis_objects as objects
from tenfold_operator.plan.actions import Action, Promote, Refuse, TellSentinels, Wait
from tenfold_operator.plan.redis_status import Opinion, has_quorum


def plan_recovery(view: TierView, opinion: Opinion, now: datetime) -> Iterator[Action]:
    """Promote where the quorum is gone and it is clear whom; else say why not."""
    yield from _remind(view, opinion)
    if not _is_lost(view, opinion):
        return
    due = _due(view)
    if due is None or due > now:
        yield Wait(reason="the Sentinels may still act", until=due)
        return
    chosen = choose(view)
    if isinstance(chosen, Refuse):
        yield chosen
        return
    yield Promote(
        target=chosen.pod,
        service=objects.primary_service(view.tier, chosen.pod),
        why=f"no majority of the Sentinels can act; {chosen.pod} holds {chosen.keys} keys",
    )


def choose(view: TierView) -> ServerAnswer | Refuse:
    """Return the server to promote.

    Nobody holds data: the first. One does, or all that do hold the same: that one. They differ:
    nobody, unless the spec allows the one that has come furthest in their common stream.
    """
    answering = [each for each in view.servers if each.role == "replica"]
    holders = sorted(
        (each for each in answering if each.keys), key=lambda each: (-each.offset, each.pod)
    )
    if not holders:
        wanted = view.tier.spec.replicas + 1
        if len(answering) < wanted:
            message = f"{len(answering)} of {wanted} servers answer; another may hold the data"
            return Refuse(reason="DataHolderUnknown", message=message)
        return min(answering, key=lambda each: names.ordinal(each.pod))
    states = {(each.history, each.offset) for each in holders}
    if len(states) == 1:
        return holders[0]
    listed = ", ".join(f"{each.pod} at offset {each.offset}" for each in holders)
    same_stream = len({each.history for each in holders}) == 1
    if view.tier.spec.recovery.without_quorum == "longestOffset" and same_stream:
        return holders[0]
    hint = (
        "set recovery.withoutQuorum=longestOffset to promote the furthest"
        if same_stream
        else "their streams differ: promote one by hand"
    )
    return Refuse(reason="SeveralHoldData", message=f"{listed}: {hint}")


def _is_lost(view: TierView, opinion: Opinion) -> bool:
    """Whether nobody serves and the Sentinels cannot change it.

    Silence alone may be the operator's own trouble: the API server has to say that they are gone.
    """
    before = view.tier.status.primary
    if opinion.primary or not before or not view.servers:
        return False
    pod = next((each for each in view.pods if each.name == before), None)
    serves = any(each.role == "primary" for each in view.servers)
    return not has_quorum(view) and not serves and not (pod and pod.is_ready)


def _due(view: TierView) -> datetime | None:
    timers, agreed = (
        view.tier.spec.sentinel,
        conditions.find(view.tier.status.conditions, "PrimaryAgreed"),
    )
    if agreed is None or agreed.status == "True":
        return None
    patience = timers.down_after_milliseconds + timers.failover_timeout_milliseconds
    return agreed.last_transition_time + timedelta(milliseconds=patience)


def _remind(view: TierView, opinion: Opinion) -> Iterator[Action]:
    """Tell Sentinels that name a server which is no primary of the one that is.

    They slept through a failover, or were gone while the operator decided.
    """
    moved, serving = view.tier.status.last_failover, opinion.primary
    if moved and moved.without_quorum and moved.to == view.tier.status.primary:
        serving = moved.to
    roles = {each.pod: each.role for each in view.servers}
    stale = [
        each.pod
        for each in view.sentinels
        if each.primary not in (None, serving) and roles.get(each.primary) != "primary"
    ]
    if serving and stale and not opinion.is_failing_over and roles.get(serving) == "primary":
        why = f"{', '.join(stale)} know an earlier primary"
        yield TellSentinels(primary=serving, why=why)
