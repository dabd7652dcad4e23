"""When the primary moves on purpose, where to, and what forbids it."""

from typing import Any

import pytest
from hypothesis import given, settings
from tenfold_operator.model.observed import Follower, TierView
from tenfold_operator.plan.actions import Delete, HandOver, Plan, Promote, Refuse
from tenfold_operator.plan.redis import form_opinion, plan_tier

from tests.unit.operator.redis_tier import (
    NEWEST,
    NOW,
    PODS,
    acts,
    after,
    healthy,
    promoted,
    sentinel,
    tier,
    views,
    with_pod,
    with_server,
)

ASKED = {"tenfold.dev/handover": "2026-01-01T11:59:00Z"}


def asked(**spec: Any) -> TierView:
    return healthy(tier({"primary": "l2-0"}, annotations=ASKED, **spec))


def refusals(plan: Plan) -> list[str]:
    return [each.reason for each in plan if isinstance(each, Refuse)]


def test_a_tier_in_sync_does_nothing_to_its_servers() -> None:
    assert acts(plan_tier(healthy(), NOW)) == []


def test_a_request_moves_the_primary_to_the_replica_that_has_most() -> None:
    view = with_server(asked(), "l2-2", offset=1001)
    view = with_server(view, "l2-0", offset=1001)
    assert promoted(plan_tier(view, NOW)) == ["l2-2"]


def test_a_request_may_name_the_pod() -> None:
    annotations = {**ASKED, "tenfold.dev/handover-to": "l2-1"}
    view = healthy(tier({"primary": "l2-0"}, annotations=annotations))
    assert promoted(plan_tier(view, NOW)) == ["l2-1"]


def test_a_request_is_met_once_the_primary_has_moved_since() -> None:
    moved = {"time": "2026-01-01T11:59:30Z", "from": "l2-1", "to": "l2-0"}
    view = healthy(tier({"primary": "l2-0", "lastFailover": moved}, annotations=ASKED))
    assert acts(plan_tier(view, NOW)) == []


def test_a_request_that_is_no_time_is_refused() -> None:
    view = healthy(tier({"primary": "l2-0"}, annotations={"tenfold.dev/handover": "now"}))
    assert refusals(plan_tier(view, NOW)) == ["NotATime"]


def test_it_is_refused_within_the_cool_down_unless_the_pod_ends() -> None:
    moved = {"time": "2026-01-01T11:59:30Z", "from": "l2-1", "to": "l2-0"}
    annotations = {"tenfold.dev/handover": "2026-01-01T11:59:50Z"}
    view = healthy(tier({"primary": "l2-0", "lastFailover": moved}, annotations=annotations))
    assert refusals(plan_tier(view, NOW)) == ["CoolDown"]
    assert promoted(plan_tier(with_pod(view, "l2-0", is_ending=True), NOW)) != []


@pytest.mark.parametrize(
    "change",
    [
        {"upstream": ""},
        {"upstream": "l2-2"},
        {"history": "other"},
        {"role": "unknown"},
        {"offset": 1000 - 2**20 - 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_replica_that_is_not_in_sync_is_passed_over(change: dict[str, Any]) -> None:
    view = with_server(asked(), "l2-2", **change)
    assert promoted(plan_tier(view, NOW)) == ["l2-1"]
    both = with_server(view, "l2-1", **change)
    assert refusals(plan_tier(both, NOW)) == ["NoReplicaInSync"]


def test_a_replica_that_was_not_heard_lately_is_passed_over() -> None:
    followers = (Follower("l2-1", True, 0, 1000), Follower("l2-2", True, 5, 1000))
    view = with_server(asked(), "l2-0", followers=followers)
    assert promoted(plan_tier(view, NOW)) == ["l2-1"]


def test_nothing_moves_without_a_quorum_or_during_a_failover() -> None:
    alone = (sentinel("l2-sentinel-0", "l2-0"),)
    view = asked()
    for sentinels in (alone, (*view.sentinels[:2], sentinel("s", "l2-0", is_failing_over=True))):
        changed = healthy(view.tier, sentinels=sentinels)
        assert promoted(plan_tier(changed, NOW)) == []


def test_dry_run_says_what_it_would_do_and_obeys_a_person() -> None:
    dry = {"mode": "dryRun"}
    ending = with_pod(healthy(tier({"primary": "l2-0"}, handover=dry)), "l2-0", is_ending=True)
    assert refusals(plan_tier(ending, NOW)) == ["DryRun"]
    assert promoted(plan_tier(asked(handover=dry), NOW)) != []


def deleted(plan: Plan) -> list[str]:
    return [each.ref.name for each in plan if isinstance(each, Delete)]


def test_replicas_restart_one_by_one_then_the_primary_hands_over_to_a_new_one() -> None:
    view = healthy()
    for name in PODS:
        view = with_pod(view, name, revision="old")
    assert deleted(plan_tier(view, NOW)) == ["l2-2"]
    view = with_pod(view, "l2-2", revision=NEWEST)
    assert deleted(plan_tier(view, NOW)) == ["l2-1"]
    assert deleted(plan_tier(with_pod(view, "l2-2", is_ready=False), NOW)) == []
    assert promoted(plan_tier(view, NOW)) == []
    view = with_pod(view, "l2-1", revision=NEWEST)
    plan = plan_tier(view, NOW)
    assert (deleted(plan), promoted(plan)) == ([], ["l2-1"])
    view = after(view, plan)
    view = after(view, plan_tier(view, NOW))
    assert deleted(plan_tier(view, NOW)) == ["l2-0"]


@settings(max_examples=400, deadline=None)
@given(views())
def test_never_two_promotions(view: TierView) -> None:
    plan = plan_tier(view, NOW)
    assert len(promoted(plan)) <= 1
    # Also when the operator has not yet seen its own status.
    for with_status in (True, False):
        then = after(view, plan, with_status=with_status)
        if promoted(plan):
            assert promoted(plan_tier(then, NOW)) == []


@settings(max_examples=400, deadline=None)
@given(views())
def test_never_one_that_lacks_writes_while_a_better_one_is_known(view: TierView) -> None:
    plan = plan_tier(view, NOW)
    known = {each.pod: each for each in view.servers}
    for action in plan:
        if isinstance(action, HandOver):
            source, target = known[action.primary], known[action.target]
            assert source.role == "primary"
            assert target.history == source.history
            same = [each for each in view.servers if each.upstream == source.pod]
            fit = [each for each in same if _could(view, each.pod) and each.role == "replica"]
            newer = [each for each in fit if each.history == source.history]
            ready = {each.name: each.revision for each in view.pods}
            rivals = [each for each in newer if ready[each.pod] == ready[target.pod]]
            assert target.offset == max(each.offset for each in rivals)
        if isinstance(action, Promote):
            target = known[action.target]
            holders = [e for e in view.servers if e.role == "replica" and e.keys]
            assert not holders or target in holders
            assert {each.history for each in holders} <= {target.history}
            assert all(each.offset <= target.offset for each in holders)
            assert not any(each.role == "primary" for each in view.servers)


def _could(view: TierView, name: str) -> bool:
    return any(p.name == name and p.is_ready and not p.is_ending for p in view.pods)


@settings(max_examples=200, deadline=None)
@given(views())
def test_the_service_follows_the_sentinels_alone(view: TierView) -> None:
    opinion = form_opinion(view.sentinels)
    for action in plan_tier(view, NOW):
        if isinstance(action, HandOver):
            assert opinion.primary == action.primary
        if isinstance(action, Promote):
            assert opinion.primary is None


@settings(max_examples=200, deadline=None)
@given(views())
def test_planning_the_resulting_state_changes_no_server_again(view: TierView) -> None:
    seen: list[object] = []
    for _ in range(6):
        plan = plan_tier(view, NOW)
        seen = [each for each in acts(plan) if not isinstance(each, HandOver)]
        view = after(view, plan)
    assert seen == []
