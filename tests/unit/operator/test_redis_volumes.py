"""Volumes of a tier grow step by step, from wherever an operator left them, and never shrink."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tenfold_operator.handlers.claims import claims, growable
from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import Ref, quantity, ref_of
from tenfold_operator.model.observed import Claim, TierView
from tenfold_operator.plan.actions import Action, Apply, Delete, Merge, Plan, Refuse, SetStatus
from tenfold_operator.plan.redis import plan_tier
from tenfold_operator.plan.redis_cluster import plan_cluster
from tenfold_operator.plan.redis_volumes import classes_in_question

from tests.unit.operator.world import World

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SIZES = ("1Gi", "1536Mi", "2Gi", "1Ti")
TOPOLOGIES: dict[str, dict[str, Any]] = {
    "replicated": {"replicas": 2},
    "cluster": {"topology": "cluster", "shards": 3, "replicas": 1},
}
Manifest = dict[str, Any]


def at_least(one: str, other: str) -> bool:
    sizes = quantity(one), quantity(other)
    assert sizes[0] is not None
    assert sizes[1] is not None
    return sizes[0] >= sizes[1]


class Volumes:
    """What Kubernetes makes of a tier's plans: it takes and refuses what the API server does."""

    def __init__(self, topology: str, *, may_grow: bool = True) -> None:
        self.spec: Manifest = {"memory": "64Mi", **TOPOLOGIES[topology]}
        self.grow("1Gi")
        self.may_grow = may_grow
        self.objects: dict[Ref, Manifest] = {}
        self.claims: dict[str, Claim] = {}
        self.status: Manifest = {}
        self.made_anew = 0

    def grow(self, size: str) -> None:
        self.spec["persistence"] = {"size": size}

    @property
    def size(self) -> str:
        return str(self.spec["persistence"]["size"])

    @property
    def view(self) -> TierView:
        meta = {"name": "l2", "namespace": "shop", "uid": "u", "generation": 1}
        document = {"metadata": meta, "spec": self.spec, "status": self.status}
        view = TierView(
            tier=RedisTier.model_validate(document),
            objects=copy.deepcopy(self.objects),
            has_password=True,
            claims=tuple(self.claims.values()),
        )
        return replace(view, growable=classes_in_question(view) if self.may_grow else frozenset())

    def plan(self) -> Plan:
        is_cluster = "shards" in self.spec
        return plan_cluster(self.view, NOW) if is_cluster else plan_tier(self.view, NOW)

    def touches(self) -> list[Action]:
        """What the operator would write now of StatefulSets and claims."""
        return [
            each
            for each in self.plan()
            if isinstance(each, Merge | Delete)
            or (isinstance(each, Apply) and each.manifest["kind"] == "StatefulSet")
        ]

    def do(self, plan: Plan) -> None:
        for action in plan:
            match action:
                case Apply(manifest=manifest):
                    self._apply(copy.deepcopy(manifest))
                case Merge(ref=ref, patch=patch):
                    self._expand(ref, patch)
                case Delete(ref=ref, alone=alone):
                    assert alone, "the pods would go with it"
                    assert ref.kind == "StatefulSet"
                    self._set(ref.name)["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
                case SetStatus(status=status):
                    self.status = status

    def _apply(self, manifest: Manifest) -> None:
        ref = ref_of(manifest)
        known = self.objects.get(ref)
        if ref.kind == "StatefulSet" and known:
            assert "deletionTimestamp" not in known["metadata"], "it is about to go"
            templates = [each["spec"]["volumeClaimTemplates"] for each in (known, manifest)]
            assert templates[0] == templates[1], "the API server refuses another template"
        size = manifest.get("spec", {}).get("replicas", 0)
        status = {"updatedReplicas": size, "availableReplicas": size}
        self.objects[ref] = {**manifest, "status": status}

    def _expand(self, ref: Ref, patch: Any) -> None:
        claim, size = self.claims[ref.name], patch["spec"]["resources"]["requests"]["storage"]
        assert self.may_grow, "the API server refuses it: the class does not allow it"
        assert claim.capacity, "the API server refuses it: only bound claims can be expanded"
        assert at_least(size, claim.requested), "volumes never shrink"
        self.claims[ref.name] = replace(claim, requested=size)

    def _set(self, name: str) -> Manifest:
        return self.objects[Ref("StatefulSet", "shop", name)]

    def sets(self) -> list[Manifest]:
        sentinels = "l2-sentinel"
        found = [each for ref, each in self.objects.items() if ref.kind == "StatefulSet"]
        return [each for each in found if each["metadata"]["name"] != sentinels]

    def template(self, manifest: Manifest) -> str:
        (claim,) = manifest["spec"]["volumeClaimTemplates"]
        return str(claim["spec"]["resources"]["requests"]["storage"])

    # What the controllers do, each in its own time.

    def make_claims(self) -> None:
        for each in self.sets():
            for number in range(each["spec"]["replicas"]):
                name = f"data-{each['metadata']['name']}-{number}"
                new = Claim(
                    name=name,
                    requested=self.template(each),
                    capacity="",
                    storage_class="fast",
                )
                self.claims.setdefault(name, new)

    def bind(self) -> None:
        for name, claim in self.claims.items():
            if not claim.capacity:
                self.claims[name] = replace(claim, capacity=claim.requested)

    def resize(self) -> None:
        for name, claim in self.claims.items():
            if claim.capacity:
                self.claims[name] = replace(claim, capacity=claim.requested)

    def let_go(self) -> None:
        """Remove StatefulSets that are about to go, as soon as their pods are orphans."""
        for each in self.sets():
            if "deletionTimestamp" in each["metadata"]:
                del self.objects[ref_of(each)]
                self.made_anew += 1

    def settle(self) -> None:
        """Let everybody do what there is to do, until there is nothing."""
        for _ in range(20):
            before = copy.deepcopy((self.objects, self.claims, self.status))
            self.do(self.plan())
            for each in (self.make_claims, self.bind, self.resize, self.let_go):
                each()
            if before == (self.objects, self.claims, self.status):
                return
        raise AssertionError("never done")

    def condition(self) -> tuple[str, str, str]:
        (found,) = [each for each in self.status["conditions"] if each["type"] == "VolumesGrown"]
        return found["status"], found["reason"], found["message"]


def running(topology: str, **more: Any) -> Volumes:
    world = Volumes(topology, **more)
    world.settle()
    return world


EVERY_TOPOLOGY = pytest.mark.parametrize("topology", TOPOLOGIES)
EVENTS = st.sampled_from(
    ["operator", "operator", "interrupted", "make_claims", "bind", "resize", "let_go", *SIZES]
)


@EVERY_TOPOLOGY
@settings(deadline=None)
@given(st.lists(EVENTS, max_size=30), st.data())
def test_volumes_grow_wherever_an_operator_was_ended(
    topology: str, events: list[str], data: st.DataObject
) -> None:
    world = running(topology) if data.draw(st.booleans()) else Volumes(topology)
    for event in events:
        if event in SIZES:
            if at_least(event, world.size):  # the API server refuses the others
                world.grow(event)
        elif event == "operator":
            world.do(world.plan())
        elif event == "interrupted":
            plan = world.plan()
            world.do(plan[: data.draw(st.integers(0, len(plan)))])
        else:
            getattr(world, event)()
    world.settle()
    assert {at_least(each.capacity, world.size) for each in world.claims.values()} == {True}
    assert {world.template(each) for each in world.sets()} == {world.size}
    assert world.condition()[:2] == ("True", "AsWanted")
    assert world.touches() == []


@EVERY_TOPOLOGY
def test_each_statefulset_is_made_anew_once_and_after_its_claims(topology: str) -> None:
    world = running(topology)
    world.grow("2Gi")
    first = world.touches()
    assert {type(each) for each in first} == {Merge}
    assert len(first) == len(world.claims)
    world.do(world.plan())
    second = world.touches()
    assert {type(each) for each in second} == {Delete}
    assert len(second) == len(world.sets())
    world.do(world.plan())
    assert world.touches() == []  # they have not gone yet
    world.settle()
    assert world.made_anew == len(world.sets())


@EVERY_TOPOLOGY
def test_nothing_is_touched_where_the_class_does_not_let_volumes_grow(topology: str) -> None:
    world = running(topology, may_grow=False)
    before = copy.deepcopy((world.objects, world.claims))
    world.grow("2Gi")
    world.settle()
    assert (world.objects, world.claims) == before
    status, reason, message = world.condition()
    assert (status, reason) == ("False", "CannotExpand")
    assert "StorageClass fast does not have allowVolumeExpansion" in message
    assert "VolumesCannotGrow" in [e.reason for e in world.plan() if isinstance(e, Refuse)]
    world.may_grow = True
    world.settle()
    assert world.condition()[1] == "AsWanted"


def test_one_volume_that_cannot_grow_holds_back_the_others() -> None:
    world = running("replicated")
    world.grow("2Gi")
    world.claims["data-l2-2"] = replace(world.claims["data-l2-2"], storage_class="")
    view = replace(world.view, growable=frozenset({"fast"}))
    assert [each for each in plan_tier(view, NOW) if isinstance(each, Merge | Delete)] == []


def test_other_changes_of_a_tier_are_made_while_its_volumes_cannot_grow() -> None:
    world = running("replicated", may_grow=False)
    world.grow("2Gi")
    world.spec["replicas"] = 3
    world.settle()
    assert world.claims["data-l2-3"].requested == "1Gi"


def test_the_condition_says_what_is_waited_for() -> None:
    world = running("replicated")
    world.grow("2Gi")
    world.do(world.plan())
    assert world.condition()[1:] == (
        "Growing",
        "volumes grow to 2Gi: data-l2-0 has 1Gi, not asked to grow yet; data-l2-1 has 1Gi, not "
        "asked to grow yet; data-l2-2 has 1Gi, not asked to grow yet; StatefulSet l2 is to be made "
        "anew",
    )
    for _ in range(3):
        world.do(world.plan())
        world.let_go()
    for name in ("data-l2-0", "data-l2-2"):
        world.claims[name] = replace(world.claims[name], capacity="2Gi")
    waiting = replace(world.claims["data-l2-1"], notes="FileSystemResizePending")
    world.claims["data-l2-1"] = waiting
    world.do(world.plan())
    message = "volumes grow to 2Gi: data-l2-1 has 1Gi (FileSystemResizePending)"
    assert world.condition()[1:] == ("Growing", message)


def test_a_volume_that_is_larger_than_asked_for_is_left_alone() -> None:
    world = running("replicated")
    large = replace(world.claims["data-l2-1"], requested="4Gi", capacity="4Gi")
    world.claims["data-l2-1"] = large
    world.grow("2Gi")
    world.settle()
    assert world.claims["data-l2-1"] == large


def test_volumes_of_servers_that_went_are_left_alone() -> None:
    world = running("replicated")
    world.spec["replicas"] = 1
    world.settle()
    world.grow("2Gi")
    world.settle()
    assert world.claims["data-l2-2"].requested == "1Gi"
    world.spec["replicas"] = 2
    world.settle()
    assert world.claims["data-l2-2"].capacity == "2Gi"


def test_claims_and_classes_are_read_as_the_api_server_writes_them() -> None:
    manifest: Manifest = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-l2-0", "namespace": "shop"},
        "spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "2Gi"}}},
        "status": {
            "phase": "Bound",
            "capacity": {"storage": "1Gi"},
            "conditions": [
                {"type": "FileSystemResizePending", "status": "True", "message": "wait for a node"},
                {"type": "Resizing", "status": "False"},
            ],
        },
    }
    found = Claim(
        name="data-l2-0",
        requested="2Gi",
        capacity="1Gi",
        storage_class="fast",
        notes="FileSystemResizePending: wait for a node",
    )
    assert claims([manifest, {"kind": "Pod"}]) == (found,)
    pending = {**manifest, "status": {"phase": "Pending"}}
    assert claims([pending]) == (replace(found, capacity="", notes=""),)
    world = World()
    for name, allowed in (("fast", True), ("slow", False), ("old", None)):
        meta = {"name": name, "namespace": ""}
        own = {} if allowed is None else {"allowVolumeExpansion": allowed}
        world.apply({"kind": "StorageClass", "metadata": meta, **own})
    assert growable(world, ["fast", "slow", "old", "gone", ""]) == {"fast"}
