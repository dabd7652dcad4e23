"""What the servers of a Redis Cluster should do next, one kind of thing at a time.

Each step is planned from what the servers say now. One that was interrupted is found half done and
is finished; a cluster that is as it should be needs none.
"""

from collections.abc import Iterable, Iterator

from tenfold_operator.model.observed import Member, Slots, TierView
from tenfold_operator.plan import redis_slots as slots
from tenfold_operator.plan.actions import (
    AssignSlots,
    ClusterAction,
    ForgetNodes,
    Introduce,
    MoveSlots,
    Refuse,
    Replicate,
    SettleSlots,
    Wait,
)
from tenfold_operator.plan.redis_cluster_picture import Picture, Shard

_STRANGE = frozenset({"handshake", "noaddr"})
Step = ClusterAction | Refuse | Wait


def next_steps(view: TierView, picture: Picture) -> tuple[Step, ...]:
    """Return what to do now; nothing when the cluster is as it should be."""
    if not picture.answering:
        return ()
    if met := tuple(_introductions(view, picture)):
        return met
    if not picture.is_agreed:
        return (Wait(reason="the servers do not agree yet who holds which slots"),)
    for step in (_assignments, _followers, _farewells, _open_slots, _transfers):
        if actions := tuple(step(picture)):
            return actions
    return ()


def pending(picture: Picture) -> tuple[slots.Transfer, ...]:
    """Return which slots are not where they belong."""
    held = {each.number: each.slots for each in picture.shards.values()}
    return tuple(slots.transfers(held, picture.size))


def _introductions(view: TierView, picture: Picture) -> Iterator[Step]:
    """Have the server that knows most make the acquaintance of those that it lacks."""
    present = {each.id for each in picture.answering.values()}
    addresses = {each.name: each.address for each in view.pods}

    def knows(one: Member, other: Member) -> bool:
        entry = next((each for each in one.nodes if each.id == other.id), None)
        return (
            entry is not None
            and entry.address == addresses.get(other.pod)
            and not entry.flags & _STRANGE
        )

    def standing(each: Member) -> tuple[int, int, str]:
        known = sum(node.id in present for node in each.nodes)
        return picture.held.get(each.id, 0).bit_count(), known, each.id

    host = max(picture.answering.values(), key=standing)
    strangers = [
        each.pod
        for each in picture.answering.values()
        if each.id != host.id
        and not (knows(host, each) and any(node.id == host.id for node in each.nodes))
    ]
    if strangers:
        why = f"{host.pod} does not know them, or knows a former address"
        yield Introduce(pod=host.pod, others=tuple(sorted(strangers)), why=why)


def _assignments(picture: Picture) -> Iterator[Step]:
    """Give away slots that nobody holds any more, once it is certain that nobody does."""
    orphaned = {id_: picture.held[id_] for id_ in picture.gone if id_ in picture.held}
    unassigned = picture.unassigned
    if not unassigned and not orphaned:
        return
    if missing := picture.silent:
        yield Wait(reason=f"{_listed(missing)} may hold slots: nothing is given away before")
        return
    if waiting := picture.followed.intersection(orphaned):
        followers = [each.pod for each in picture.answering.values() if each.own.primary in waiting]
        yield Wait(reason=f"{_listed(followers)} should be promoted by the other shards")
        return
    for number in range(picture.size):
        primary = picture.shards[number].primary
        if primary is None:
            yield Wait(reason=f"shard {number} has no server that could hold slots")
            return
    for number in range(picture.size):
        primary = picture.shards[number].primary
        own = slots.share(number, picture.size)
        taken = {
            id_: found
            for id_, held in sorted(orphaned.items())
            if (found := _falls_to(picture, number, id_, held, own))
        }
        if primary and (unassigned & own or taken):
            why = "their holders are gone with their data" if taken else "nobody holds them"
            yield AssignSlots(pod=primary.pod, unassigned=unassigned & own, orphaned=taken, why=why)


def _falls_to(picture: Picture, number: int, id_: str, held: Slots, own: Slots) -> Slots:
    """Return which slots of a holder that is gone fall to a shard: its own one, if that stays."""
    home = picture.homes.get(id_, picture.size)
    if home < picture.size:
        return held if home == number else 0
    return held & own


def _followers(picture: Picture) -> Iterator[Step]:
    """Have every server that is not its shard's primary follow it."""
    for number, shard in picture.shards.items():
        primary = shard.primary
        if number >= picture.size or primary is None:
            continue
        for member in shard.members:
            if member.id == primary.id:
                continue
            if member.own.primary == primary.id:
                if _looks_elsewhere(member, primary):
                    why = f"it looks for {primary.pod} at a former address"
                    yield Replicate(pod=member.pod, primary=primary.pod, why=why)
                continue
            if picture.held.get(member.id):
                continue  # its slots move first
            if not member.own.primary and member.server.keys:
                message = (
                    f"{member.pod} holds {member.server.keys} keys and no slots: look what they "
                    "are, then delete its volume and pod"
                )
                yield Refuse(reason="StrayKeys", message=message)
                continue
            why = f"{primary.pod} is the primary of its shard"
            yield Replicate(pod=member.pod, primary=primary.pod, why=why)


def _looks_elsewhere(member: Member, primary: Member) -> bool:
    """Whether a replica knows where its primary is now, and yet goes on looking where it was.

    Redis leaves it at that when it hears of the new address from a third server.
    """
    known = next((each.address for each in member.nodes if each.id == primary.id), "")
    return not member.server.upstream and known not in ("", member.source)


def _farewells(picture: Picture) -> Iterator[Step]:
    """Forget nodes that are gone, hold nothing and are followed by nobody."""
    known = {node.id for each in picture.answering.values() for node in each.nodes}
    ids = (picture.gone & known) - picture.held.keys() - picture.followed
    if ids:
        yield ForgetNodes(ids=tuple(sorted(ids)), why="their pods are gone or began anew")


def _open_slots(picture: Picture) -> Iterator[Step]:
    """Finish what was begun: slots on their way, wherever their move was interrupted."""
    for member in sorted(picture.answering.values(), key=lambda each: each.pod):
        if member.own.primary:
            continue
        own = picture.held.get(member.id, 0)
        stale = [slot for slot in member.coming if own >> slot & 1]
        for slot in member.coming:
            holder = _holder(picture, slot)
            if holder and holder.id != member.id:
                yield _finish(holder, member, slot)
        for slot, id_ in member.leaving.items():
            target = picture.shards.get(picture.homes.get(id_, -1))
            if not own >> slot & 1 or target is None or target.primary == member:
                stale.append(slot)
            elif target.primary is None:
                yield Wait(reason=f"slot {slot} is on its way to shard {target.number}")
            elif slot not in target.primary.coming:
                yield _finish(member, target.primary, slot)
        if stale:
            why = "they are on their way no longer"
            yield SettleSlots(pod=member.pod, slots=slots.of_numbers(stale), why=why)


def _finish(source: Member, target: Member, slot: int) -> MoveSlots:
    why = f"slot {slot} was left half way"
    return MoveSlots(source=source.pod, target=target.pod, slots=1 << slot, why=why)


def _holder(picture: Picture, slot: int) -> Member | None:
    return next(
        (each for each in picture.answering.values() if picture.held.get(each.id, 0) >> slot & 1),
        None,
    )


def _transfers(picture: Picture) -> Iterator[Step]:
    """Move slots to the shards that lack some."""
    for shard in picture.shards.values():
        for member in shard.members:
            primary, held = shard.primary, picture.held.get(member.id, 0)
            if primary and held and member.id != primary.id:
                why = f"{primary.pod} holds the other slots of its shard"
                yield MoveSlots(source=member.pod, target=primary.pod, slots=held, why=why)
                return
    for transfer in pending(picture):
        source, target = picture.shards[transfer.source], picture.shards[transfer.target]
        if source.primary is None or target.primary is None:
            yield Wait(reason=f"{_side(source, target)} has no primary: its slots stay")
        elif not target.followers:
            yield Wait(reason=f"no replica of shard {target.number} is connected: it gets no slots")
        else:
            count = transfer.slots.bit_count()
            yield MoveSlots(
                source=source.primary.pod,
                target=target.primary.pod,
                slots=transfer.slots,
                why=f"{count} slots of shard {source.number} belong to shard {target.number}",
            )
            return


def _side(source: Shard, target: Shard) -> str:
    return f"shard {source.number if source.primary is None else target.number}"


def _listed(pods: Iterable[str]) -> str:
    return ", ".join(sorted(pods))
