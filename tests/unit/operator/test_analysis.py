"""What each answer of Prometheus says of a revision."""

from datetime import UTC, datetime
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_operator.model.generated import Workload
from tenfold_operator.model.observed import Reading, Readings
from tenfold_operator.plan import analysis_queries as asked
from tenfold_operator.plan.analysis import judge, overall, refusal
from tenfold_operator.plan.analysis_queries import queries, traffic_of

from tests.unit.operator.answers import Seen, answers, sample
from tests.unit.operator.world import template

NEW, OLD = "0123456789", "abcdef0123"
AWAY = Reading(trouble="Prometheus: connection refused")
EMPTY = Reading()
NAN = Reading(samples=(sample(nan),))
ERRORS: dict[str, Any] = {"errorRatio": {"max": 0.01}}
LATENCY: dict[str, Any] = {"latency": {"quantile": 0.95, "maxSeconds": 0.1}}
COMPARISON: dict[str, Any] = {"comparison": {"maxEffect": 0.33}}
BUDGET: dict[str, Any] = {"errorBudget": {"objective": 0.99, "minRemaining": 0.1}}
QUERY: dict[str, Any] = {"queries": [{"name": "orders", "query": "x", "min": 1, "max": 5}]}
EVERY = {**ERRORS, **LATENCY, **COMPARISON, **BUDGET, **QUERY}


def workload(analysis: dict[str, Any]) -> Workload:
    rollout = {"strategy": "canary", "steps": [{"weight": 10}], "analysis": analysis}
    return Workload.model_validate(
        {
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"port": 8080, "template": template("v1"), "rollout": rollout},
        }
    )


def verdict(analysis: dict[str, Any], by_name: dict[str, Reading]) -> tuple[str, str]:
    """Return the only verdict: its outcome and what it says."""
    readings = Readings(time=datetime(2026, 1, 1, tzinfo=UTC), by_name=by_name)
    (found,) = judge(workload(analysis), NEW, OLD, readings)
    return found.outcome, found.message


def of_traffic(analysis: dict[str, Any], new: Seen, old: Seen | None = None) -> tuple[str, str]:
    return verdict(analysis, answers({NEW: new, OLD: old or Seen(1000)}))


def test_without_an_analysis_there_is_no_verdict() -> None:
    bare = Workload.model_validate(
        {
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"port": 8080, "template": template("v1")},
        }
    )
    assert judge(bare, NEW, OLD, None) == ()
    assert queries(bare, NEW, OLD) == {}


def test_a_previewed_revision_that_two_rules_name_has_one_histogram() -> None:
    once = answers({NEW: Seen(100, durations=(60, 30, 10, 0, 0)), OLD: Seen(1000)})
    twice = {
        name: Reading(
            samples=tuple(
                sample(each.value / 2, **{**each.labels, "service": rule})
                for each in reading.samples
                for rule in (
                    each.labels.get("service", ""),
                    each.labels.get("service", "").replace("rule-0", "rule-1"),
                )
            )
        )
        for name, reading in once.items()
    }
    analysis = {**LATENCY}
    assert verdict(analysis, twice) == verdict(analysis, once)


# The share of errors.


def test_few_errors_pass_and_the_message_has_value_and_bound() -> None:
    outcome, message = of_traffic(ERRORS, Seen(1000, errors=2))
    assert (outcome, message) == ("Passed", "0.20% of 1000 requests, at most 1.00%")


def test_many_errors_fail() -> None:
    assert of_traffic(ERRORS, Seen(1000, errors=50))[0] == "Failed"


def test_a_share_that_may_be_above_by_chance_waits_for_more_requests() -> None:
    outcome, message = of_traffic(ERRORS, Seen(100, errors=2))
    assert outcome == "TooFew"
    assert "may be chance" in message


def test_five_errors_of_five_requests_fail_without_waiting_for_more() -> None:
    assert of_traffic(ERRORS, Seen(5, errors=5))[0] == "Failed"


def test_four_errors_of_four_requests_are_too_few_to_condemn() -> None:
    assert of_traffic(ERRORS, Seen(4, errors=4)) == ("TooFew", "4 of at least 50 requests")


@pytest.mark.parametrize("analysis", [ERRORS, LATENCY, COMPARISON])
def test_a_good_revision_with_few_requests_is_not_passed(analysis: dict[str, Any]) -> None:
    assert of_traffic(analysis, Seen(49)) == ("TooFew", "49 of at least 50 requests")


@pytest.mark.parametrize("analysis", [ERRORS, LATENCY, COMPARISON])
def test_no_requests_are_too_few_and_no_trouble(analysis: dict[str, Any]) -> None:
    found = verdict(analysis, answers({OLD: Seen(1000)}))
    assert found == ("TooFew", "0 of at least 50 requests")


def test_other_codes_than_5xx_are_no_errors() -> None:
    by_name = answers({NEW: Seen(100), OLD: Seen(100)})
    name = by_name[asked.REQUESTS].samples[0].labels["service"]
    more = sample(500.0, service=name, code="404")
    by_name[asked.REQUESTS] = Reading(samples=(*by_name[asked.REQUESTS].samples, more))
    assert verdict(ERRORS, by_name) == ("Passed", "0.00% of 600 requests, at most 1.00%")


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_more_errors_never_make_a_failure_a_pass(a: int, b: int) -> None:
    fewer, more = sorted((a, b))
    if of_traffic(ERRORS, Seen(2000, errors=fewer))[0] == "Failed":
        assert of_traffic(ERRORS, Seen(2000, errors=more))[0] == "Failed"


@given(st.integers(0, 2000))
def test_a_share_within_the_bound_never_fails(total: int) -> None:
    assert of_traffic(ERRORS, Seen(total, errors=total // 100))[0] != "Failed"


# Times.


def test_a_quantile_within_the_bound_passes_and_is_told() -> None:
    outcome, message = of_traffic(LATENCY, Seen(100, durations=(0, 100, 0, 0, 0)))
    assert (outcome, message) == ("Passed", "p95 is 48 ms, at most 100 ms")


def test_a_quantile_above_the_bound_fails() -> None:
    assert of_traffic(LATENCY, Seen(100, durations=(50, 0, 0, 50, 0)))[0] == "Failed"


def test_a_quantile_that_may_be_above_by_chance_waits() -> None:
    assert of_traffic(LATENCY, Seen(100, durations=(93, 0, 0, 7, 0)))[0] == "TooFew"


@pytest.mark.parametrize("analysis", [LATENCY, COMPARISON])
@pytest.mark.parametrize("durations", [EMPTY, AWAY, NAN])
def test_times_without_an_answer_are_not_judged(
    analysis: dict[str, Any], durations: Reading
) -> None:
    by_name = answers({NEW: Seen(100), OLD: Seen(1000)})
    assert verdict(analysis, {**by_name, asked.DURATIONS: durations})[0] == "Unjudged"


def test_a_slower_revision_fails_the_comparison() -> None:
    slow, fast = (20.0, 80.0, 0.0, 0.0, 0.0), (900.0, 100.0, 0.0, 0.0, 0.0)
    outcome, message = of_traffic(COMPARISON, Seen(100, durations=slow), Seen(1000, durations=fast))
    assert outcome == "Failed"
    assert message.startswith("effect +0.70 (p ")


def test_a_slightly_slower_revision_passes() -> None:
    slower, fast = (800.0, 200.0, 0.0, 0.0, 0.0), (900.0, 100.0, 0.0, 0.0, 0.0)
    new, old = Seen(1000, durations=slower), Seen(1000, durations=fast)
    assert of_traffic(COMPARISON, new, old)[0] == "Passed"


def test_a_faster_revision_passes() -> None:
    fast, slow = (900.0, 100.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0, 1000.0)
    new, old = Seen(1000, durations=fast), Seen(1000, durations=slow)
    assert of_traffic(COMPARISON, new, old)[0] == "Passed"


def test_a_stable_revision_without_traffic_leaves_nothing_to_compare_with() -> None:
    outcome, message = of_traffic(COMPARISON, Seen(1000), Seen(10))
    assert outcome == "Passed"
    assert "too few requests to compare with" in message


# No answer.


@pytest.mark.parametrize("question", [asked.GATEWAY, asked.REQUESTS])
@pytest.mark.parametrize("answer", [AWAY, NAN])
@pytest.mark.parametrize("analysis", [ERRORS, LATENCY, COMPARISON])
def test_a_failed_or_odd_answer_about_the_gateway_is_not_judged(
    analysis: dict[str, Any], answer: Reading, question: str
) -> None:
    by_name = answers({NEW: Seen(1000), OLD: Seen(1000)})
    assert verdict(analysis, {**by_name, question: answer})[0] == "Unjudged"


@pytest.mark.parametrize("seen", [Seen(1000), Seen(1000, errors=500)])
def test_a_gateway_that_is_not_scraped_is_not_judged(seen: Seen) -> None:
    found = verdict(ERRORS, {**answers({NEW: seen}), asked.GATEWAY: EMPTY})
    assert found == ("Unjudged", "Prometheus has no data of the gateway")


def test_nothing_asked_yet_is_not_judged() -> None:
    found = judge(workload(EVERY), NEW, OLD, None)
    assert {each.outcome for each in found} == {"Unjudged"}
    assert len(found) == 5


@given(st.sampled_from([EMPTY, AWAY, NAN, Reading(samples=(sample(inf),))]))
def test_no_metric_passes_or_fails_without_numbers(answer: Reading) -> None:
    names = (asked.GATEWAY, asked.REQUESTS, asked.DURATIONS, asked.BUDGET)
    by_name = dict.fromkeys((*names, asked.of_query("orders")), answer)
    readings = Readings(time=datetime(2026, 1, 1, tzinfo=UTC), by_name=by_name)
    found = judge(workload(EVERY), NEW, OLD, readings)
    assert {each.outcome for each in found} <= {"Unjudged", "TooFew"}


def test_a_query_that_does_not_parse_refuses_more_traffic_and_is_named() -> None:
    invalid = Reading(trouble="parse error", is_invalid=True)
    by_name = {**answers({}), asked.of_query("orders"): invalid}
    readings = Readings(time=datetime(2026, 1, 1, tzinfo=UTC), by_name=by_name)
    assert refusal(readings) == (
        "InvalidQuery",
        "Prometheus refuses query orders: parse error",
    )


def test_a_prometheus_that_is_away_refuses_more_traffic() -> None:
    readings = Readings(time=datetime(2026, 1, 1, tzinfo=UTC), by_name={asked.GATEWAY: AWAY})
    assert refusal(readings) == ("PrometheusAway", AWAY.trouble)
    assert refusal(None) is not None


def test_good_answers_refuse_nothing() -> None:
    readings = Readings(time=datetime(2026, 1, 1, tzinfo=UTC), by_name=answers({}))
    assert refusal(readings) is None


# The error budget.


def budget(*values: tuple[str, float]) -> tuple[str, str]:
    samples = tuple(sample(value, code=code) for code, value in values)
    return verdict(BUDGET, {**answers({}), asked.BUDGET: Reading(samples=samples)})


def test_a_budget_that_is_half_spent_passes() -> None:
    assert budget(("200", 9950), ("500", 50)) == (
        "Passed",
        "50% of the error budget is left, at least 10%",
    )


def test_a_spent_budget_fails() -> None:
    outcome, message = budget(("200", 9800), ("500", 200))
    assert outcome == "Failed"
    assert message.startswith("-100% of the error budget is left")


def test_a_budget_without_requests_is_too_few() -> None:
    assert budget() == ("TooFew", "no requests within the objective's window")


@pytest.mark.parametrize("answer", [AWAY, Reading(samples=(sample(nan, code="500"),))])
def test_a_budget_without_an_answer_is_not_judged(answer: Reading) -> None:
    assert verdict(BUDGET, {**answers({}), asked.BUDGET: answer})[0] == "Unjudged"


# Queries of one's own.


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1.0, ("Passed", "1")),
        (5.0, ("Passed", "5")),
        (0.5, ("Failed", "0.5, at least 1")),
        (5.5, ("Failed", "5.5, at most 5")),
        (nan, ("Unjudged", "it answers nan")),
        (-inf, ("Unjudged", "it answers -inf")),
    ],
)
def test_a_query_is_within_its_bounds_or_not(value: float, wanted: tuple[str, str]) -> None:
    one = Reading(samples=(sample(value),))
    assert verdict(QUERY, {asked.of_query("orders"): one}) == wanted


@pytest.mark.parametrize("count", [0, 2])
def test_a_query_must_answer_one_value(count: int) -> None:
    several = Reading(samples=(sample(2.0),) * count)
    outcome, message = verdict(QUERY, {asked.of_query("orders"): several})
    assert (outcome, message) == ("Unjudged", f"it answers {count} values, not one")


def test_a_query_is_filled_in() -> None:
    query = 'f{n="{{namespace}}",w="{{workload}}",r="{{revision}}",s="{{stable}}"}[{{window}}]'
    spec = workload({"queries": [{"name": "f", "query": query, "max": 1}], "windowSeconds": 20})
    found = queries(spec, NEW, OLD)[asked.of_query("f")]
    assert found == f'f{{n="shop",w="web",r="{NEW}",s="{OLD}"}}[20s]'


@pytest.mark.parametrize(
    "name", [asked.GATEWAY, asked.REQUESTS, asked.DURATIONS, asked.BUDGET, "served"]
)
def test_a_query_may_have_the_name_of_any_question(name: str) -> None:
    own = {"queries": [{"name": name, "query": "mine", "max": 1}]}
    with_own, without = workload({**EVERY, **own}), workload({**EVERY, "queries": []})
    found = dict(queries(with_own, NEW, OLD))
    assert found.pop(asked.of_query(name)) == "mine"
    assert found == queries(without, NEW, OLD)


# All of them.


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [(Seen(1000), "Passed"), (Seen(10), "TooFew"), (Seen(1000, errors=500), "Failed")],
)
def test_the_worst_verdict_counts(seen: Seen, wanted: str) -> None:
    readings = Readings(
        time=datetime(2026, 1, 1, tzinfo=UTC), by_name=answers({NEW: seen, OLD: Seen(1000)})
    )
    assert overall(judge(workload({**ERRORS, **LATENCY}), NEW, OLD, readings)) == wanted


def test_a_failure_is_one_though_another_metric_is_not_known() -> None:
    by_name = {**answers({NEW: Seen(1000, errors=500)}), asked.of_query("orders"): EMPTY}
    readings = Readings(time=datetime(2026, 1, 1, tzinfo=UTC), by_name=by_name)
    verdicts = judge(workload({**ERRORS, **QUERY}), NEW, OLD, readings)
    assert [each.outcome for each in verdicts] == ["Failed", "Unjudged"]
    assert overall(verdicts) == "Failed"
    assert overall(verdicts[1:]) == "Unjudged"


def test_only_what_is_needed_is_asked() -> None:
    assert set(queries(workload(ERRORS), NEW, OLD)) == {asked.GATEWAY, asked.REQUESTS}
    assert asked.DURATIONS in queries(workload(LATENCY), NEW, OLD)
    assert asked.BUDGET in queries(workload(BUDGET), NEW, OLD)


def test_another_workload_whose_name_ends_alike_is_not_counted() -> None:
    spec = workload(ERRORS)
    mine = "httproute-shop-web-gw-g-svc-shop-web-0123456789-8080@kubernetesgateway"
    other = "httproute-shop-my-web-gw-g-svc-shop-my-web-0123456789-8080@kubernetesgateway"
    requests = (sample(3, service=mine, code="200"), sample(9, service=other, code="500"))
    found = traffic_of(spec, NEW, requests, ())
    assert (found.requests, found.errors) == (3, 0)


def test_buckets_that_were_extrapolated_apart_are_never_below_zero() -> None:
    name = answers({NEW: Seen(1)})[asked.REQUESTS].samples[0].labels["service"]
    durations = (
        sample(10.2, service=name, le="0.1"),
        sample(10.1, service=name, le="0.2"),
        sample(12.1, service=name, le="+Inf"),
    )
    found = traffic_of(workload(ERRORS), NEW, (), durations)
    assert found.bounds == (0.1, 0.2, inf)
    assert found.counts == pytest.approx((10.2, 0, 2.0))
