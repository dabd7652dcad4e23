"""A Redis Cluster as a model: what its servers say, and what becomes of it when plans are done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import Ref, ref_of
from tenfold_operator.model.observed import (
    ClusterNode,
    Member,
    ServerAnswer,
    Slots,
    TierPod,
    TierView,
)
from tenfold_operator.plan import redis_slots as slots
from tenfold_operator.plan.actions import (
    Apply,
    AssignSlots,
    ClusterAction,
    Delete,
    ForgetNodes,
    Introduce,
    MoveSlots,
    Plan,
    Replicate,
    SetStatus,
    SettleSlots,
)
from tenfold_operator.plan.redis_cluster import plan_cluster
from tenfold_operator.plan.redis_config import live_settings

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NEWEST = "new"
Manifest = dict[str, Any]


@dataclass
class Server:
    """One Redis server of the model; `held` is the truth that all who know it agree on."""

    pod: str
    id: str
    primary: str = ""
    held: Slots = 0
    leaving: dict[int, str] = field(default_factory=dict)
    coming: dict[int, str] = field(default_factory=dict)
    keys: int = 0
    known: set[str] = field(default_factory=set)
    is_up: bool = True
    looks_elsewhere: bool = False
    """Whether it looks for its primary where that is no longer, which Redis may leave it to do."""


class World:
    """A tier, its objects and its servers; `former` are nodes without a server any more."""

    def __init__(self, shards: int = 3, replicas: int = 1) -> None:
        self.spec: Manifest = {
            "memory": "64Mi",
            "topology": "cluster",
            "shards": shards,
            "replicas": replicas,
        }
        self.objects: dict[Ref, Manifest] = {}
        self.servers: dict[str, Server] = {}
        self.former: dict[str, Server] = {}
        self.status: Manifest = {}
        self.annotations: dict[str, str] = {}
        self._born = 0

    @property
    def tier(self) -> RedisTier:
        meta = {
            "name": "l4",
            "namespace": "shop",
            "uid": "u",
            "generation": 1,
            "annotations": self.annotations,
        }
        document = {"metadata": meta, "spec": self.spec, "status": self.status}
        return RedisTier.model_validate(document)

    @property
    def view(self) -> TierView:
        self._gossip()
        members = tuple(self._member(each) for each in self.servers.values() if each.is_up)
        return TierView(
            tier=self.tier,
            objects=self.objects,
            has_password=True,
            passwords=("new",),
            servers=tuple(each.server for each in members),
            members=members,
            pods=tuple(
                TierPod(each.pod, "10.0.0.1", each.is_up, False, NEWEST)
                for each in self.servers.values()
            ),
        )

    def plan(self) -> Plan:
        return plan_cluster(self.view, NOW)

    def settle(self, rounds: int = 200) -> int:
        """Plan and do, until nothing is left to do; return how many rounds that took."""
        for number in range(rounds):
            plan = self.plan()
            if not self.do(plan):
                return number
        raise AssertionError(f"never done: {plan}")

    def do(self, plan: Plan) -> bool:
        """Carry the plan out; return whether there was anything to do."""
        done = False
        for action in plan:
            match action:
                case Apply(manifest=manifest):
                    self._apply(manifest)
                case Delete(ref=ref):
                    self._delete(ref)
                case SetStatus(status=status):
                    self.status = status
                case _ if isinstance(action, ClusterAction):
                    self.act(action)
                case _:
                    continue
            done = True
        return done

    def act(self, action: ClusterAction) -> None:
        match action:
            case Introduce(pod=pod, others=others):
                self._introduce(pod, others)
            case AssignSlots(pod=pod, unassigned=unassigned, orphaned=orphaned):
                assert not unassigned & self.all_held(), "they have a holder"
                for id_, held in orphaned.items():
                    assert held & self.former[id_].held == held, "its holder is not gone"
                    self.former[id_].held &= ~held
                    self.servers[pod].held |= held
                self.servers[pod].held |= unassigned
            case Replicate(pod=pod, primary=primary):
                server = self.servers[pod]
                assert not server.held, "a holder of slots never follows"
                assert server.primary or not server.keys, "nor does one with keys"
                server.primary = self.servers[primary].id
                server.looks_elsewhere = False
                server.leaving, server.coming = {}, {}
            case ForgetNodes(ids=ids):
                for id_ in ids:
                    assert not self.former[id_].held, "a holder of slots is never forgotten"
                    for server in self.servers.values():
                        if server.is_up:
                            server.known.discard(id_)
            case SettleSlots(pod=pod, slots=held):
                for slot in slots.numbers(held):
                    self.servers[pod].leaving.pop(slot, None)
                    self.servers[pod].coming.pop(slot, None)
            case MoveSlots(source=source, target=target, slots=held):
                self.open(source, target, next(slots.numbers(held)))
                self.close(source, target, held)

    def open(self, source: str, target: str, slot: int) -> None:
        old, new = self.servers[source], self.servers[target]
        assert old.held >> slot & 1, "only a holder gives a slot away"
        assert not new.primary, "only a primary takes one"
        new.coming[slot], old.leaving[slot] = old.id, new.id

    def close(self, source: str, target: str, held: Slots) -> None:
        old, new = self.servers[source], self.servers[target]
        assert not held & ~old.held, "only a holder gives slots away"
        old.held &= ~held
        new.held |= held
        for slot in [each for each in new.coming if held >> each & 1]:
            del new.coming[slot]
        for slot in [each for each in old.leaving if held >> each & 1]:
            del old.leaving[slot]

    def fail_over(self, pod: str) -> None:
        """Have a replica take over, as the cluster itself decides it."""
        new = self.servers[pod]
        old = next(each for each in self.nodes() if each.id == new.primary)
        new.held, old.held = old.held, 0
        for each in self.servers.values():
            if each.primary == old.id:
                each.primary = new.id
        new.primary, old.primary = "", new.id
        old.leaving, old.coming = {}, {}

    def wipe(self, pod: str) -> None:
        """Have a server begin anew, with an empty volume."""
        old = self.servers.pop(pod)
        self.former[old.id] = old
        self._born_anew(pod)

    def nodes(self) -> list[Server]:
        return [*self.servers.values(), *self.former.values()]

    def all_held(self) -> Slots:
        found = 0
        for each in self.nodes():
            assert not found & each.held, "two holders"
            found |= each.held
        return found

    def sizes(self) -> dict[str, int]:
        """How many slots each server holds that holds some."""
        return {each.pod: each.held.bit_count() for each in self.servers.values() if each.held}

    def _introduce(self, pod: str, others: tuple[str, ...]) -> None:
        known = set(self.servers[pod].known)
        for each in others:
            known |= self.servers[each].known
        for server in self.servers.values():
            if server.id in known and server.is_up:
                server.known |= known

    def _gossip(self) -> None:
        """Have those that know each other hear of all that the other knows."""
        up = [each for each in self.servers.values() if each.is_up]
        for one in up:
            for other in up:
                if one.id in other.known and other.id in one.known:
                    one.known |= other.known

    def _born_anew(self, pod: str) -> None:
        self._born += 1
        id_ = f"{self._born:040d}"
        self.servers[pod] = Server(pod, id_, known={id_})

    def _apply(self, manifest: Manifest) -> None:
        ref = ref_of(manifest)
        self.objects[ref] = {**manifest, "status": {}}
        if ref.kind == "StatefulSet":
            size = manifest["spec"]["replicas"]
            status = {"availableReplicas": size, "updateRevision": NEWEST}
            self.objects[ref]["status"] = status
            for number in range(size):
                if f"{ref.name}-{number}" not in self.servers:
                    self._born_anew(f"{ref.name}-{number}")

    def _delete(self, ref: Ref) -> None:
        del self.objects[ref]
        if ref.kind != "StatefulSet":
            return
        for pod in [each for each in self.servers if each.startswith(f"{ref.name}-")]:
            gone = self.servers.pop(pod)
            assert not gone.held, "a shard that holds slots is never deleted"
            self.former[gone.id] = gone

    def _member(self, server: Server) -> Member:
        known = [each for each in self.nodes() if each.id in server.known]
        nodes = tuple(
            ClusterNode(
                id=each.id,
                pod=each.pod,
                address="10.0.0.1",
                flags=frozenset({"myself"} if each.id == server.id else set()),
                primary=each.primary,
                epoch=1,
                slots=each.held,
            )
            for each in known
        )
        answer = ServerAnswer(
            server.pod,
            "replica" if server.primary else "primary",
            upstream="it" if server.primary and not server.looks_elsewhere else "",
            keys=server.keys,
            settings=live_settings(self.tier),
            passwords=frozenset({"new"}),
            follows_by="new",
        )
        return Member(
            server=answer,
            id=server.id,
            nodes=nodes,
            leaving=dict(server.leaving),
            coming=dict(server.coming),
            is_ok=True,
            source=("10.0.0.9" if server.looks_elsewhere else "10.0.0.1") if server.primary else "",
        )
