"""What must never happen during rollouts, whatever happens in whichever order."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.actions import Apply, Delete, Scale

IMAGES = ("v1", "v2", "v3", "bad")
EVENTS = st.one_of(
    st.tuples(st.just("edit"), st.sampled_from(IMAGES)),
    st.tuples(st.just("scale"), st.integers(1, 4)),
    st.tuples(st.just("wait"), st.sampled_from([1, 3, 10])),
    st.tuples(st.just("pods"), st.none()),
    st.tuples(st.just("gateway"), st.none()),
    st.tuples(st.just("reconcile"), st.none()),
)
WRITES = (Apply, Delete, Scale)


def happen(world: Any, make_template: Callable[[str], Any], event: tuple[str, Any]) -> None:
    name, value = event
    match name:
        case "edit":
            world.edit(template=make_template(value))
        case "scale":
            world.edit(replicas=value)
        case "wait":
            world.wait(value)
        case "pods":
            world.run_pods()
        case "gateway":
            world.answer_as_gateway()
    mark_broken(world)
    if name == "reconcile":
        reconcile(world)


def mark_broken(world: Any) -> None:
    """Pods of the image `bad` are never ready."""
    for ref, manifest in world.objects.items():
        if ref.kind == "Deployment":
            (container,) = manifest["spec"]["template"]["spec"]["containers"]
            if container["image"].endswith("bad"):
                world.broken.add(ref.name)


def reconcile(world: Any) -> None:
    before = world.weights
    ready = {each.name: min(each.ready, each.endpoints) for each in world.view.revisions}
    world.reconcile()
    wanted = world.view.workload.spec.replicas
    assert sum(world.weights.values()) == 100
    for name, weight in world.weights.items():
        assert world.replicas[name] > 0, "a revision that the route names has no pods"
        if weight:
            assert world.replicas[name] == wanted, "less capacity than was asked for"
        if weight and not before.get(name):
            assert ready[name.removeprefix("web-")] >= wanted, "traffic to pods that are not ready"


def start(make_world: Callable[[], Any]) -> Any:
    world = make_world()
    world.edit()
    world.settle()
    return world


@settings(max_examples=120, deadline=None)
@given(st.lists(EVENTS, max_size=25))
def test_a_revision_that_the_gateway_serves_always_has_its_pods(make_world, make_template, events):
    world = start(make_world)
    for event in events:
        happen(world, make_template, event)
        for name in world.served:
            assert world.replicas.get(name, 0) > 0
            assert name not in world.broken


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=20))
def test_planning_the_resulting_state_yields_nothing(make_world, make_template, events):
    world = start(make_world)
    for event in events:
        happen(world, make_template, event)
    world.reconcile()
    assert not [each for each in world.plan() if isinstance(each, WRITES)]


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=20), st.sampled_from(IMAGES[:3]))
def test_in_the_end_the_last_good_template_serves_alone(make_world, make_template, events, last):
    world = start(make_world)
    for event in events:
        happen(world, make_template, event)
    world.edit(template=make_template(last))
    world.settle()
    (name,) = world.weights
    image = world.objects[Ref("Deployment", "shop", name)]["spec"]["template"]["spec"]
    assert image["containers"][0]["image"].endswith(last)
    assert {each for each, count in world.replicas.items() if count} == {name}
    assert world.condition("Ready") == ("True", "Serving")
