"""How a rollout goes on, holds and is given up."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import Peer, Reading
from tenfold_operator.plan import analysis_queries as asked
from tenfold_operator.plan.actions import Wait

from tests.unit.operator.answers import BAD, GOOD, Seen, answers
from tests.unit.operator.world import World, template

ANALYSIS: dict[str, Any] = {"errorRatio": {"max": 0.01}, "windowSeconds": 10}
STEPS = [{"weight": 10, "holdSeconds": 20}, {"weight": 50, "holdSeconds": 20}]
CANARY: dict[str, Any] = {"strategy": "canary", "steps": STEPS}
JUDGED: dict[str, Any] = {**CANARY, "analysis": ANALYSIS}
AWAY = {asked.GATEWAY: Reading(trouble="Prometheus: connection refused")}


def begin(rollout: dict[str, Any], replicas: int = 4, image: str = "v2") -> World:
    """Return a world whose second revision is about to be rolled out."""
    world = World()
    world.edit(rollout=rollout, replicas=replicas)
    world.settle()
    world.edit(template=template(image))
    world.reconcile()
    return world


def old(world: World) -> str:
    return f"web-{world.status.stable_revision}"


def new(world: World) -> str:
    return f"web-{world.status.target_revision}"


def shares(world: World) -> tuple[int, int]:
    """Return the weights of the stable and the target revision."""
    return world.weights.get(old(world), 0), world.weights.get(new(world), 0)


def say(world: World, target: Seen | None, stable: Seen = GOOD) -> None:
    """Have Prometheus answer this of the two revisions."""
    names = (world.status.stable_revision or "", world.status.target_revision or "")
    seen = {names[0]: stable, **({names[1]: target} if target else {})}
    world.prometheus = lambda: answers(seen)


def attempt(world: World) -> str:
    """Return what commands are addressed to."""
    return f"{world.progress.revision}@{world.progress.attempt}"


def failed(world: World) -> str:
    """Return what `retry` is addressed to."""
    last = world.status.failed_revisions[-1]
    return f"{last.revision}@{last.attempt}"


def history(world: World, look: Callable[[World], Any], rounds: int = 60) -> list[Any]:
    """Return what `look` returned, round by round, each change once."""
    seen: list[Any] = []
    for _ in range(rounds):
        world.round(2)
        if not seen or seen[-1] != look(world):
            seen.append(look(world))
    return seen


# Strategies.


def test_a_canary_gets_more_traffic_step_by_step() -> None:
    world = begin(CANARY)
    first, second = old(world), new(world)
    steps = history(world, lambda each: each.weights.get(second, 0))
    assert steps == [0, 10, 50, 100]
    assert world.weights == {second: 100}
    world.settle()
    assert world.replicas == {first: 0, second: 4}
    assert world.condition("Progressing") == ("True", "RolledOut")


def test_immediate_moves_all_traffic_when_every_pod_is_ready() -> None:
    world = begin({"strategy": "immediate"})
    second = new(world)
    assert history(world, lambda each: each.weights.get(second, 0)) == [0, 100]


def test_blue_green_keeps_the_old_revision_at_full_size_for_its_time() -> None:
    world = begin({"strategy": "blueGreen", "keepSeconds": 30})
    first, second = old(world), new(world)
    world.until("Holding")
    assert shares(world) == (0, 100)
    switched = world.now
    while second != old(world):
        assert world.replicas == {first: 4, second: 4}
        world.round(2)
    assert world.now - switched >= timedelta(seconds=26)
    world.settle()
    assert world.replicas == {first: 0, second: 4}


def test_an_aborted_blue_green_goes_back_at_once() -> None:
    world = begin({"strategy": "blueGreen", "keepSeconds": 300})
    world.until("Holding")
    world.annotate(abort=attempt(world))
    world.reconcile()
    assert shares(world) == (100, 0)


def test_a_step_has_the_pods_for_its_share_and_stable_those_to_take_all_back() -> None:
    world = begin(CANARY)
    world.until("Holding")
    assert (world.replicas[new(world)], world.replicas[old(world)]) == (1, 4)
    while world.progress.step == 0:
        world.round(2)
    world.until("Holding")
    assert (world.replicas[new(world)], world.replicas[old(world)]) == (2, 4), (
        "90%, which it may have to take back, takes four pods"
    )


def test_stable_keeps_the_pods_for_what_the_last_passed_step_left_it() -> None:
    world = begin({"strategy": "canary", "steps": [{"weight": 50}, {"weight": 60}]})
    world.until("Holding")
    while world.progress.step == 0:
        world.round(2)
    world.until("Holding")
    world.round(10)
    world.reconcile()
    assert (world.replicas[new(world)], world.replicas[old(world)]) == (3, 2)


# Holding, pausing, promoting.


def test_a_step_lasts_its_time_from_when_the_gateway_serves_it() -> None:
    world = begin(CANARY)
    world.until("Holding")
    served = world.progress.served_time
    assert served is not None
    while world.progress.step == 0:
        last = world.now
        world.round(1)
    assert last - served >= timedelta(seconds=20)
    assert last - served < timedelta(seconds=22)


def test_a_step_with_pause_lasts_until_it_is_promoted() -> None:
    world = begin({"strategy": "canary", "steps": [{"weight": 0, "holdSeconds": 0, "pause": True}]})
    world.until("Paused")
    world.wait(1_000_000)
    world.round(2)
    assert world.condition("Progressing") == ("True", "Paused")
    assert shares(world) == (100, 0)
    assert world.replicas[new(world)] == 1
    world.annotate(promote=f"{attempt(world)}/0")
    world.until("RolledOut")


def test_a_paused_workload_stays_at_its_step_and_goes_on_when_it_is_no_longer() -> None:
    world = begin({**CANARY, "paused": True})
    world.until("Paused")
    world.wait(1000)
    world.round(2)
    assert shares(world) == (90, 10)
    world.edit(rollout=CANARY)
    world.until("RolledOut")


def test_promote_passes_only_the_step_that_it_names() -> None:
    world = begin({**CANARY, "paused": True})
    world.until("Paused")
    world.annotate(promote=f"{attempt(world)}/0")
    world.reconcile()
    world.until("Paused")
    assert world.progress.step == 1
    assert shares(world) == (50, 50)


def test_promote_all_passes_every_step_but_waits_for_pods_and_gateway() -> None:
    world = begin({**JUDGED, "paused": True})
    second = new(world)
    say(world, GOOD)
    world.annotate(promote=f"{attempt(world)}/all")
    start = world.now
    assert history(world, lambda each: each.weights.get(second, 0)) == [0, 10, 50, 100]
    world.until("RolledOut")
    assert (world.now - start).total_seconds() < 200


def test_promote_all_of_an_earlier_attempt_does_nothing() -> None:
    world = begin({**CANARY, "paused": True})
    world.until("Paused")
    world.annotate(promote=f"{world.progress.revision}@7/all")
    world.wait(1000)
    world.round(2)
    assert world.condition("Progressing") == ("True", "Paused")


# Given up.


def test_an_abort_sends_the_traffic_back_first_then_ends_the_pods() -> None:
    world = begin(CANARY)
    world.until("Holding")
    second = new(world)
    world.annotate(abort=attempt(world))
    world.reconcile()
    assert world.weights == {old(world): 100}
    assert world.replicas[second] == 1
    assert world.condition("Progressing") == ("False", "Aborted")
    assert world.condition("Ready") == ("False", "RolledBack")
    world.settle()
    assert world.replicas[second] == 0
    assert world.plan() == ()


def test_an_abort_of_another_attempt_does_nothing() -> None:
    world = begin(CANARY)
    world.annotate(abort=f"{world.progress.revision}@2")
    world.until("RolledOut")


def test_a_failed_revision_is_tried_again_only_by_a_retry() -> None:
    world = begin(CANARY)
    world.annotate(abort=attempt(world))
    world.until("Aborted")
    world.settle()
    assert world.status.progress is None
    world.annotate(retry=failed(world))
    world.reconcile()
    assert world.progress.attempt == 2
    world.until("RolledOut")
    assert world.status.failed_revisions == ()


def test_a_retry_counts_once() -> None:
    world = begin(CANARY)
    for number in (1, 2):
        world.annotate(abort=attempt(world))
        world.until("Aborted")
        world.settle()
        assert failed(world).endswith(f"@{number}")
        if number == 1:
            world.annotate(retry=failed(world))
            world.reconcile()
    assert world.status.progress is None
    (only,) = world.status.failed_revisions
    assert only.attempt == 2


def test_a_failed_revision_stays_failed_after_going_back_and_forth() -> None:
    world = begin(CANARY)
    world.annotate(abort=attempt(world))
    world.until("Aborted")
    bad = new(world)
    world.edit(template=template("v1"))
    world.settle()
    assert world.condition("Ready") == ("True", "Serving")
    world.edit(template=template("v2"))
    world.settle()
    assert world.condition("Progressing") == ("False", "Aborted")
    assert bad not in world.weights
    assert world.replicas[bad] == 0


def test_a_command_for_an_earlier_rollout_of_the_same_revision_does_nothing() -> None:
    world = begin(CANARY)
    world.annotate(promote=f"{attempt(world)}/all")
    for image in ("v3", "v2"):
        world.settle()
        world.edit(rollout={**CANARY, "paused": image == "v2"}, template=template(image))
        world.reconcile()
    world.until("Paused", "RolledOut")
    assert world.condition("Progressing") == ("True", "Paused")


def test_containers_that_restart_too_often_end_the_rollout() -> None:
    world = begin({**CANARY, "maxRestarts": 2})
    world.until("Holding")
    world.restart_containers(new(world), 2)
    world.round(2)
    assert world.condition("Progressing") == ("True", "Holding")
    world.restart_containers(new(world), 3)
    world.round(2)
    assert world.condition("Progressing") == ("False", "CrashLooping")
    assert "container web ended with code 1 (Error)" in world.message("Progressing")
    assert world.weights == {old(world): 100}


def test_pods_that_are_not_ready_in_time_end_the_rollout() -> None:
    world = begin({**CANARY, "progressDeadlineSeconds": 60})
    world.broken = {new(world)}
    start = world.now
    world.until("ProgressDeadlineExceeded")
    assert timedelta(seconds=58) <= world.now - start <= timedelta(seconds=66)
    assert world.weights == {old(world): 100}
    assert "0 of 1 pods" in world.message("Progressing")


def test_pods_that_die_within_a_step_lose_their_traffic_at_once() -> None:
    world = begin({**CANARY, "progressDeadlineSeconds": 60})
    world.until("Holding")
    world.broken = {new(world)}
    world.run_pods()
    world.reconcile()
    assert shares(world) == (100, 0)
    world.until("ProgressDeadlineExceeded")


def test_stable_pods_that_die_leave_all_traffic_to_the_target() -> None:
    world = begin(CANARY)
    world.until("Holding")
    world.broken = {old(world)}
    world.run_pods()
    world.reconcile()
    assert shares(world) == (0, 100)


def test_a_bad_revision_that_alone_is_ready_is_kept_and_told_of() -> None:
    world = begin(CANARY)
    world.until("Holding")
    world.broken = {old(world)}
    world.run_pods()
    world.annotate(abort=attempt(world))
    world.round(2)
    assert world.condition("Progressing") == ("True", "StableNotReady")
    assert "has no pod that is ready" in world.message("Progressing")
    assert shares(world) == (0, 100)
    world.broken = set()
    world.round(2)
    world.round(2)
    assert world.condition("Progressing") == ("False", "Aborted")
    world.round(2)
    assert shares(world) == (100, 0)


def test_a_stable_revision_that_somebody_deleted_leaves_the_target_to_serve() -> None:
    world = begin(CANARY)
    world.until("Holding")
    first, second = old(world), new(world)
    for kind in ("Deployment", "Service", "EndpointSlice"):
        world.delete(Ref(kind, "shop", first))
    world.settle()
    assert world.weights == {second: 100}
    assert world.replicas == {second: 4}
    assert world.condition("Ready") == ("True", "Serving")


# Edits midway.


def test_a_third_revision_midway_takes_the_place_of_the_second() -> None:
    world = begin(CANARY)
    world.until("Holding")
    first, second = old(world), new(world)
    world.edit(template=template("v3"))
    world.reconcile()
    assert world.weights == {first: 100}
    assert world.replicas[second] == 1, "the gateway may still send traffic there"
    world.until("RolledOut")
    assert old(world) not in (first, second)
    assert {name for name, count in world.replicas.items() if count} == {old(world)}


def test_an_edit_back_to_the_stable_template_sends_all_traffic_back() -> None:
    world = begin(CANARY)
    world.until("Holding")
    first = old(world)
    world.edit(template=template("v1"))
    world.reconcile()
    assert world.weights == {first: 100}
    world.settle()
    assert world.condition("Ready") == ("True", "Serving")
    assert world.status.failed_revisions == ()


def test_steps_that_are_edited_midway_are_served_and_judged_before_they_pass() -> None:
    world = begin(JUDGED)
    say(world, GOOD)
    while world.progress.step == 0:
        world.round(2)
    world.until("Holding")
    world.wait(100)
    edited = [{"weight": 10, "holdSeconds": 20}, {"weight": 80, "holdSeconds": 20}]
    world.edit(rollout={**JUDGED, "steps": edited})
    second = new(world)
    assert history(world, lambda each: each.weights.get(second, 0), rounds=8) == [50, 80]
    assert world.progress.served_time is not None
    world.until("RolledOut")


def test_a_step_that_is_edited_downwards_gives_stable_its_pods_back() -> None:
    steps = [{"weight": 60}, {"weight": 80}]
    world = begin({"strategy": "canary", "steps": steps}, replicas=10)
    while world.progress.step == 0:
        world.round(2)
    world.until("Holding")
    fewer = [{"weight": 10}, {"weight": 20}]
    world.edit(rollout={"strategy": "canary", "steps": fewer})
    world.reconcile()
    assert world.replicas[old(world)] == 8
    world.until("Holding")
    assert shares(world) == (80, 20)


def test_fewer_steps_than_the_one_it_is_at_go_on_with_the_last() -> None:
    world = begin({**CANARY, "paused": True})
    world.until("Paused")
    world.annotate(promote=f"{attempt(world)}/0")
    world.reconcile()
    world.until("Paused")
    world.edit(rollout={"strategy": "immediate"})
    world.until("RolledOut")


# Analysis.


def test_a_good_revision_is_rolled_out_with_nobodys_help() -> None:
    world = begin(JUDGED)
    say(world, GOOD)
    world.until("RolledOut")
    assert world.status.failed_revisions == ()


def test_a_bad_revision_goes_back_at_its_first_verdict() -> None:
    world = begin(JUDGED)
    say(world, BAD)
    second = new(world)
    assert history(world, lambda each: each.weights.get(second, 0)) == [0, 10, 0]
    assert world.condition("Progressing") == ("False", "AnalysisFailed")
    assert "errorRatio: 50.00% of 200 requests" in world.message("Progressing")


def test_a_revision_that_turns_bad_while_the_next_step_waits_for_pods_goes_back() -> None:
    world = begin(JUDGED)
    say(world, GOOD)
    while world.progress.step == 0:
        world.round(2)
    say(world, BAD)
    world.reconcile()
    assert world.condition("Progressing") == ("False", "AnalysisFailed")


def test_a_bad_revision_goes_back_though_some_of_its_pods_are_not_ready() -> None:
    world = begin({**JUDGED, "steps": [{"weight": 50}]})
    say(world, GOOD)
    world.until("Holding")
    say(world, BAD)
    found = world.objects[Ref("Deployment", "shop", new(world))]
    found["status"]["readyReplicas"] = 1
    world.reconcile()
    assert world.condition("Progressing") == ("False", "AnalysisFailed")


def test_pods_that_die_of_their_traffic_are_judged_by_it() -> None:
    world = begin(JUDGED)
    say(world, GOOD)
    world.until("Holding")
    world.broken = {new(world)}
    world.run_pods()
    world.reconcile()
    assert shares(world) == (100, 0)
    say(world, BAD)
    world.wait(2)
    world.reconcile()
    assert world.condition("Progressing") == ("False", "AnalysisFailed")


def test_failures_below_the_limit_hold_and_a_pass_between_them_counts_anew() -> None:
    world = begin({**JUDGED, "analysis": {**ANALYSIS, "failureLimit": 3}})
    say(world, BAD)
    world.until("WaitingForAnalysis")
    for seen, failures in ((BAD, 2), (GOOD, 0), (BAD, 1), (BAD, 2)):
        say(world, seen)
        world.round(2)
        assert world.progress.failures == failures
    world.round(2)
    assert world.condition("Progressing") == ("False", "AnalysisFailed")


def test_one_answer_is_judged_once_however_often_it_is_looked_at() -> None:
    world = begin({**JUDGED, "analysis": {**ANALYSIS, "failureLimit": 3}})
    say(world, BAD)
    world.until("WaitingForAnalysis")
    for _ in range(5):
        world.reconcile()
    assert world.progress.failures == 2, "one more answer, looked at five times"


def test_too_few_requests_hold_for_as_long_as_it_takes() -> None:
    world = begin(JUDGED)
    say(world, Seen(10))
    world.until("TooFewRequests")
    world.wait(100_000)
    world.round(2)
    assert world.condition("Progressing") == ("True", "TooFewRequests")
    assert "10 of at least 50 requests" in world.message("Progressing")
    say(world, GOOD)
    world.until("RolledOut")


def test_a_revision_without_requests_is_too_few() -> None:
    world = begin(JUDGED)
    say(world, None)
    world.until("TooFewRequests")


def test_what_cannot_be_judged_holds_then_goes_back() -> None:
    world = begin({**JUDGED, "analysis": {**ANALYSIS, "inconclusiveSeconds": 60}})
    world.prometheus = lambda: {**answers({}), asked.GATEWAY: Reading()}
    world.until("WaitingForAnalysis")
    start = world.now
    world.until("Inconclusive")
    assert timedelta(seconds=56) <= world.now - start <= timedelta(seconds=64)
    assert world.weights == {old(world): 100}
    assert "could not be judged for 60 s" in world.message("Progressing")


def test_a_day_that_could_not_be_judged_is_told_in_full() -> None:
    world = begin({**JUDGED, "analysis": {**ANALYSIS, "inconclusiveSeconds": 86400}})
    world.prometheus = lambda: {**answers({}), asked.GATEWAY: Reading()}
    world.until("WaitingForAnalysis")
    world.wait(86400)
    world.round(2)
    assert "could not be judged for 86400 s" in world.message("Progressing")


def test_without_prometheus_no_traffic_moves_and_none_that_moved_stays_for_ever() -> None:
    world = begin({**JUDGED, "analysis": {**ANALYSIS, "inconclusiveSeconds": 60}})
    world.prometheus = lambda: AWAY
    world.until("PrometheusAway")
    world.wait(1000)
    world.round(2)
    assert world.condition("Progressing") == ("True", "PrometheusAway"), "nothing is at stake"
    assert shares(world) == (100, 0)
    say(world, GOOD)
    world.until("Holding")
    world.prometheus = lambda: AWAY
    world.round(2)
    assert world.condition("Progressing") == ("True", "PrometheusAway")
    assert shares(world) == (90, 10)
    world.until("Inconclusive")
    world.round(2)
    assert shares(world) == (100, 0)


def test_time_without_an_operator_does_not_make_a_rollout_inconclusive() -> None:
    world = begin({**JUDGED, "analysis": {**ANALYSIS, "inconclusiveSeconds": 60}})
    say(world, GOOD)
    world.until("Holding")
    world.prometheus = lambda: AWAY
    world.round(2)
    world.wait(10_000)
    say(world, GOOD)
    world.until("RolledOut")


def test_a_person_may_promote_while_prometheus_is_away() -> None:
    world = begin(JUDGED)
    world.prometheus = lambda: AWAY
    world.until("PrometheusAway")
    world.annotate(promote=f"{attempt(world)}/all")
    world.until("RolledOut")


def test_a_promoted_revision_that_fails_goes_back_all_the_same() -> None:
    world = begin(JUDGED)
    say(world, BAD)
    world.annotate(promote=f"{attempt(world)}/all")
    world.until("AnalysisFailed")


def test_a_query_that_does_not_parse_gets_no_traffic_until_it_is_edited() -> None:
    broken = {**ANALYSIS, "queries": [{"name": "orders", "query": "sum(", "max": 1}]}
    world = begin({**CANARY, "analysis": broken})
    invalid = Reading(trouble="parse error", is_invalid=True)
    world.prometheus = lambda: {**answers({}), asked.of_query("orders"): invalid}
    world.until("InvalidQuery")
    world.wait(1000)
    world.round(2)
    assert shares(world) == (100, 0)
    assert "query orders: parse error" in world.message("Progressing")
    world.edit(rollout=JUDGED)
    say(world, GOOD)
    world.until("RolledOut")


def test_a_retry_is_not_judged_by_the_requests_of_the_attempt_before_it() -> None:
    world = begin(JUDGED)
    say(world, BAD)
    world.until("AnalysisFailed")
    world.annotate(retry=failed(world))
    world.reconcile()
    world.until("WaitingForAnalysis")
    assert world.progress.attempt == 2
    say(world, GOOD)
    world.until("RolledOut")


def test_a_retry_that_is_bad_again_goes_back_again() -> None:
    world = begin(JUDGED)
    say(world, BAD)
    world.until("AnalysisFailed")
    world.annotate(retry=failed(world))
    world.reconcile()
    world.until("AnalysisFailed")
    assert failed(world).endswith("@2")


def test_a_rollout_without_analysis_asks_prometheus_nothing() -> None:
    world = begin(CANARY)

    def refuse() -> Mapping[str, Reading]:
        raise AssertionError("it asked")

    world.prometheus = refuse
    world.until("Holding")


# Groups.


def peer(**known: Any) -> Peer:
    return replace(Peer(name="api", step=0, done=False, failed_at=None), **known)


def grouped() -> World:
    world = begin({**CANARY, "group": "shop"})
    world.peers = (peer(),)
    return world


def test_a_step_ends_for_all_of_a_group_or_for_none() -> None:
    world = grouped()
    world.until("WaitingForGroup")
    assert "api of the same group" in world.message("Progressing")
    assert world.progress.done
    world.wait(1000)
    world.round(2)
    assert world.progress.step == 0
    world.peers = (peer(done=True),)
    world.round(2)
    assert world.progress.step == 1


@pytest.mark.parametrize("ahead", [{"step": 1}, {"step": None}])
def test_nobody_waits_for_who_is_further_or_does_not_roll_out(ahead: dict[str, Any]) -> None:
    world = grouped()
    world.peers = (peer(**ahead),)
    while world.progress.step == 0:
        world.round(2)
        assert world.condition("Progressing")[1] != "WaitingForGroup"


def test_a_group_is_given_up_together() -> None:
    world = grouped()
    world.until("Holding")
    world.peers = (peer(step=None, failed_at=world.now, failure="50% of 200 requests"),)
    world.round(2)
    assert world.condition("Progressing") == ("False", "GroupAborted")
    assert "api of the same group failed: 50% of 200 requests" in world.message("Progressing")
    assert world.weights == {old(world): 100}


def test_a_failure_from_before_this_rollout_does_not_count() -> None:
    world = grouped()
    before = world.progress.start_time - timedelta(seconds=1)
    world.peers = (peer(step=None, failed_at=before),)
    world.until("RolledOut")


def test_a_promotion_does_not_leave_the_group_behind() -> None:
    world = grouped()
    world.annotate(promote=f"{attempt(world)}/all")
    world.until("WaitingForGroup")
    assert world.progress.step == 0


# Previews.


def preview(world: World) -> tuple[dict[str, Any], dict[str, int]] | None:
    """Return what the preview's rule asks for, and where it leads."""
    rules = world.route["spec"]["rules"]
    if len(rules) == 1:
        return None
    ((match,),) = (rules[0]["matches"],)
    (header,) = match["headers"]
    return header, {each["name"]: each["weight"] for each in rules[0]["backendRefs"]}


PAUSED_AT_0 = {"strategy": "canary", "steps": [{"weight": 0, "pause": True}]}


def test_a_header_leads_to_the_new_revision_before_anybody_else_gets_there() -> None:
    world = begin({**PAUSED_AT_0, "preview": {"header": "X-Preview", "value": "yes"}})
    assert preview(world) is None, "it is not ready"
    world.until("Holding")
    header = {"type": "Exact", "name": "X-Preview", "value": "yes"}
    assert preview(world) == (header, {new(world): 1})
    assert shares(world) == (100, 0)
    world.annotate(promote=f"{attempt(world)}/all")
    world.until("RolledOut")
    assert preview(world) is None


def test_a_cookie_leads_to_the_new_revision() -> None:
    world = begin({**PAUSED_AT_0, "preview": {"cookie": "preview", "value": "a.b"}})
    world.until("Holding")
    header = {
        "type": "RegularExpression",
        "name": "Cookie",
        "value": r"(^|; *)preview=a\.b(;|$)",
    }
    assert preview(world) == (header, {new(world): 1})


def test_the_preview_of_a_failed_revision_is_taken_away() -> None:
    world = begin({**PAUSED_AT_0, "preview": {"header": "X-Preview"}})
    world.until("Holding")
    world.annotate(abort=attempt(world))
    world.round(2)
    assert preview(world) is None


# Affinity.


STICKY: dict[str, Any] = {
    "strategy": "canary",
    "steps": [{"weight": 50, "pause": True}, {"weight": 100, "pause": True}],
    "affinity": {"cookie": "revision"},
}


def kept(world: World) -> dict[str, str]:
    """Return where visitors' cookies lead."""
    rules = world.route["spec"]["rules"][:-1]
    return {
        rule["matches"][0]["headers"][0]["value"]: rule["backendRefs"][0]["name"] for rule in rules
    }


def test_visitors_stay_with_their_revision_while_the_rollout_goes_on() -> None:
    world = begin(STICKY)
    world.until("Paused")
    before, after = old(world), new(world)
    both = {rf"(^|; *)revision={name.removeprefix('web-')}(;|$)": name for name in (before, after)}
    assert kept(world) == both
    world.annotate(promote=f"{attempt(world)}/0")
    history(world, shares, rounds=10)
    assert shares(world) == (0, 100)
    assert kept(world) == both, "the last step is the time that they get"
    assert world.replicas[before] == 4, "its visitors may be many, whatever its weight"
    world.annotate(promote=f"{attempt(world)}/1")
    world.until("RolledOut")
    assert kept(world) == {}


def test_visitors_of_a_revision_that_is_given_up_go_back_with_the_traffic() -> None:
    world = begin(STICKY)
    world.until("Paused")
    world.annotate(abort=attempt(world))
    world.round(2)
    assert kept(world) == {}


def test_visitors_do_not_stay_with_a_revision_that_cannot_serve() -> None:
    world = begin(STICKY)
    world.until("Paused")
    world.broken.add(old(world))
    world.round(2)
    world.round(2)
    assert list(kept(world).values()) == [new(world)]


# Configuration.


def test_a_change_of_a_config_map_or_secret_is_a_revision() -> None:
    world = World()
    world.config = {"ConfigMap/web": "1", "Secret/web": "1"}
    world.edit(rollout=CANARY)
    world.settle()
    first = old(world)
    world.config = {**world.config, "Secret/web": "2"}
    world.reconcile()
    assert new(world) != first
    world.until("RolledOut")
    world.config = {**world.config, "Secret/web": "1"}
    world.until("Holding")
    assert new(world) == first, "the former content is the former revision"


def test_what_is_waited_for_has_its_end_in_the_plan() -> None:
    world = begin(CANARY)
    world.until("Holding")
    served = world.progress.served_time
    assert served is not None
    due = served + timedelta(seconds=20)
    assert due in [each.until for each in world.plan() if isinstance(each, Wait)]
