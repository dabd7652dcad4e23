"""The only writer."""

from datetime import UTC, datetime

import pytest
from tenfold_operator.apply import Applier
from tenfold_operator.model.base import JsonObject, ObjectMeta
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.actions import Action, Apply, MakePassword, Scale
from tenfold_operator.ports import Rejected

from tests.unit.operator.world import World

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNER = ObjectMeta(name="web", namespace="shop", uid="ours")
METADATA: JsonObject = {"name": "web", "namespace": "shop"}
SERVICE: JsonObject = {"kind": "Service", "metadata": METADATA, "spec": {"a": 1}}
SECRET: JsonObject = {"kind": "Secret", "metadata": METADATA}


def run(world: World, *actions: Action) -> None:
    Applier(world).run("Workload", OWNER, actions, NOW)


def test_an_object_of_somebody_else_is_not_taken_over() -> None:
    world = World()
    world.apply({**SERVICE, "spec": {"theirs": True}})
    with pytest.raises(Rejected, match="NameTaken"):
        run(world, Apply(manifest=SERVICE, is_new=True, why=""))
    assert world.get(Ref("Service", "shop", "web"))["spec"] == {"theirs": True}


def test_an_object_that_the_watch_has_not_told_of_yet_is_updated() -> None:
    world = World()
    metadata = {"name": "web", "namespace": "shop", "ownerReferences": [{"uid": "ours"}]}
    world.apply({**SERVICE, "metadata": metadata, "spec": {"a": 0}})
    run(world, Apply(manifest=SERVICE, is_new=True, why=""))
    assert world.get(Ref("Service", "shop", "web"))["spec"] == {"a": 1}


def test_what_follows_a_rejected_action_is_left_out() -> None:
    world = World()
    world.apply(SERVICE)
    scale = Scale(ref=Ref("Deployment", "shop", "absent"), replicas=0, why="")
    with pytest.raises(Rejected):
        run(world, Apply(manifest=SERVICE, is_new=True, why=""), scale)


def test_each_password_is_another_and_is_kept() -> None:
    passwords = []
    for _ in range(2):
        world = World()
        run(world, MakePassword(manifest=SECRET, why=""))
        first = world.get(Ref("Secret", "shop", "web"))["stringData"]["password"]
        run(world, MakePassword(manifest=SECRET, why=""))
        assert world.get(Ref("Secret", "shop", "web"))["stringData"]["password"] == first
        passwords.append(first)
    assert len(set(passwords)) == 2
    assert min(map(len, passwords)) >= 32
