"""What must never happen during rollouts, whatever happens in whichever order."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.actions import Apply, Delete, Scale
from tenfold_operator.plan.rollout_step import serving
from tenfold_operator.plan.traffic import HEADROOM, pods_for

from tests.unit.operator.world import World, template

WRITES = (Apply, Delete, Scale)
IMAGES = ("v1", "v2", "v3", "bad")
MOSTLY = st.sampled_from([True, True, True, False])
ROLLOUTS: tuple[dict[str, Any], ...] = (
    {"strategy": "immediate"},
    {"strategy": "blueGreen", "keepSeconds": 3},
    {"strategy": "canary", "steps": [{"weight": 0, "holdSeconds": 1}, {"weight": 50}]},
    {
        "strategy": "canary",
        "steps": [{"weight": each, "holdSeconds": 2} for each in (10, 34, 80)],
    },
)
RARELY = st.sampled_from([None] * 3)


@dataclass(frozen=True)
class Round:
    """What happens between two looks of the operator."""

    image: str | None
    replicas: int | None
    pods_run: bool
    gateway_answers: bool
    seconds: int
    rollout: dict[str, Any] | None


ROUNDS = st.lists(
    st.builds(
        Round,
        image=RARELY | st.sampled_from(IMAGES),
        replicas=RARELY | st.integers(1, 4),
        pods_run=MOSTLY,
        gateway_answers=MOSTLY,
        seconds=st.sampled_from([0, 1, 6]),
        rollout=RARELY | st.sampled_from(ROLLOUTS),
    ),
    max_size=20,
)


def happen(world: World, each: Round) -> None:
    if each.image:
        world.edit(template=template(each.image))
    if each.rollout:
        world.edit(rollout=each.rollout)
    if each.replicas:
        world.edit(replicas=each.replicas)
    mark_broken(world)
    if each.pods_run:
        world.run_pods()
    if each.gateway_answers:
        world.answer_as_gateway()
    world.wait(each.seconds)
    reconcile(world)


def mark_broken(world: World) -> None:
    """Pods of the image `bad` are never ready."""
    for ref, manifest in world.objects.items():
        if ref.kind == "Deployment":
            (container,) = manifest["spec"]["template"]["spec"]["containers"]
            if container["image"].endswith("bad"):
                world.broken.add(ref.name)


def reconcile(world: World) -> None:
    before = world.weights
    ready = {f"web-{each.name}": serving(each) for each in world.view.revisions}
    world.reconcile()
    status, total = world.view.workload.status, world.view.total
    receivers = {f"web-{status.target_revision}", f"web-{status.stable_revision}"}
    assert sum(world.weights.values()) == 100
    for name, weight in world.weights.items():
        kept = min(weight, before.get(name, 0))
        assert world.replicas[name] >= pods_for(total, kept), "less capacity than what serves"
        if weight > before.get(name, 0):
            assert name in receivers, "traffic to a revision that is neither target nor stable"
            assert ready[name] > 0, "traffic to pods that are not ready"
            crowded = weight > 100 * HEADROOM * ready[name] / total
            dead = all(ready.get(other, 0) == 0 for other in before if other != name)
            assert dead or not crowded, "more traffic than the pods carry while others could"


def start() -> World:
    world = World()
    world.edit()
    world.settle()
    return world


@settings(max_examples=40, deadline=None)
@given(ROUNDS)
def test_a_revision_that_the_gateway_serves_always_has_its_pods(rounds: list[Round]) -> None:
    world = start()
    for each in rounds:
        happen(world, each)
        for name in world.served:
            assert world.replicas.get(name, 0) > 0
            assert name not in world.broken


@settings(max_examples=40, deadline=None)
@given(ROUNDS)
def test_planning_the_resulting_state_yields_nothing(rounds: list[Round]) -> None:
    world = start()
    for each in rounds:
        happen(world, each)
        assert not [action.why for action in world.plan() if isinstance(action, WRITES)]


@settings(max_examples=30, deadline=None)
@given(ROUNDS, st.sampled_from(IMAGES[:3]))
def test_in_the_end_the_last_good_template_serves_alone(rounds: list[Round], last: str) -> None:
    world = start()
    for each in rounds:
        happen(world, each)
    world.edit(template=template(last))
    world.settle()
    (name,) = world.weights
    pod = world.objects[Ref("Deployment", "shop", name)]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"].endswith(last)
    assert {each for each, count in world.replicas.items() if count} == {name}
    assert world.condition("Ready") == ("True", "Serving")
