"""How a RedisTier is, as status, conditions and events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tenfold_operator.model.generated import (
    RedisTierLastFailover,
    RedisTierLastSplit,
    RedisTierReplica,
    RedisTierStatus,
)
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import ServerAnswer, TierView
from tenfold_operator.plan import conditions
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan.actions import Action, Announce, SetStatus
from tenfold_operator.plan.conditions import Verdict
from tenfold_operator.plan.redis_tls import certificate_status, obstacle
from tenfold_operator.plan.redis_users import user_states

_LAG_COUNTS_FROM = 2
"""Replicas acknowledge once a second: 0 and 1 mean the same."""


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What the Sentinels say."""

    primary: str | None
    """The pod that a majority names."""
    agreeing: int
    """How many name the pod with the most votes."""
    claims: tuple[str, ...]
    """All pods that are named."""
    is_failing_over: bool = False
    """Whether one of them holds the primary for down with others, or replaces it just now."""


def status_actions(
    view: TierView,
    opinion: Opinion,
    others: Sequence[Verdict],
    split: RedisTierLastSplit | None,
    now: datetime,
) -> Iterator[Action]:
    """The status where it changed, and events for its transitions."""
    tier = view.tier
    status = _status(view, opinion, others, split, now)
    if status.to_json() == tier.status.to_json():
        return
    yield SetStatus(
        ref=Ref("RedisTier", tier.metadata.namespace, tier.metadata.name), status=status.to_json()
    )
    yield from conditions.transitions(tier.status.conditions, status.conditions)
    moved = status.last_failover
    if moved and moved != tier.status.last_failover:
        message = f"the primary moved from {moved.from_} to {moved.to}"
        yield Announce(type="Warning", reason="Failover", message=message)


def _status(
    view: TierView,
    opinion: Opinion,
    others: Sequence[Verdict],
    split: RedisTierLastSplit | None,
    now: datetime,
) -> RedisTierStatus:
    before, generation = view.tier.status, view.tier.metadata.generation
    verdicts = (_ready(view, opinion), _agreed(opinion), *others)
    failover, primary = before.last_failover, opinion.primary or lone_primary(view)
    if primary and before.primary and primary != before.primary:
        moved = {"time": now, "from": before.primary, "to": primary}
        alone = {} if opinion.primary else {"withoutQuorum": True}
        failover = RedisTierLastFailover.model_validate({**moved, **alone})
    return RedisTierStatus(
        observed_generation=generation,
        primary=primary or before.primary,
        replicas=_servers(view, opinion),
        sentinels_agreeing=opinion.agreeing,
        last_failover=failover,
        last_split=split,
        certificate=certificate_status(view),
        users=user_states(view, now),
        message=verdicts[0].message,
        conditions=conditions.update(before.conditions, verdicts, generation, now),
    )


def lone_primary(view: TierView) -> str | None:
    """Return the only server that is a primary where the Sentinels are gone and cannot say so."""
    if not view.tier.status.primary:
        return None  # the first one seeds the tier: it counts once the Sentinels name it
    claims = [each.pod for each in view.servers if each.role == "primary"]
    return claims[0] if len(claims) == 1 and not has_quorum(view) else None


def has_quorum(view: TierView) -> bool:
    """Whether enough Sentinels are ready to decide, by what the API server says."""
    prefix = f"{names.sentinel(view.tier)}-"
    ready = [each for each in view.pods if each.name.startswith(prefix) and each.is_ready]
    return len(ready) >= names.QUORUM


def _servers(view: TierView, opinion: Opinion) -> tuple[RedisTierReplica, ...]:
    lags = _lags(view, opinion)
    ordered = sorted(view.servers, key=lambda each: names.ordinal(each.pod))
    return tuple(
        RedisTierReplica(name=each.pod, role=each.role, lag=lags.get(each.pod)) for each in ordered
    )


def _lags(view: TierView, opinion: Opinion) -> dict[str, int]:
    primary = _server(view, opinion.primary)
    online = [each for each in primary.followers if each.online] if primary else []
    return {each.pod: each.lag if each.lag >= _LAG_COUNTS_FROM else 0 for each in online}


def _server(view: TierView, pod: str | None) -> ServerAnswer | None:
    return next((each for each in view.servers if each.pod == pod), None)


def _agreed(opinion: Opinion) -> Verdict:
    count = f"{opinion.agreeing} of {names.SENTINELS} Sentinels name"
    if opinion.primary:
        return Verdict("PrimaryAgreed", "True", "Quorum", f"{count} {opinion.primary}")
    if len(opinion.claims) > 1:
        message = f"the Sentinels name {', '.join(opinion.claims)}; the Service does not move"
        return Verdict("PrimaryAgreed", "False", "SentinelsDisagree", message)
    return Verdict("PrimaryAgreed", "False", "NoQuorum", f"{count} a primary")


def _ready(view: TierView, opinion: Opinion) -> Verdict:
    primary = opinion.primary
    if not view.has_password:
        message = f"Secret {names.secret(view.tier)} has no password yet"
        return Verdict("Ready", "False", "PasswordMissing", message)
    if refusal := obstacle(view):
        return Verdict("Ready", "False", refusal.reason, refusal.message)
    if not primary:
        return Verdict("Ready", "False", "PrimaryUnknown", _agreed(opinion).message)
    server = _server(view, primary)
    if server is None or server.role != "primary":
        role = server.role if server else "gone"
        return Verdict("Ready", "False", "PrimaryNotServing", f"{primary} is {role}")
    rivals = [each.pod for each in view.servers if each.role == "primary" and each.pod != primary]
    if rivals:
        message = f"{', '.join(rivals)} also claims to be primary; the Sentinels name {primary}"
        return Verdict("Ready", "False", "TwoPrimaries", message)
    synced, wanted = len(_lags(view, opinion)), view.tier.spec.replicas
    message = f"{primary} is primary, {synced} of {wanted} replicas are in sync"
    if synced < wanted:
        return Verdict("Ready", "False", "ReplicasNotInSync", message)
    learnt = sum(each.replicas >= wanted for each in view.sentinels)
    if learnt < names.QUORUM:
        # Before that a crash would find no replica to promote.
        reason = f"{learnt} of {names.SENTINELS} Sentinels know the replicas; {message}"
        return Verdict("Ready", "False", "SentinelsLearning", reason)
    if opinion.agreeing < names.SENTINELS:
        return Verdict(
            "Ready", "False", "SentinelMissing", f"{_agreed(opinion).message}; {message}"
        )
    return Verdict("Ready", "True", "InSync", message)
