"""How a RedisTier of topology cluster is, as status, conditions and events."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from tenfold_operator.model.generated import RedisTierReplica, RedisTierShard, RedisTierStatus
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import TierView
from tenfold_operator.plan import conditions, redis_tls, redis_users
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan import redis_slots as slots
from tenfold_operator.plan.actions import Action, Announce, MoveSlots, Refuse, SetStatus, Wait
from tenfold_operator.plan.conditions import Verdict
from tenfold_operator.plan.redis_cluster_picture import Picture
from tenfold_operator.plan.redis_cluster_steps import Step, pending


def status_actions(
    view: TierView,
    picture: Picture,
    steps: Sequence[Step],
    others: Iterable[Verdict],
    now: datetime,
) -> Iterator[Action]:
    """The status where it changed, and events for its transitions."""
    tier = view.tier
    before, meta = tier.status, tier.metadata
    verdicts = (_ready(view, picture), _balanced(view, picture, steps), *others)
    status = RedisTierStatus(
        observed_generation=meta.generation,
        replicas=tuple(
            RedisTierReplica(name=each.pod, role=each.role)
            for each in sorted(view.servers, key=lambda each: each.pod)
        ),
        shards=tuple(_shards(picture)),
        certificate=redis_tls.certificate_status(view),
        users=redis_users.user_states(view, now),
        message=verdicts[0].message,
        conditions=conditions.update(before.conditions, verdicts, meta.generation, now),
    )
    if status.to_json() == before.to_json():
        return
    yield SetStatus(ref=Ref("RedisTier", meta.namespace, meta.name), status=status.to_json())
    yield from conditions.transitions(before.conditions, status.conditions)
    known = {each.number: each.primary for each in before.shards}
    for shard in status.shards:
        former = known.get(shard.number)
        if former and shard.primary and former != shard.primary:
            message = f"the primary of shard {shard.number} moved from {former} to {shard.primary}"
            yield Announce(type="Warning", reason="Failover", message=message)


def _shards(picture: Picture) -> Iterator[RedisTierShard]:
    for number, shard in picture.shards.items():
        yield RedisTierShard(
            number=number,
            primary=shard.primary.pod if shard.primary else None,
            slots=shard.slots.bit_count(),
            replicas=len(shard.followers),
        )


def _ready(view: TierView, picture: Picture) -> Verdict:
    if not view.has_password:
        message = f"Secret {names.secret(view.tier)} has no password yet"
        return Verdict("Ready", "False", "PasswordMissing", message)
    if refusal := redis_tls.obstacle(view):
        return Verdict("Ready", "False", refusal.reason, refusal.message)
    served = picture.served.bit_count()
    answering = f"{len(picture.answering)} servers answer"
    message = f"{picture.size} shards; {served} of {slots.COUNT} slots are served, {answering}"
    if served < slots.COUNT:
        return Verdict("Ready", "False", "SlotsNotServed", message)
    wanted = view.tier.spec.replicas
    for number in range(picture.size):
        found = len(picture.shards[number].followers)
        if found < wanted:
            reason = f"shard {number} has {found} of {wanted} replicas in sync; {message}"
            return Verdict("Ready", "False", "ReplicasNotInSync", reason)
    if not picture.is_agreed:
        reason = f"the servers do not agree yet who holds which slots; {message}"
        return Verdict("Ready", "False", "ServersDisagree", reason)
    return Verdict("Ready", "True", "InSync", message)


def _balanced(view: TierView, picture: Picture, steps: Sequence[Step]) -> Verdict:
    if view.trouble:
        return Verdict("Balanced", "False", "StepFailed", view.trouble)
    for step in steps:
        if isinstance(step, Refuse):
            return Verdict("Balanced", "False", step.reason, step.message)
        if isinstance(step, Wait):
            return Verdict("Balanced", "False", "Waiting", step.reason)
    left = sum(each.slots.bit_count() for each in pending(picture))
    if left or any(isinstance(each, MoveSlots) for each in steps):
        return Verdict("Balanced", "False", "Resharding", f"{left} slots move to another shard")
    if steps or len(picture.answering) == 0:
        return Verdict("Balanced", "False", "Forming", "the servers find each other")
    return Verdict("Balanced", "True", "Balanced", "every slot is where it belongs")
