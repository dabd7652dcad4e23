"""A rollout under the operator itself, and what a person does to it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from tenfold_operator.model.generated import Workload

from tests.unit.operator.world import World, template

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
_CANARY = {
    "strategy": "canary",
    "steps": [{"weight": 10, "holdSeconds": 60}, {"weight": 50, "holdSeconds": 60}],
}


def canary() -> World:
    """A canary at its first step: the gateway serves 10% from the new revision, and it holds."""
    world = World()
    world.edit(rollout=_CANARY)
    world.settle()
    world.edit(template=template("v2"))
    while world.condition("Progressing")[1] != "Holding":
        turn(world)
    return world


def turn(world: World, seconds: float = 3) -> None:
    """Everybody does his part once."""
    world.reconcile()
    world.run_pods()
    world.answer_as_gateway()
    world.wait(seconds)


def workload(world: World) -> Workload:
    """Return the Workload as kubectl tenfold reads it."""
    return Workload.model_validate(world.objects[world.ref])


def patch(world: World, change: Any) -> None:
    """Patch the Workload, as the API server does with a merge patch."""
    known = world.objects[world.ref]
    merged = _merged(copy.deepcopy(known), change)
    known["metadata"]["annotations"] = merged["metadata"]["annotations"]
    world.edit(**merged["spec"])


def _merged(known: Any, change: Any) -> Any:
    for name, value in change.items():
        if isinstance(value, dict):
            known[name] = _merged(known.get(name, {}), value)
        else:
            known[name] = value
    return known
