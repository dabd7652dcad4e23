"""The node guard: who is cut off, whose pods lose their traffic, and that nothing else does."""

import asyncio
import socket
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tenfold_operator.adapters.probe import answers
from tenfold_operator.guard import Guard
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.reachability import Contact, Node, NodePod, lost, without_traffic
from tenfold_operator.ports import Unavailable

NODES = ("a", "b", "c")
node_pods = st.lists(
    st.builds(
        NodePod,
        namespace=st.just("shop"),
        name=st.uuids().map(str),
        node=st.sampled_from(NODES),
        controller=st.sampled_from(["", "one", "two"]),
        is_ready=st.booleans(),
    )
)


def probed(*outcomes: tuple[float, str, bool]) -> frozenset[str]:
    """Return who is lost after these probes: when they began, of whom, and whether answered."""
    contacts = {name: Contact() for name in NODES}
    for began, name, is_answered in outcomes:
        contacts[name] = contacts[name].after(began, is_answered=is_answered)
    return lost(contacts)


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(NODES), st.booleans())))
def test_fewer_than_half_of_the_nodes_are_ever_lost(seen: list[tuple[float, str, bool]]) -> None:
    assert len(probed(*sorted(seen))) * 2 < len(NODES)


def test_one_of_three_is_lost_after_two_misses_that_others_answered_in() -> None:
    before = [(0.0, name, True) for name in NODES]
    others = [(1.0, "a", True), (1.0, "b", True)]
    assert probed(*before, (1.0, "c", False), *others) == set()
    assert probed(*before, (1.0, "c", False), *others, (2.0, "c", False)) == {"c"}
    assert probed(*before, (1.0, "c", False), (2.0, "c", False), *others) == {"c"}


def test_who_is_cut_off_himself_finds_nobody_lost_however_the_probes_fall() -> None:
    before = [(0.0, name, True) for name in NODES]
    itself = [(0.9, "c", True), (1.2, "c", True)]
    # The other node's next probe is not due yet when this one has failed twice.
    assert probed(*before, *itself, (1.0, "a", False), (1.3, "a", False)) == set()
    assert (
        probed(*before, *itself, (1.0, "a", False), (1.3, "a", False), (1.1, "b", False)) == set()
    )


@given(node_pods, st.frozensets(st.sampled_from(NODES)))
def test_somebody_is_left_to_serve(pods: list[NodePod], gone: frozenset[str]) -> None:
    out = without_traffic(pods, gone)
    assert all(each.node in gone and each.is_ready for each in out)
    for controller in {each.controller for each in out}:
        left = [each for each in pods if each not in out and each.is_ready]
        assert any(each.controller == controller and each.node not in gone for each in left)


class Cluster:
    """Implements ports.NodeCluster."""

    def __init__(self) -> None:
        self.away = False
        self.statuses: dict[str, Any] = {}

    def find(self, kind: str, namespace: str, selector: str) -> tuple[Any, ...]:
        if self.away:
            raise Unavailable("away")
        if kind == "Node":
            return tuple(_node(each) for each in NODES)
        pods = [_pod(f"web-{each}", each, "web") for each in NODES]
        return (*pods, _pod("alone", "c", "alone"))

    def merge_status(self, ref: Ref, status: Any) -> None:
        if self.away:
            raise Unavailable("away")
        self.statuses[ref.name] = status


def _node(name: str) -> Any:
    return {
        "metadata": {"name": name},
        "status": {
            "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        },
    }


def _pod(name: str, node: str, controller: str) -> Any:
    return {
        "metadata": {
            "namespace": "shop",
            "name": name,
            "ownerReferences": [{"uid": controller, "controller": True}],
        },
        "spec": {"nodeName": node},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


class FixedClock:
    """Implements ports.Clock."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


async def _probe_never(node: Node, patience: float) -> bool | None:
    await asyncio.sleep(3600)
    return None


async def silence(guard: Guard, times: int) -> None:
    """Node c does not answer, the others do."""
    for _ in range(times):
        for name in NODES:
            await guard.note(name, 1.0, is_answered=name != "c")


def test_pods_on_a_silent_node_lose_their_traffic_but_not_the_last_of_their_kind() -> None:
    async def play() -> Cluster:
        cluster = Cluster()
        guard = Guard(cluster, _probe_never, FixedClock(), ["shop"])
        await guard.refresh()
        await silence(guard, 1)
        assert not cluster.statuses, "one miss is none"
        await silence(guard, 1)
        return cluster

    (name, status), *more = asyncio.run(play()).statuses.items()
    assert (name, more) == ("web-c", [])
    (condition,) = status["conditions"]
    assert (condition["type"], condition["status"]) == ("Ready", "False")
    assert "c does not answer" in condition["message"]


def test_an_api_server_that_is_away_is_asked_again() -> None:
    async def play() -> Cluster:
        cluster = Cluster()
        guard = Guard(cluster, _probe_never, FixedClock(), ["shop"])
        await guard.refresh()
        cluster.away = True
        await silence(guard, 2)
        assert not cluster.statuses
        cluster.away = False
        await guard.act()
        return cluster

    assert list(asyncio.run(play()).statuses) == ["web-c"]


def test_who_refuses_a_connection_has_answered() -> None:
    async def play() -> tuple[bool | None, bool | None]:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        taken = await answers(Node("a", "127.0.0.1", port), 5)
        server.close()
        await server.wait_closed()
        return taken, await answers(Node("a", "127.0.0.1", port), 5)

    assert asyncio.run(play()) == (True, True)


def test_who_is_silent_has_not_answered() -> None:
    # A listener whose queue is full: the kernel drops what else comes in.
    async def play() -> bool | None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            address = listener.getsockname()
            fillers = [socket.socket() for _ in range(3)]
            for each in fillers:
                each.setblocking(False)
                each.connect_ex(address)
            try:
                return await answers(Node("a", *address), 0.5)
            finally:
                for each in fillers:
                    each.close()

    assert asyncio.run(play()) is False
