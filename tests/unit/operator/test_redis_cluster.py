"""A Redis Cluster is formed, healed and resized, step by step and from wherever it was left."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tenfold_operator.adapters.redis_cluster import parse_nodes
from tenfold_operator.plan import redis_slots as slots
from tenfold_operator.plan.actions import (
    Action,
    Announce,
    ClusterAction,
    Delete,
    Introduce,
    MoveSlots,
    Plan,
    Refuse,
    Replicate,
    Wait,
)

from tests.unit.operator.redis_cluster_world import World

SETS = st.integers(min_value=0, max_value=(1 << 600) - 1).map(lambda each: each << 300)


def formed(shards: int = 3, replicas: int = 1) -> World:
    world = World(shards, replicas)
    world.settle()
    return world


def kinds(plan: Plan) -> list[type[Action]]:
    return [type(each) for each in plan if isinstance(each, ClusterAction | Delete)]


def reasons(plan: Plan) -> list[str]:
    return [each.reason for each in plan if isinstance(each, Wait | Refuse)]


def condition(world: World, name: str) -> tuple[str, str, str]:
    (found,) = [each for each in world.status["conditions"] if each["type"] == name]
    return found["status"], found["reason"], found["message"]


@given(SETS)
def test_a_set_of_slots_is_the_same_as_numbers_and_as_ranges(held: int) -> None:
    assert slots.of_numbers(slots.numbers(held)) == held
    ranges = list(slots.ranges(held))
    assert sum(last - first + 1 for first, last in ranges) == held.bit_count()
    assert all(slots.of_range(*each) & ~held == 0 for each in ranges)


@given(st.integers(1, 60))
def test_the_shares_of_a_new_cluster_are_all_slots_and_none_twice(shards: int) -> None:
    shares = [slots.share(each, shards) for each in range(shards)]
    assert sum(shares) == slots.ALL
    sizes = [each.bit_count() for each in shares]
    assert max(sizes) - min(sizes) <= 1


@st.composite
def holdings(draw: st.DrawFn) -> dict[int, int]:
    """Slots of up to six shards, in blocks."""
    holders = draw(st.lists(st.integers(0, 5), min_size=64, max_size=64))
    held = dict.fromkeys(range(6), 0)
    for block, holder in enumerate(holders):
        held[holder] |= slots.of_range(block * 256, block * 256 + 255)
    return held


@settings(deadline=None)
@given(holdings(), st.integers(3, 6))
def test_transfers_make_shards_equal_and_move_no_slot_twice(
    held: dict[int, int], shards: int
) -> None:
    moved = 0
    for each in slots.transfers(held, shards):
        assert each.slots & ~held[each.source] == 0
        assert not each.slots & moved
        moved |= each.slots
        held[each.source] &= ~each.slots
        held[each.target] |= each.slots
    sizes = [held[each].bit_count() for each in range(shards)]
    assert sum(sizes) == slots.COUNT
    assert max(sizes) - min(sizes) <= 1
    assert list(slots.transfers(held, shards)) == []


def test_a_new_cluster_shares_its_slots_and_every_shard_has_a_replica() -> None:
    world = formed()
    assert world.sizes() == {"l4-0-0": 5461, "l4-1-0": 5461, "l4-2-0": 5462}
    for number in range(3):
        assert world.servers[f"l4-{number}-1"].primary == world.servers[f"l4-{number}-0"].id
    assert condition(world, "Ready")[:2] == ("True", "InSync")
    assert condition(world, "Balanced")[:2] == ("True", "Balanced")
    assert world.plan() == ()


def test_nothing_is_given_away_while_a_server_is_silent_that_may_hold_it() -> None:
    world = World()
    world.do(world.plan())
    world.servers["l4-2-1"].is_up = False
    for _ in range(3):
        plan = world.plan()
        world.do(plan)
    assert kinds(plan) == []
    assert reasons(plan) == ["l4-2-1 may hold slots: nothing is given away before"]


def test_servers_that_moved_to_other_addresses_meet_again() -> None:
    world = formed()
    world.servers["l4-1-0"].known = {world.servers["l4-1-0"].id}
    (act,) = [each for each in world.plan() if isinstance(each, ClusterAction)]
    assert isinstance(act, Introduce)
    assert act.others == ("l4-1-0",)


def test_a_replica_that_looks_for_its_primary_at_a_former_address_is_told_again() -> None:
    world = formed()
    world.servers["l4-1-1"].looks_elsewhere = True
    (step,) = [each for each in world.plan() if isinstance(each, ClusterAction)]
    assert isinstance(step, Replicate)
    assert (step.pod, step.primary) == ("l4-1-1", "l4-1-0")
    world.settle()
    assert condition(world, "Ready")[:2] == ("True", "InSync")


def test_a_shard_that_was_failed_over_is_left_as_it_is_and_the_event_says_so() -> None:
    world = formed()
    world.fail_over("l4-1-1")
    plan = world.plan()
    assert kinds(plan) == []
    assert [each.message for each in plan if isinstance(each, Announce)] == [
        "the primary of shard 1 moved from l4-1-0 to l4-1-1"
    ]


def test_a_primary_that_lost_its_volume_waits_for_its_replica_and_then_follows_it() -> None:
    world = formed()
    world.wipe("l4-1-0")
    world.do(world.plan())
    plan = world.plan()
    assert kinds(plan) == []
    assert reasons(plan) == ["l4-1-1 should be promoted by the other shards"]
    world.fail_over("l4-1-1")
    world.settle()
    assert world.servers["l4-1-0"].primary == world.servers["l4-1-1"].id
    assert all(len(each.known) == 6 for each in world.servers.values())


def test_a_shard_that_lost_all_its_volumes_takes_its_slots_up_empty() -> None:
    world = formed()
    for pod in ("l4-1-0", "l4-1-1"):
        world.wipe(pod)
    world.settle()
    assert world.sizes()["l4-1-0"] == 5461
    assert all(len(each.known) == 6 for each in world.servers.values())


def test_keys_without_slots_are_for_a_person_to_look_at() -> None:
    world = formed()
    world.wipe("l4-1-1")
    world.servers["l4-1-1"].keys = 7
    world.do(world.plan())
    plan = world.plan()
    assert reasons(plan) == ["StrayKeys"]
    assert Replicate not in kinds(plan)


def test_another_size_moves_only_what_has_to_move() -> None:
    world = formed()
    before = {each.pod: each.held for each in world.servers.values()}
    world.spec["shards"] = 4
    world.settle()
    assert set(world.sizes().values()) == {4096}
    for pod in ("l4-0-0", "l4-1-0", "l4-2-0"):
        assert world.servers[pod].held & ~before[pod] == 0
    world.spec["shards"] = 3
    world.settle()
    assert sorted(world.servers) == [f"l4-{n}-{m}" for n in range(3) for m in range(2)]
    assert all(len(each.known) == 6 for each in world.servers.values())
    assert condition(world, "Balanced")[:2] == ("True", "Balanced")


def test_a_shard_gets_no_slots_before_it_has_a_replica() -> None:
    world = formed()
    world.spec["shards"] = 4
    world.do(world.plan())
    world.servers["l4-3-1"].is_up = False
    for _ in range(3):
        plan = world.plan()
        world.do(plan)
    assert kinds(plan) == []
    assert set(reasons(plan)) == {"no replica of shard 3 is connected: it gets no slots"}
    assert condition(world, "Balanced")[1] == "Waiting"


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_slot_whose_move_was_interrupted_by_a_failover_arrives(side: str) -> None:
    world = formed()
    world.open("l4-0-0", "l4-1-0", 7)
    # The new primary knows nothing of the move.
    world.fail_over("l4-0-1" if side == "source" else "l4-1-1")
    (act, *_) = [each for each in world.plan() if isinstance(each, ClusterAction)]
    assert isinstance(act, MoveSlots)
    assert act.slots == 1 << 7
    assert (act.source, act.target) == (
        ("l4-0-1", "l4-1-0") if side == "source" else ("l4-0-0", "l4-1-1")
    )
    world.settle()
    assert not any(each.leaving or each.coming for each in world.servers.values())


def test_a_hand_over_by_annotation_is_refused_with_what_to_do_instead() -> None:
    world = formed()
    world.annotations["tenfold.dev/handover"] = "2026-01-01T12:00:00Z"
    assert reasons(world.plan()) == ["NotInACluster"]


class Interruptions:
    """What may happen between two looks of the operator, chosen by hypothesis."""

    def __init__(self, world: World, data: st.DataObject) -> None:
        self._world = world
        self._data = data

    def _one_of(self, found: list[Any]) -> Any:
        return self._data.draw(st.sampled_from(found)) if found else None

    def strike(self) -> None:
        world = self._world
        events = ["resize", "fail over", "wipe", "silence", "move"]
        match self._data.draw(st.sampled_from(events)):
            case "resize":
                world.spec["shards"] = self._data.draw(st.integers(3, 5))
            case "fail over":
                ids = {each.id for each in world.servers.values() if each.held}
                fit = [e.pod for e in world.servers.values() if e.primary in ids and e.is_up]
                if pod := self._one_of(fit):
                    world.fail_over(pod)
            case "wipe":
                replicas = [each.pod for each in world.servers.values() if each.primary]
                if pod := self._one_of(replicas):
                    world.wipe(pod)
            case "move":
                replicas = [each.pod for each in world.servers.values() if each.primary]
                if pod := self._one_of(replicas):
                    world.servers[pod].looks_elsewhere = True
            case "silence":
                if pod := self._one_of(list(world.servers)):
                    world.servers[pod].is_up ^= True

    def do(self, plan: Plan) -> None:
        """Carry out a part of the plan; a move may end half way."""
        for action in plan[: self._data.draw(st.integers(0, len(plan)))]:
            if isinstance(action, MoveSlots):
                some = slots.of_numbers(list(slots.numbers(action.slots))[:3])
                self._world.open(action.source, action.target, next(slots.numbers(some)))
                if self._data.draw(st.booleans()):
                    part = MoveSlots(source=action.source, target=action.target, slots=some, why="")
                    self._world.act(part)
            else:
                self._world.do((action,))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_happens_every_slot_keeps_one_holder_and_in_the_end_all_is_well(
    data: st.DataObject,
) -> None:
    world = formed()
    events = Interruptions(world, data)
    for _ in range(data.draw(st.integers(1, 8))):
        if data.draw(st.booleans()):
            events.strike()
        # The model itself asserts what must never be asked for.
        events.do(world.plan())
        assert world.all_held() == slots.ALL
    for each in world.servers.values():
        each.is_up = True
    world.settle()
    size = world.spec["shards"]
    sizes = list(world.sizes().values())
    assert len(sizes) == size
    assert sum(sizes) == slots.COUNT
    assert max(sizes) - min(sizes) <= 1
    assert all(len(each.known) == 2 * size for each in world.servers.values())
    assert not any(each.leaving or each.coming for each in world.servers.values())
    assert world.plan() == ()


def test_what_a_server_says_of_the_nodes_is_read() -> None:
    a, b = "a" * 40, "b" * 40
    own, nodes, leaving, coming = parse_nodes(
        f"{a} 10.0.0.1:6379@16379,l4-0-0.l4-nodes.shop.svc.cluster.local myself,master - 0 0 3 "
        f"connected 0-2 5 [1->-{b}] [9-<-{b}]\n"
        f"{b} :0@0 slave,noaddr {a} 1 2 3 disconnected\n"
    )
    assert own == a
    assert (nodes[0].pod, nodes[0].address, nodes[0].epoch) == ("l4-0-0", "10.0.0.1", 3)
    assert list(slots.numbers(nodes[0].slots)) == [0, 1, 2, 5]
    assert (nodes[1].pod, nodes[1].address, nodes[1].primary) == ("", "", a)
    assert (leaving, coming) == ({1: b}, {9: b})
