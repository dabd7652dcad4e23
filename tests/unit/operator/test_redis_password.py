"""A password that changes: everybody learns the new one before anybody forgets the old one."""

from dataclasses import replace

from tenfold_operator.plan.actions import AddPassword, DropPasswords, RedisAction
from tenfold_operator.plan.redis import plan_tier

from tests.unit.operator.redis_tier import NOW, SENTINELS, acts, healthy, sentinel, with_server

BOTH = frozenset({"new", "old"})


def kinds(found: list[RedisAction]) -> list[type[RedisAction]]:
    return [type(each) for each in found]


def test_one_password_that_all_take_is_left_alone() -> None:
    assert acts(plan_tier(healthy(), NOW)) == []


def test_whoever_lacks_the_new_one_gets_it() -> None:
    view = replace(healthy(), passwords=("new", "old"))
    late = with_server(view, "l2-1", passwords=frozenset({"old"}))
    (action,) = acts(plan_tier(late, NOW))
    assert isinstance(action, AddPassword)
    assert action.why.startswith("l2-1:")
    follows = with_server(view, "l2-2", follows_by="old")
    assert kinds(acts(plan_tier(follows, NOW))) == [AddPassword]
    old = sentinel(SENTINELS[0], "l2-0", passwords=frozenset({"old"}))
    sentinels = replace(view, sentinels=(old, *view.sentinels[1:]))
    assert kinds(acts(plan_tier(sentinels, NOW))) == [AddPassword]


def test_both_are_taken_while_the_secret_names_both() -> None:
    view = with_server(replace(healthy(), passwords=("new", "old")), "l2-1", passwords=BOTH)
    assert acts(plan_tier(view, NOW)) == []


def test_the_old_one_goes_when_it_is_no_longer_named_and_nobody_lacks_the_new_one() -> None:
    view = with_server(healthy(), "l2-1", passwords=BOTH)
    assert kinds(acts(plan_tier(view, NOW))) == [DropPasswords]
    late = with_server(view, "l2-2", passwords=frozenset({"old"}))
    assert kinds(acts(plan_tier(late, NOW))) == [AddPassword]


def test_silence_is_no_reason_to_change_anything() -> None:
    view = with_server(healthy(), "l2-1", role="unknown", passwords=frozenset(), settings={})
    assert acts(plan_tier(view, NOW)) == []
