"""The servers of a Redis Cluster: what they say, and single steps that each may be done again.

No step relies on the one before: an operator that ends in between leaves a state that the next look
finds and finishes.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import cast

import redis.asyncio
import redis.exceptions

from tenfold_operator.adapters.redis_client import FAILURES, ask, call, connect
from tenfold_operator.model.observed import ClusterNode, Slots, TierAccess
from tenfold_operator.plan import redis_slots as slots
from tenfold_operator.plan.redis_names import REDIS_PORT

QUESTIONS = (("CLUSTER", "NODES"), ("CLUSTER", "INFO"))
_PATIENCE_SECONDS = 1.0
_TURN_SECONDS = 3.0
"""How long slots are moved before the cluster is looked at again."""
_KEYS_AT_ONCE = 50
_MIGRATE_MILLISECONDS = 5000
_GIVE_UP_SECONDS = 30.0
_Node = redis.asyncio.Redis


def parse_nodes(
    text: str,
) -> tuple[str, tuple[ClusterNode, ...], Mapping[int, str], Mapping[int, str]]:
    """Return from CLUSTER NODES: the server's own id, all nodes, slots leaving and slots coming."""
    own, nodes = "", []
    leaving: dict[int, str] = {}
    coming: dict[int, str] = {}
    for line in text.splitlines():
        id_, address, flags, primary, _ping, _pong, epoch, _link, *places = line.split()
        held = 0
        for place in places:
            if place.startswith("["):
                # [SLOT->-ID] or [SLOT-<-ID]
                slot, mark, other = place.strip("[]").split("-")
                (leaving if mark == ">" else coming)[int(slot)] = other
            else:
                first, _, last = place.partition("-")
                held |= slots.of_range(int(first), int(last or first))
        if "myself" in flags.split(","):
            own = id_
        endpoint, _, host = address.partition(",")
        nodes.append(
            ClusterNode(
                id=id_,
                pod=host.partition(".")[0],
                address=endpoint.rpartition(":")[0],
                flags=frozenset(flags.split(",")),
                primary="" if primary == "-" else primary,
                epoch=int(epoch),
                slots=held,
            )
        )
    return own, tuple(nodes), leaving, coming


async def introduce(tier: TierAccess, pod: str, others: Sequence[str]) -> str:
    """Have `pod` meet the others where they are now; return why it was not done."""
    meetings = [("CLUSTER", "MEET", tier.servers[each], REDIS_PORT) for each in others]
    return await _tell(tier, pod, *meetings)


async def assign(
    tier: TierAccess, pod: str, unassigned: Slots, orphaned: Mapping[str, Slots]
) -> str:
    """Give slots to `pod` that nobody holds, or a node that is gone; return why it was not done."""
    commands: list[tuple[str | int, ...]] = []
    if unassigned:
        bounds = [bound for each in slots.ranges(unassigned) for bound in each]
        commands.append(("CLUSTER", "ADDSLOTSRANGE", *bounds))
    if orphaned:
        me = await _id_of(tier, pod)
        if not me:
            return f"{pod} does not answer"
        for holder, held in orphaned.items():
            for slot in slots.numbers(held):
                commands.append(("CLUSTER", "SETSLOT", slot, "IMPORTING", holder))
                commands.append(("CLUSTER", "SETSLOT", slot, "NODE", me))
    return await _tell(tier, pod, *commands, patience=_GIVE_UP_SECONDS)


async def replicate(tier: TierAccess, pod: str, primary: str) -> str:
    """Have `pod` follow the pod `primary`; return why it was not done."""
    id_ = await _id_of(tier, primary)
    if not id_:
        return f"{primary} does not answer"
    return await _tell(tier, pod, ("CLUSTER", "REPLICATE", id_))


async def forget(tier: TierAccess, ids: Sequence[str]) -> str:
    """Have every server forget these nodes; one that does not know them has nothing to do."""
    pairs = [(pod, ("CLUSTER", "FORGET", id_)) for pod in tier.servers for id_ in ids]
    await asyncio.gather(*(_tell(tier, pod, command) for pod, command in pairs))
    return ""


async def settle(tier: TierAccess, pod: str, held: Slots) -> str:
    """Have `pod` take slots for neither leaving nor coming; return why it was not done."""
    commands = [("CLUSTER", "SETSLOT", slot, "STABLE") for slot in slots.numbers(held)]
    return await _tell(tier, pod, *commands)


async def move_slots(tier: TierAccess, source: str, target: str, held: Slots) -> tuple[int, str]:
    """Move slots and their keys, as many as a turn allows; return how many, and what went wrong."""
    moved, deadline = 0, time.monotonic() + _TURN_SECONDS
    try:
        async with (
            asyncio.timeout(_GIVE_UP_SECONDS),
            # Keys are bytes, and need not be text.
            await connect(tier.servers[source], REDIS_PORT, tier.login, decode=False) as old,
            await connect(tier.servers[target], REDIS_PORT, tier.login, decode=False) as new,
        ):
            ids = [cast(bytes, await call(each, "CLUSTER", "MYID")).decode() for each in (old, new)]
            for slot in slots.numbers(held):
                if moved and time.monotonic() > deadline:
                    break
                await _open(old, new, slot, *ids)
                await _empty(old, slot, tier.servers[target], tier.password)
                # The new holder first: if the other did not hear of it, nobody would have it.
                for each in (new, old):
                    await call(each, "CLUSTER", "SETSLOT", slot, "NODE", ids[1])
                moved += 1
    except FAILURES as error:
        return moved, f"slots from {source} to {target}: {error or 'no answer'}"
    return moved, ""


async def _open(old: _Node, new: _Node, slot: int, old_id: str, new_id: str) -> None:
    """Have the new holder take what it is asked for, then the old one ask for what it lacks."""
    await call(new, "CLUSTER", "SETSLOT", slot, "IMPORTING", old_id)
    await call(old, "CLUSTER", "SETSLOT", slot, "MIGRATING", new_id)


async def _empty(old: _Node, slot: int, address: str, password: str) -> None:
    while keys := await call(old, "CLUSTER", "GETKEYSINSLOT", slot, _KEYS_AT_ONCE):
        # What was copied before and not deleted here has changed here alone: REPLACE.
        to = ("MIGRATE", address, REDIS_PORT, "", 0, _MIGRATE_MILLISECONDS)
        await call(old, *to, "REPLACE", "AUTH", password, "KEYS", *cast(list[bytes], keys))


async def _id_of(tier: TierAccess, pod: str) -> str:
    answers = await ask(
        tier.servers[pod], REDIS_PORT, tier.login, _PATIENCE_SECONDS, ("CLUSTER", "MYID")
    )
    return str(answers[0]) if answers else ""


async def _tell(
    tier: TierAccess,
    pod: str,
    *commands: Sequence[str | int],
    patience: float = _PATIENCE_SECONDS,
) -> str:
    """Return the server's own words where it refuses."""
    try:
        async with (
            asyncio.timeout(patience),
            await connect(tier.servers[pod], REDIS_PORT, tier.login) as client,
        ):
            for command in commands:
                await call(client, *command)
    except FAILURES as error:
        return f"{pod}: {error or 'no answer'}"
    return ""
