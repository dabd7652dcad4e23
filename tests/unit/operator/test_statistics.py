"""The tests that judge a revision, beside scipy's."""

import math
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tenfold_operator.plan.statistics import count_above, quantile, rank_test, share_bounds

COUNTS = st.lists(st.integers(0, 40), min_size=3, max_size=8)
SOME = COUNTS.filter(any)
PAIRS = st.integers(2, 7).flatmap(
    lambda size: st.tuples(
        *(st.lists(st.integers(0, 40), min_size=size, max_size=size).filter(any) for _ in "ab")
    )
)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_bounds_of_a_share_are_wilsons(of: tuple[int, int]) -> None:
    count, total = of
    wanted = stats.binomtest(count, total).proportion_ci(0.95, method="wilson")
    assert share_bounds(count, total) == pytest.approx((wanted.low, wanted.high), abs=1e-6)


@given(st.integers(1, 1000), st.floats(0, 1))
def test_the_bounds_hold_the_share(total: int, share: float) -> None:
    low, high = share_bounds(share * total, total)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


def test_more_requests_narrow_the_bounds() -> None:
    widths = [high - low for low, high in (share_bounds(n / 10, n) for n in (10, 100, 1000))]
    assert widths == sorted(widths, reverse=True)


def test_increases_that_were_extrapolated_apart_may_be_more_errors_than_requests() -> None:
    assert share_bounds(10.3, 10.0)[1] == pytest.approx(1)


def values(counts: list[int]) -> list[int]:
    return [place for place, count in enumerate(counts) for _ in range(count)]


@settings(max_examples=40, deadline=None)
@given(PAIRS)
def test_the_rank_test_is_mann_and_whitneys(pair: tuple[list[int], list[int]]) -> None:
    new, old = pair
    found = rank_test(new, old)
    if len({*values(new), *values(old)}) == 1:
        assert (found.effect, found.p_value) == (0, 1)
        return
    wanted = stats.mannwhitneyu(
        values(new),
        values(old),
        alternative="greater",
        method="asymptotic",
        use_continuity=False,
    )
    assert found.p_value == pytest.approx(wanted.pvalue, abs=1e-9)
    delta = 2 * wanted.statistic / (sum(new) * sum(old)) - 1
    assert found.effect == pytest.approx(delta, abs=1e-9)


@given(PAIRS)
def test_the_effect_changes_its_sign_with_the_sides(pair: tuple[list[int], list[int]]) -> None:
    new, old = pair
    assert rank_test(new, old).effect == pytest.approx(-rank_test(old, new).effect)


@given(SOME)
def test_equal_samples_do_not_differ(counts: list[int]) -> None:
    found = rank_test(counts, counts)
    assert found.effect == pytest.approx(0)
    assert found.p_value >= 0.5 - 1e-9


def test_a_sample_wholly_above_another_has_the_largest_effect() -> None:
    found = rank_test([0, 0, 50], [50, 0, 0])
    assert found.effect == 1
    assert found.p_value < 1e-6


def test_one_value_on_each_side_proves_nothing() -> None:
    assert rank_test([0, 1], [1, 0]).p_value > 0.1


BOUNDS = (0.1, 0.2, 0.5, inf)
FOUR = st.lists(st.integers(0, 40), min_size=4, max_size=4).filter(any)


@given(FOUR)
def test_at_a_bound_the_count_above_is_that_of_the_buckets_after_it(counts: list[int]) -> None:
    for place, bound in enumerate(BOUNDS[:-1]):
        assert count_above(BOUNDS, counts, bound) == pytest.approx(sum(counts[place + 1 :]))


@given(FOUR, st.floats(0, 1), st.floats(0, 1))
def test_the_count_above_falls_as_the_limit_rises(counts: list[int], a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert count_above(BOUNDS, counts, low) >= count_above(BOUNDS, counts, high) - 1e-9


@given(FOUR, st.floats(0.01, 0.9999))
def test_the_quantile_is_where_the_rest_lies_above(counts: list[int], level: float) -> None:
    found = quantile(BOUNDS, counts, level)
    rest = (1 - level) * sum(counts)
    assert 0 <= found <= BOUNDS[-2]
    if found < BOUNDS[-2]:
        assert count_above(BOUNDS, counts, found) == pytest.approx(rest, abs=1e-6)
    else:
        assert math.ceil(count_above(BOUNDS, counts, found) + 1e-9) >= rest


@pytest.mark.parametrize(
    ("level", "wanted"),
    [(0.25, 0.05), (0.5, 0.1), (0.75, 0.35), (0.95, 0.47), (0.9999, 0.49994)],
)
def test_the_quantile_is_interpolated_as_prometheus_does(level: float, wanted: float) -> None:
    assert quantile(BOUNDS, [50, 0, 50, 0], level) == pytest.approx(wanted)


def test_a_quantile_in_the_last_bucket_is_the_largest_finite_bound() -> None:
    assert quantile(BOUNDS, [0, 0, 0, 7], 0.5) == 0.5
