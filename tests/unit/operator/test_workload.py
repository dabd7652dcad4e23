"""A Workload's rollout, step by step."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.actions import Apply, Delete, Scale, SetStatus, Wait

from tests.unit.operator.world import World, template


def only(names: Iterable[str]) -> str:
    (name,) = names
    return name


def test_a_new_workload_gets_a_deployment_a_service_a_route_and_a_budget() -> None:
    world = World()
    world.edit()
    world.reconcile()
    assert {ref.kind for ref in world.objects} == {
        "Workload",
        "Deployment",
        "Service",
        "HTTPRoute",
        "PodDisruptionBudget",
    }


def test_a_settled_workload_is_ready_and_asks_for_nothing(world: World) -> None:
    assert world.condition("Ready") == ("True", "Serving")
    assert world.condition("Progressing") == ("True", "RolledOut")
    assert world.condition("RouteAccepted") == ("True", "Accepted")
    assert world.plan() == ()


def test_traffic_stays_until_all_pods_of_the_new_revision_are_ready(world: World) -> None:
    old = only(world.weights)
    world.edit(template=template("v2"))
    world.reconcile()
    assert len(world.replicas) == 2
    assert world.weights == {old: 100}
    assert world.condition("Progressing") == ("True", "WaitingForPods")


def test_a_ready_revision_joins_the_route_without_traffic_first(world: World) -> None:
    old = only(world.weights)
    world.edit(template=template("v2"))
    world.reconcile()
    world.run_pods()
    world.reconcile()
    new = only(world.weights.keys() - {old})
    assert world.weights == {old: 100, new: 0}


def test_traffic_moves_when_the_gateway_knows_the_new_revision(world: World) -> None:
    old = only(world.weights)
    world.edit(template=template("v2"))
    world.reconcile()
    world.run_pods()
    world.reconcile()
    assert len(world.weights) == 2
    world.reconcile()
    assert world.weights[old] == 100, "the Gateway has not accepted the route yet"
    world.answer_as_gateway()
    world.reconcile()
    (new,) = world.weights.keys() - {old}
    assert world.weights == {old: 0, new: 100}, "what may have to come back stays known"
    world.answer_as_gateway()
    world.reconcile()
    assert world.weights == {new: 100}


def roll_until_traffic_moved(world: World) -> str:
    """Return the name of the old revision, which is about to drain."""
    old = only(world.weights)
    world.edit(template=template("v2"))
    world.reconcile()
    world.run_pods()
    world.reconcile()
    for _ in ("the new one is known", "it gets all traffic"):
        world.answer_as_gateway()
        world.reconcile()
    return old


def test_the_old_pods_stay_until_the_gateway_has_accepted_and_the_drain_is_over(
    world: World,
) -> None:
    old = roll_until_traffic_moved(world)
    world.wait(600)
    world.reconcile()
    assert world.replicas[old] == 2, "the Gateway has not said that it took the change over"
    world.answer_as_gateway()
    plan = world.reconcile()
    waits = [each for each in plan if isinstance(each, Wait)]
    assert waits[0].until == world.now + timedelta(seconds=5)
    world.wait(4)
    world.reconcile()
    assert world.replicas[old] == 2
    world.wait(1)
    world.reconcile()
    assert world.replicas[old] == 0


def test_a_restarted_operator_does_not_cut_the_drain_short(world: World) -> None:
    old = roll_until_traffic_moved(world)
    world.wait(600)
    world.answer_as_gateway()
    assert not any(isinstance(each, Scale) for each in world.plan())
    assert world.replicas[old] == 2


def test_a_revision_that_is_never_ready_gets_no_traffic_and_is_reported(world: World) -> None:
    old = only(world.weights)
    world.edit(template=template("bad"))
    world.reconcile()
    world.broken = set(world.replicas) - {old}
    world.run_pods()
    world.reconcile()
    world.wait(301)
    world.reconcile()
    assert world.weights == {old: 100}
    assert world.replicas[old] == 2
    assert world.condition("Progressing") == ("False", "ProgressDeadlineExceeded")
    assert world.events[-1].type == "Warning"


def test_going_back_to_the_serving_template_ends_the_other_revision(world: World) -> None:
    old = only(world.weights)
    world.edit(template=template("bad"))
    world.reconcile()
    world.edit(template=template("v1"))
    world.settle()
    assert world.weights == {old: 100}
    assert {name: count for name, count in world.replicas.items() if count} == {old: 2}


def test_a_third_revision_midway_ends_no_revision_that_is_routed(world: World) -> None:
    first = roll_until_traffic_moved(world)
    second = only(world.weights)
    world.edit(template=template("v3"))
    world.reconcile()
    assert world.replicas[first] == 2, "the Gateway may still send traffic there"
    assert world.replicas[second] == 2
    assert world.weights == {second: 100}


def test_a_revision_that_the_route_names_without_traffic_keeps_its_pods(world: World) -> None:
    world.edit(template=template("v2"))
    world.reconcile()
    world.run_pods()
    world.reconcile()
    world.answer_as_gateway()
    world.wait(600)
    world.edit(template=template("v3"))
    assert not [each for each in world.plan() if isinstance(each, Scale)]


def test_scaling_changes_the_serving_and_the_coming_revision(world: World) -> None:
    world.edit(template=template("v2"))
    world.reconcile()
    world.edit(replicas=5)
    world.reconcile()
    assert set(world.replicas.values()) == {5}


def test_pods_that_fail_later_are_not_a_failed_rollout(world: World) -> None:
    world.broken = set(world.replicas)
    world.run_pods()
    world.wait(1000)
    world.reconcile()
    assert world.condition("Ready") == ("False", "PodsNotReady")
    assert world.condition("Progressing") == ("True", "RolledOut")


def test_revisions_beyond_the_history_limit_are_deleted_the_oldest_first(world: World) -> None:
    first = only(world.weights)
    world.edit(revisionHistoryLimit=1)
    for version in ("v2", "v3"):
        world.edit(template=template(version))
        world.settle()
    assert first not in world.replicas
    assert Ref("Service", "shop", first) not in world.objects
    assert sorted(world.replicas.values()) == [0, 2]


def test_a_route_that_the_gateway_refuses_is_not_ready_and_says_why() -> None:
    world = World()
    world.edit()
    world.reconcile()
    world.run_pods()
    world.answer_as_gateway(accepted=False)
    world.reconcile()
    assert world.condition("RouteAccepted") == ("False", "NoMatchingParent")
    assert world.condition("Ready") == ("False", "RouteNotAccepted")


def test_what_somebody_else_changed_is_put_back(world: World) -> None:
    (name,) = world.weights
    world.route["spec"]["rules"][0]["backendRefs"][0]["weight"] = 7
    world.objects[Ref("Deployment", "shop", name)]["spec"]["replicas"] = 1
    world.reconcile()
    assert world.weights == {name: 100}
    assert world.replicas == {name: 2}


def test_scale_counts_the_stable_revision_only(world: World) -> None:
    world.edit(template=template("v2"))
    world.reconcile()
    world.run_pods()
    world.reconcile()
    status = world.view.workload.status
    assert status.replicas == 2
    assert (
        status.selector == f"tenfold.dev/workload=web,tenfold.dev/revision={status.stable_revision}"
    )


def pod_of(world: World) -> Any:
    (name,) = world.replicas
    return world.objects[Ref("Deployment", "shop", name)]["spec"]["template"]["spec"]


def test_pods_serve_on_while_they_drain(world: World) -> None:
    pod = pod_of(world)
    assert pod["containers"][0]["lifecycle"]["preStop"] == {"sleep": {"seconds": 5}}
    assert pod["terminationGracePeriodSeconds"] == 35


def test_a_prestop_and_a_spread_of_ones_own_are_kept() -> None:
    world = World()
    own = template("v1")
    own["spec"]["containers"][0]["lifecycle"] = {"preStop": {"exec": {"command": ["true"]}}}
    own["spec"]["topologySpreadConstraints"] = [{"maxSkew": 3}]
    own["spec"]["terminationGracePeriodSeconds"] = 60
    world.edit(template=own)
    world.reconcile()
    pod = pod_of(world)
    assert pod["containers"][0]["lifecycle"] == {"preStop": {"exec": {"command": ["true"]}}}
    assert pod["topologySpreadConstraints"] == [{"maxSkew": 3}]
    assert pod["terminationGracePeriodSeconds"] == 65


def test_the_revision_does_not_depend_on_the_order_of_keys() -> None:
    one, other = World(), World()
    one.edit(template=template("v1"))
    container = dict(reversed(template("v1")["spec"]["containers"][0].items()))
    other.edit(template={"spec": {"containers": [container]}})
    one.reconcile()
    other.reconcile()
    assert one.replicas == other.replicas


@pytest.mark.parametrize("write", [Apply, Delete, Scale, SetStatus])
def test_nothing_is_written_while_the_drain_is_waited_for(world: World, write: type) -> None:
    roll_until_traffic_moved(world)
    world.answer_as_gateway()
    world.reconcile()
    world.reconcile()
    assert not any(isinstance(each, write) for each in world.plan())
