"""Two primaries, and no quorum: what the operator does by itself, and what it leaves."""

from dataclasses import replace
from typing import Any

from tenfold_operator.model.observed import TierView
from tenfold_operator.plan.actions import (
    Announce,
    Configure,
    Fence,
    Plan,
    Refuse,
    SetStatus,
    SetTimers,
    TellSentinels,
    Wait,
)
from tenfold_operator.plan.redis import plan_tier
from tenfold_operator.plan.redis_config import FENCED, STARTING

from tests.unit.operator.redis_tier import (
    NOW,
    PODS,
    SENTINELS,
    acts,
    after,
    healthy,
    promoted,
    sentinel,
    tier,
    with_pod,
    with_server,
)


def refusals(plan: Plan) -> list[str]:
    return [each.reason for each in plan if isinstance(each, Refuse)]


def split() -> TierView:
    """l2-1 was promoted at 1000 while l2-0 went on to 1500."""
    view = healthy(primary="l2-1")
    view = with_server(
        view, "l2-1", history="h2", earlier_history="h1", earlier_end=1000, offset=1200
    )
    return with_server(view, "l2-0", role="primary", upstream="", history="h1", offset=1500)


def test_the_one_without_the_majority_is_fenced_first_and_its_writes_are_counted() -> None:
    plan = plan_tier(split(), NOW)
    first = plan[0]
    assert isinstance(first, Fence)
    assert first.pod == "l2-0"
    (event,) = [each for each in plan if isinstance(each, Announce) and each.reason == "SplitBrain"]
    assert "500 bytes of writes that it took alone are lost" in event.message
    (status,) = [each.status for each in plan if isinstance(each, SetStatus)]
    wanted = {"time": "2026-01-01T12:00:00Z", "pod": "l2-0", "primary": "l2-1", "lostBytes": 500}
    assert status["lastSplit"] == wanted


def test_it_is_fenced_once_and_let_go_when_it_follows() -> None:
    fenced = after(split(), plan_tier(split(), NOW))
    assert acts(plan_tier(fenced, NOW)) == []
    follows = with_server(fenced, "l2-0", role="replica", upstream="l2-1")
    (action,) = acts(plan_tier(follows, NOW))
    assert isinstance(action, Configure)
    assert action.settings == {"min-replicas-to-write": "1"}


def test_one_that_is_just_being_promoted_is_no_rival() -> None:
    view = split()
    busy = (sentinel("s", "l2-1", is_failing_over=True), *view.sentinels[1:])
    assert acts(plan_tier(replace(view, sentinels=busy), NOW)) == []


def test_one_whose_counterpart_does_not_serve_is_left_alone() -> None:
    view = with_server(split(), "l2-1", role="unknown", settings={})
    assert not any(isinstance(each, Fence) for each in acts(plan_tier(view, NOW)))


def test_a_server_that_starts_opens_itself() -> None:
    view = healthy()
    (own,) = [each for each in view.servers if each.pod == "l2-0"]
    shut = with_server(view, "l2-0", settings={**own.settings, "min-replicas-to-write": STARTING})
    assert acts(plan_tier(shut, NOW)) == []


def test_a_fence_falls_when_the_sentinels_name_the_fenced_one() -> None:
    view = healthy()
    (own,) = [each for each in view.servers if each.pod == "l2-0"]
    shut = with_server(view, "l2-0", settings={**own.settings, "min-replicas-to-write": FENCED})
    (action,) = acts(plan_tier(shut, NOW))
    assert isinstance(action, Configure)


def lost(resource: Any = None, **offsets: int) -> TierView:
    """The primary l2-0 and two Sentinels are gone; the others hold what `offsets` say."""
    agreed = {
        "type": "PrimaryAgreed",
        "status": "False",
        "lastTransitionTime": "2026-01-01T11:59:00Z",
        "reason": "NoQuorum",
        "message": "",
    }
    status = {"primary": "l2-0", "conditions": [agreed]}
    view = healthy(resource(status) if resource else tier(status))
    view = replace(
        view,
        sentinels=(
            sentinel(SENTINELS[0], None, timers=None),
            sentinel(SENTINELS[1], None, timers=None),
            sentinel(SENTINELS[2], "l2-0"),
        ),
    )
    view = with_server(view, "l2-0", role="unknown", settings={})
    for name in ("l2-0", *SENTINELS[:2]):
        view = with_pod(view, name, is_ready=False)
    for name, offset in offsets.items():
        pod = name.replace("_", "-")
        view = with_server(view, pod, offset=offset, keys=5 if offset else 0, upstream="")
    return view


def test_the_only_holder_is_promoted() -> None:
    assert promoted(plan_tier(lost(l2_1=0, l2_2=900), NOW)) == ["l2-2"]


def test_holders_of_the_same_are_as_one() -> None:
    assert promoted(plan_tier(lost(l2_1=900, l2_2=900), NOW)) == ["l2-1"]


def test_several_that_differ_need_the_specs_word() -> None:
    view = lost(l2_1=900, l2_2=800)
    assert "SeveralHoldData" in refusals(plan_tier(view, NOW))
    allowed = lost(
        lambda status: tier(status, recovery={"withoutQuorum": "longestOffset"}),
        l2_1=900,
        l2_2=800,
    )
    assert promoted(plan_tier(allowed, NOW)) == ["l2-1"]
    streams = with_server(allowed, "l2-2", history="other")
    assert "SeveralHoldData" in refusals(plan_tier(streams, NOW))


def test_nothing_is_seeded_while_a_silent_server_may_hold_the_data() -> None:
    assert "DataHolderUnknown" in refusals(plan_tier(lost(l2_1=0, l2_2=0), NOW))
    all_empty = with_server(lost(l2_1=0, l2_2=0), "l2-0", role="replica", keys=0, upstream="")
    assert promoted(plan_tier(all_empty, NOW)) == ["l2-0"]


def test_the_operators_own_deafness_is_no_evidence() -> None:
    view = lost(l2_1=0, l2_2=900)
    for name in SENTINELS[:2]:
        view = with_pod(view, name, is_ready=True)
    assert promoted(plan_tier(view, NOW)) == []
    assert promoted(plan_tier(with_pod(lost(l2_2=900), "l2-0", is_ready=True), NOW)) == []


def test_the_sentinels_get_their_time_first() -> None:
    view = lost(l2_1=0, l2_2=900)
    early = view.tier.status.conditions[0].last_transition_time
    plan = plan_tier(view, early)
    assert promoted(plan) == []
    assert any(isinstance(each, Wait) and each.until for each in plan)


def test_sentinels_that_come_back_with_an_old_primary_are_told() -> None:
    view = lost(l2_1=0, l2_2=900)
    view = after(view, plan_tier(view, NOW))
    view = after(view, plan_tier(view, NOW))
    assert view.tier.status.primary == "l2-2"
    back = replace(view, sentinels=tuple(sentinel(name, "l2-0") for name in SENTINELS))
    for name in SENTINELS:
        back = with_pod(back, name, is_ready=True)
    (action,) = [each for each in acts(plan_tier(back, NOW)) if isinstance(each, TellSentinels)]
    assert action.primary == "l2-2"


def test_a_sentinel_that_slept_through_a_failover_is_told() -> None:
    view = healthy(primary="l2-1")
    late = (sentinel(SENTINELS[0], "l2-0"), *view.sentinels[1:])
    (action,) = acts(plan_tier(replace(view, sentinels=late), NOW))
    assert isinstance(action, TellSentinels)
    assert action.primary == "l2-1"
    busy = (replace(late[0], is_failing_over=True), *late[1:])
    assert acts(plan_tier(replace(view, sentinels=busy), NOW)) == []


def test_settings_and_timers_follow_the_spec() -> None:
    resource = tier({"primary": "l2-0"}, memory="32Mi", sentinel={"downAfterMilliseconds": 1000})
    found = acts(plan_tier(healthy(resource), NOW))
    changed = {each.pod: each.settings for each in found if isinstance(each, Configure)}
    assert changed == {name: {"maxmemory": str(32 * 2**20)} for name in PODS}
    timers = [each for each in found if isinstance(each, SetTimers)]
    assert {each.sentinel: each.down_after_milliseconds for each in timers} == dict.fromkeys(
        SENTINELS, 1000
    )
