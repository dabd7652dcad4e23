"""What the answers of Prometheus say of a revision.

No answer is never a pass and never a failure: it is an outcome of its own, and the rollout holds.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeAlias

from tenfold_operator.model.generated import (
    Workload,
    WorkloadProgressVerdict,
    WorkloadRolloutAnalysis,
    WorkloadRolloutAnalysisErrorBudget,
    WorkloadRolloutAnalysisQuery,
)
from tenfold_operator.model.observed import Reading, Readings
from tenfold_operator.plan import analysis_queries as asked
from tenfold_operator.plan.analysis_queries import Traffic
from tenfold_operator.plan.statistics import count_above, quantile, rank_test, share_bounds

EVIDENCE = 5
"""Bad requests that it takes to condemn a revision, however few it got."""
SIGNIFICANCE = 0.01
"""How unlikely a shift between equals must be to count as one."""
_CONFIDENCE_PERCENT = {
    "errorRatio": 95,
    "latency": 95,
    "comparison": round(100 * (1 - SIGNIFICANCE)),
}

Outcome: TypeAlias = Literal["Passed", "Failed", "TooFew", "Unjudged"]
Judgement: TypeAlias = tuple[Outcome, str]
Verdict: TypeAlias = WorkloadProgressVerdict
_NOT_ASKED = Reading(trouble="it has not been asked yet")


def judge(
    workload: Workload, target: str, stable: str, readings: Readings | None
) -> tuple[Verdict, ...]:
    """Return the verdict on each metric that the analysis names."""
    analysis = workload.spec.rollout.analysis
    if analysis is None:
        return ()

    def read(name: str) -> Reading:
        return _numbers(readings.by_name.get(name, _NOT_ASKED) if readings else _NOT_ASKED)

    requests, durations = read(asked.REQUESTS), read(asked.DURATIONS)
    trouble = _trouble(read(asked.GATEWAY), requests)
    new = asked.traffic_of(workload, target, requests.samples, durations.samples)
    old = asked.traffic_of(workload, stable, requests.samples, durations.samples)
    judgements = {
        **dict(_of_traffic(analysis, new, old, trouble, trouble or durations.trouble)),
        **dict(_of_budget(analysis, read(asked.BUDGET))),
        **{
            each.name: _of_query(each, read(asked.of_query(each.name))) for each in analysis.queries
        },
    }
    return tuple(
        Verdict(metric=name, outcome=outcome, message=message)
        for name, (outcome, message) in judgements.items()
    )


def overall(verdicts: tuple[Verdict, ...]) -> Outcome:
    """Return the worst outcome: a failure is one whatever else is not known."""
    outcomes = {each.outcome for each in verdicts}
    worst_first: tuple[Outcome, ...] = ("Failed", "Unjudged", "TooFew")
    return next((each for each in worst_first if each in outcomes), "Passed")


def confidence(verdicts: Iterable[Verdict]) -> int | None:
    """Return how sure it is in percent that a failure is none by chance, at least.

    None when no failed metric is a sample of requests: a budget and a query are just numbers.
    """
    failed = {each.metric for each in verdicts if each.outcome == "Failed"}
    return max(
        (_CONFIDENCE_PERCENT[each] for each in failed & set(_CONFIDENCE_PERCENT)), default=None
    )


def refusal(readings: Readings | None) -> tuple[str, str] | None:
    """Return why no traffic may move, as a reason and in words: nobody could judge it."""
    for name, each in readings.by_name.items() if readings else ():
        if each.is_invalid:
            return "InvalidQuery", f"Prometheus refuses {name}: {each.trouble}"
    gateway = readings.by_name.get(asked.GATEWAY, _NOT_ASKED) if readings else _NOT_ASKED
    return ("PrometheusAway", gateway.trouble) if gateway.trouble else None


def _numbers(reading: Reading) -> Reading:
    """Take an answer with a value that is no number for none: it compares as one likes."""
    odd = [each.value for each in reading.samples if not math.isfinite(each.value)]
    return Reading(trouble=f"it answers {odd[0]}") if odd else reading


def _trouble(gateway: Reading, requests: Reading) -> str:
    if gateway.trouble or requests.trouble:
        return gateway.trouble or requests.trouble
    # An empty answer about requests may mean that there were none; about the gateway it may not.
    return "" if gateway.samples else "Prometheus has no data of the gateway"


def _of_traffic(
    analysis: WorkloadRolloutAnalysis, new: Traffic, old: Traffic, trouble: str, no_durations: str
) -> Iterator[tuple[str, Judgement]]:
    """Judge what the gateway saw of the new revision, where it saw enough."""

    def judged(trouble: str, function: Callable[[], Judgement]) -> Judgement:
        if trouble:
            return "Unjudged", trouble
        outcome, message = function() if new.requests else ("TooFew", "")
        if outcome != "Failed" and new.requests < analysis.min_requests:
            return "TooFew", f"{new.requests:.0f} of at least {analysis.min_requests} requests"
        return outcome, message

    if bound := analysis.error_ratio:
        highest = bound.max
        yield "errorRatio", judged(trouble, lambda: _errors(new, highest))
    if limit := analysis.latency:
        level, seconds = limit.quantile, limit.max_seconds
        yield "latency", judged(no_durations, lambda: _latency(new, level, seconds))
    if comparison := analysis.comparison:
        effect, least = comparison.max_effect, analysis.min_requests
        yield "comparison", judged(no_durations, lambda: _shift(new, old, effect, least))


def _errors(new: Traffic, highest: float) -> Judgement:
    share = new.errors / new.requests
    message = f"{share:.2%} of {new.requests:.0f} requests, at most {highest:.2%}"
    return _by_confidence(new.errors, new.requests, highest, message)


def _by_confidence(bad: float, total: float, highest: float, message: str) -> Judgement:
    """Fail when even the lower end is too high; between the two more requests will tell."""
    low, _ = share_bounds(bad, total)
    if low > highest and bad >= EVIDENCE:
        return "Failed", message
    if bad / total > highest:
        return "TooFew", f"{message}, which may be chance"
    return "Passed", message


def _latency(new: Traffic, level: float, seconds: float) -> Judgement:
    total = sum(new.counts)
    if total <= 0:
        return "Unjudged", "Prometheus has no durations of the revision"
    # The quantile is too long exactly when too large a share of the requests is.
    slow = count_above(new.bounds, new.counts, seconds)
    found = quantile(new.bounds, new.counts, level)
    message = f"p{level * 100:g} is {found * 1000:.0f} ms, at most {seconds * 1000:.0f} ms"
    return _by_confidence(slow, total, 1 - level, message)


def _shift(new: Traffic, old: Traffic, highest: float, least: int) -> Judgement:
    if old.requests < least:
        # All traffic is the new revision's: nothing is left to compare it with.
        return "Passed", "the stable revision gets too few requests to compare with"
    if not sum(new.counts) or not sum(old.counts):
        return "Unjudged", "Prometheus has no durations of the revisions"
    if new.requests < least:
        return "TooFew", ""  # judged() says how few
    if new.bounds != old.bounds:
        return "Unjudged", "the revisions' durations are in different buckets"
    shift = rank_test(new.counts, old.counts)
    message = f"effect {shift.effect:+.2f} (p {shift.p_value:.2g}), at most {highest:+.2f}"
    is_slower = shift.effect > highest and shift.p_value < SIGNIFICANCE
    return ("Failed" if is_slower else "Passed"), message


def _of_budget(
    analysis: WorkloadRolloutAnalysis, reading: Reading
) -> Iterator[tuple[str, Judgement]]:
    if budget := analysis.error_budget:
        yield "errorBudget", _remaining(budget, reading)


def _remaining(budget: WorkloadRolloutAnalysisErrorBudget, reading: Reading) -> Judgement:
    if reading.trouble:
        return "Unjudged", reading.trouble
    total = sum(each.value for each in reading.samples)
    if total <= 0:
        return "TooFew", "no requests within the objective's window"
    spent = asked.count_errors(reading.samples) / total / (1 - budget.objective)
    message = f"{1 - spent:.0%} of the error budget is left, at least {budget.min_remaining:.0%}"
    return ("Failed" if 1 - spent < budget.min_remaining else "Passed"), message


def _of_query(query: WorkloadRolloutAnalysisQuery, reading: Reading) -> Judgement:
    if reading.trouble:
        return "Unjudged", reading.trouble
    if len(reading.samples) != 1:
        return "Unjudged", f"it answers {len(reading.samples)} values, not one"
    value = reading.samples[0].value
    least, most = query.min, query.max
    if least is not None and value < least:
        return "Failed", f"{value:g}, at least {least:g}"
    if most is not None and value > most:
        return "Failed", f"{value:g}, at most {most:g}"
    return "Passed", f"{value:g}"
