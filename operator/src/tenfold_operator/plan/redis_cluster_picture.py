"""A Redis Cluster as its servers, taken together, say that it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import number_at
from tenfold_operator.model.observed import Member, Slots, TierView
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan import redis_slots as slots


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One shard and those of its servers that answer."""

    number: int
    members: tuple[Member, ...]
    primary: Member | None
    """The one that holds its slots, or that may; None while it is not clear which."""
    slots: Slots
    """What nodes of its pods hold, whether they answer or not, but for those that are gone."""

    @property
    def followers(self) -> tuple[Member, ...]:
        """Those that replicate the primary and are connected to it."""
        primary = self.primary
        return tuple(
            each
            for each in self.members
            if primary and each.own.primary == primary.id and each.server.upstream
        )


@dataclass(frozen=True, kw_only=True)
class Picture:
    """All that a plan for a cluster depends on."""

    size: int
    """How many shards there should be: those from this number on are about to go."""
    shards: Mapping[int, Shard]
    """By number: those that the spec asks for, and those that still have pods."""
    answering: Mapping[str, Member]
    """By pod."""
    silent: frozenset[str]
    """Pods that should answer and do not."""
    homes: Mapping[str, int]
    """Number of the shard that a node belongs to, by its id."""
    held: Mapping[str, Slots]
    """Slots by the id of their holder."""
    gone: frozenset[str]
    """Ids of nodes that never come back: their pod has another one, or there is no such pod."""
    is_agreed: bool
    """Whether all that answer say the same of who holds what."""

    @property
    def served(self) -> Slots:
        """Slots whose holder answers and serves."""
        holders = (self.held.get(each.id, 0) for each in self.answering.values() if each.is_ok)
        return _union(holders)

    @property
    def unassigned(self) -> Slots:
        """Slots that nobody holds."""
        return slots.ALL & ~_union(self.held.values())

    @property
    def followed(self) -> frozenset[str]:
        """Ids of the nodes that others replicate."""
        return frozenset(each.own.primary for each in self.answering.values())


def look(view: TierView) -> Picture:
    """Put together what the servers say."""
    tier = view.tier
    size = tier.spec.shards or 0
    answering = {each.pod: each for each in view.members}
    present = {each.id for each in view.members}
    nodes = [node for each in view.members for node in each.nodes if "handshake" not in node.flags]
    pods = {node.id: node.pod for node in nodes if node.pod}
    pods |= {each.id: each.pod for each in view.members}
    homes = {
        id_: number
        for id_, pod in pods.items()
        if (number := names.shard_of(tier, pod)) is not None
    }
    wanted = _wanted_pods(view, size)
    gone = frozenset(
        node.id
        for node in nodes
        if node.id not in present
        and ((pod := pods.get(node.id, "")) in answering or pod not in wanted)
    )
    held = _holders(view.members)
    numbers = {*range(size), *(number for pod in wanted if (number := _number(tier, pod)) >= 0)}
    return Picture(
        size=size,
        shards={each: _shard(each, view.members, homes, held, gone) for each in sorted(numbers)},
        answering=answering,
        silent=wanted - answering.keys(),
        homes=homes,
        held=held,
        gone=gone,
        is_agreed=len({_said(each) for each in view.members}) <= 1,
    )


def _number(tier: RedisTier, pod: str) -> int:
    number = names.shard_of(tier, pod)
    return -1 if number is None else number


def _wanted_pods(view: TierView, size: int) -> frozenset[str]:
    """Return the pods that there should be, those of shards that are about to go included."""
    tier = view.tier
    servers = dict.fromkeys(range(size), tier.spec.replicas + 1)
    for ref, manifest in view.objects.items():
        number = ref.name.removeprefix(f"{tier.metadata.name}-")
        if ref.kind == "StatefulSet" and number.isdigit():
            servers.setdefault(int(number), number_at(manifest, "spec", "replicas"))
    return frozenset(
        names.member(tier, number, ordinal)
        for number, count in servers.items()
        for ordinal in range(count)
    )


def _holders(members: Iterable[Member]) -> dict[str, Slots]:
    """Return who holds which slots; of two that are said to, the one with the higher epoch."""
    claims: dict[str, tuple[int, Slots]] = {}
    for member in members:
        for node in member.nodes:
            claim = (node.epoch, node.slots)
            # A holder knows best what it holds.
            if node.id == member.id or claim > claims.get(node.id, (-1, 0)):
                claims[node.id] = claim
    own = {each.id: (each.own.epoch, each.own.slots) for each in members}
    held: dict[str, Slots] = {}
    taken = 0
    for id_, (_, claimed) in sorted(
        {**claims, **own}.items(), key=lambda each: (-each[1][0], each[0])
    ):
        held[id_] = claimed & ~taken
        taken |= claimed
    return {id_: found for id_, found in held.items() if found}


def _said(member: Member) -> frozenset[tuple[str, Slots]]:
    return frozenset((node.id, node.slots) for node in member.nodes if node.slots)


def _shard(
    number: int,
    everybody: Iterable[Member],
    homes: Mapping[str, int],
    held: Mapping[str, Slots],
    gone: frozenset[str],
) -> Shard:
    members = tuple(
        sorted(
            (each for each in everybody if homes.get(each.id) == number),
            key=lambda each: names.ordinal(each.pod),
        )
    )
    holders = {id_ for id_ in held if homes.get(id_) == number}
    return Shard(
        number=number,
        members=members,
        primary=_primary(members, holders, held, gone),
        slots=_union(held[each] for each in holders - gone),
    )


def _primary(
    members: tuple[Member, ...],
    holders: set[str],
    held: Mapping[str, Slots],
    gone: frozenset[str],
) -> Member | None:
    followed = [each.own.primary for each in members]
    present = [each for each in members if each.id in holders]
    if present:
        return max(present, key=lambda each: held[each.id].bit_count())
    if holders - gone or holders.intersection(followed):
        return None  # the holder comes back, or one that follows it is about to be promoted
    candidates = [each for each in members if not each.own.primary]
    return max(candidates, key=lambda each: followed.count(each.id), default=None)


def _union(sets: Iterable[Slots]) -> Slots:
    found = 0
    for each in sets:
        found |= each
    return found
