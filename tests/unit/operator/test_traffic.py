"""How traffic may move, whatever is live, wanted and ready."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from tenfold_operator.plan.traffic import HEADROOM, pods_for, shift

NAMES = ("a", "b", "c")


@dataclass(frozen=True)
class Case:
    live: dict[str, int]
    goal: dict[str, int]
    ready: dict[str, int]
    total: int

    def shift(self) -> dict[str, int]:
        return shift(self.live, self.goal, self.ready, self.total)


@st.composite
def splits(draw: st.DrawFn, most: int) -> dict[str, int]:
    """Weights of some revisions that sum to 100."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=most, unique=True))
    cuts = sorted(draw(st.integers(0, 100)) for _ in names[1:])
    ends = [0, *cuts, 100]
    return {name: b - a for name, a, b in zip(names, ends, ends[1:], strict=False)}


@st.composite
def cases(draw: st.DrawFn, least: int = 0) -> Case:
    """Anything; with `least` ready pods of every revision, and a route that exists."""
    total = draw(st.integers(1, 20))
    return Case(
        live=draw(splits(3) if least else splits(3) | st.just({})),
        goal=draw(splits(2)),
        ready={name: draw(st.integers(least, total)) for name in NAMES},
        total=total,
    )


@given(cases())
def test_weights_sum_to_100_and_none_is_negative(case: Case) -> None:
    found = case.shift()
    assert sum(found.values()) == 100
    assert min(found.values()) >= 0


@given(cases())
def test_nothing_goes_to_pods_that_are_not_ready_while_others_of_the_goal_are(case: Case) -> None:
    dead = {name: weight for name, weight in case.shift().items() if not case.ready[name]}
    assert not any(dead.values()) or not any(case.ready[name] for name in case.goal)


@given(cases(least=1))
def test_a_revision_gets_no_more_than_its_pods_carry(case: Case) -> None:
    for name, weight in case.shift().items():
        if weight > case.live.get(name, 0):
            assert weight <= 100 * HEADROOM * case.ready[name] / case.total


@given(cases(least=1))
def test_every_weight_moves_towards_the_goal_or_stays(case: Case) -> None:
    for name, weight in case.shift().items():
        ends = sorted((case.live.get(name, 0), case.goal.get(name, 0)))
        assert ends[0] <= weight <= ends[1]


@given(cases())
def test_the_shift_of_what_was_shifted_is_the_same(case: Case) -> None:
    once = case.shift()
    again = shift(once, case.goal, case.ready, case.total)
    assert again == once


@given(cases())
def test_enough_pods_reach_the_goal_at_once(case: Case) -> None:
    ready = dict.fromkeys(NAMES, case.total)
    found = shift(case.live, case.goal, ready, case.total)
    assert {name: weight for name, weight in found.items() if weight} == {
        name: weight for name, weight in case.goal.items() if weight
    }


@given(cases())
def test_a_revision_without_traffic_joins_before_it_gets_some(case: Case) -> None:
    assert set(case.goal) <= set(case.shift())


def test_all_pods_dead_changes_nothing() -> None:
    assert shift({"a": 100}, {"a": 100}, {"a": 0}, 3) == {"a": 100}


def test_a_lost_route_is_made_anew_for_the_pods_that_are_ready() -> None:
    assert shift({}, {"a": 100, "b": 0}, {"a": 0, "b": 2}, 2) == {"a": 0, "b": 100}


def test_traffic_goes_back_as_fast_as_stable_carries_it() -> None:
    live, goal = {"new": 80, "old": 20}, {"old": 100}
    found = [shift(live, goal, {"old": n, "new": 4}, 4)["old"] for n in (1, 2, 3, 4)]
    assert found == [31, 62, 93, 100]


def test_one_missing_pod_of_five_does_not_keep_traffic_with_what_failed() -> None:
    assert shift({"new": 50, "old": 50}, {"old": 100}, {"old": 4, "new": 3}, 5) == {"old": 100}


@given(st.integers(1, 1000), st.integers(0, 100))
def test_pods_carry_their_share_and_are_at_least_one(total: int, weight: int) -> None:
    pods = pods_for(total, weight)
    assert 1 <= pods <= total
    assert pods / total >= weight / 100
    assert pods == 1 or (pods - 1) / total < weight / 100
