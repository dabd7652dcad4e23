"""How a run is judged: the service by its targets, the generator by its own condition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_loadtests import measurement, targets, verdict

SUITE = targets.scaled(targets.SMOKE, 100)
HELD, MISSED, NOT_JUDGED = verdict.Outcome


def _worker(cpu_demand: float = 0.3, late_ms: float = 1) -> measurement.Worker:
    return measurement.Worker(cpu_demand=cpu_demand, late_p95_seconds=late_ms / 1000)


def _run(
    *workers: measurement.Worker,
    rate: float = 102,
    failed: int = 0,
    mean_ms: float = 5,
    p95_ms: float = 10,
) -> measurement.Measurement:
    requests = int(rate * 60)
    return measurement.Measurement(
        users=102,
        window_seconds=60,
        requests=requests,
        failed_requests=failed,
        response_seconds_sum=requests * mean_ms / 1000,
        p50_seconds=mean_ms / 1000,
        p95_seconds=p95_ms / 1000,
        p99_seconds=p95_ms / 1000,
        failures=(),
        workers=workers or (_worker(),),
    )


def _outcomes(run: measurement.Measurement) -> dict[str, verdict.Outcome]:
    judged = verdict.judge(SUITE, run)
    return {judgement.target.name: judgement.outcome for judgement in judged.judgements}


def _outcome(run: measurement.Measurement) -> verdict.Outcome:
    return verdict.judge(SUITE, run).outcome


def test_a_run_that_reaches_every_target_is_held() -> None:
    assert set(_outcomes(_run()).values()) == {HELD}
    assert _outcome(_run()) is HELD


def test_a_slow_answer_is_a_miss_of_the_service() -> None:
    assert _outcomes(_run(p95_ms=60))["p95_seconds"] is MISSED
    assert _outcome(_run(p95_ms=60)) is MISSED


def test_a_latency_exactly_at_its_limit_is_missed() -> None:
    assert _outcomes(_run(_worker(late_ms=0), p95_ms=20))["p95_seconds"] is MISSED


def test_one_failed_request_is_a_miss() -> None:
    assert _outcomes(_run(failed=1))["error_ratio"] is MISSED


def test_a_saturated_generator_excuses_slow_answers_and_a_low_rate() -> None:
    run = _run(_worker(), _worker(cpu_demand=0.97), rate=60, p95_ms=500, mean_ms=200)
    outcomes = _outcomes(run)
    assert outcomes["requests_per_second"] is NOT_JUDGED
    assert outcomes["mean_seconds"] is outcomes["p95_seconds"] is NOT_JUDGED
    assert _outcome(run) is NOT_JUDGED
    assert verdict.judge(SUITE, run).generator_saturated


def test_a_saturated_generator_does_not_excuse_errors() -> None:
    run = _run(_worker(cpu_demand=0.97), p95_ms=500, failed=3)
    assert _outcomes(run)["error_ratio"] is MISSED
    assert _outcome(run) is MISSED


def test_targets_held_by_a_saturated_generator_are_held() -> None:
    run = _run(_worker(cpu_demand=0.97))
    assert _outcome(run) is HELD
    assert verdict.judge(SUITE, run).generator_saturated


def test_a_latency_missed_by_less_than_the_generator_was_late_is_not_judged() -> None:
    assert _outcomes(_run(_worker(late_ms=15), p95_ms=30))["p95_seconds"] is NOT_JUDGED
    assert _outcomes(_run(_worker(late_ms=15), p95_ms=60))["p95_seconds"] is MISSED


def test_the_latest_of_the_workers_counts() -> None:
    run = _run(_worker(late_ms=1), _worker(late_ms=15), p95_ms=30)
    assert _outcomes(run)["p95_seconds"] is NOT_JUDGED


def test_a_low_rate_is_the_services_fault_when_it_kept_its_users_waiting() -> None:
    slow = _run(rate=50, mean_ms=2000)
    assert _outcomes(slow)["requests_per_second"] is MISSED


def test_a_low_rate_is_the_generators_fault_when_its_users_were_idle() -> None:
    idle = _run(rate=50, mean_ms=5)
    assert _outcomes(idle)["requests_per_second"] is NOT_JUDGED


def test_a_run_without_any_answer_fails_and_says_that_there_was_nothing() -> None:
    empty = _run(rate=0)
    judged = verdict.judge(SUITE, empty)
    assert judged.outcome is MISSED
    p95 = next(j for j in judged.judgements if j.target.name == "p95_seconds")
    assert (p95.measured, p95.outcome) == (None, MISSED)
    assert "nothing to measure" in p95.reason


@given(
    cpu_demand=st.floats(0, 2),
    late_ms=st.floats(0, 1000),
    rate=st.floats(0, 200),
    failed=st.integers(0, 5),
    mean_ms=st.floats(0, 5000),
    p95_ms=st.floats(0, 5000),
)
def test_a_run_passes_only_if_every_figure_reaches_its_target(
    cpu_demand: float, late_ms: float, rate: float, failed: int, mean_ms: float, p95_ms: float
) -> None:
    run = _run(
        _worker(cpu_demand, late_ms), rate=rate, failed=failed, mean_ms=mean_ms, p95_ms=p95_ms
    )
    figures = run.figures()
    reached = (
        figures["requests_per_second"] >= 100
        and figures.get("error_ratio", 1) == 0
        and figures.get("mean_seconds", 1) < 0.020
        and figures.get("p95_seconds", 1) < 0.020
    )
    assert (_outcome(run) is HELD) == reached


@pytest.mark.parametrize("suite", targets.SUITES.values(), ids=str)
def test_every_target_names_the_line_that_demands_it(suite: targets.Suite) -> None:
    assert all(target.source.startswith(("Seed, ", "Design, ")) for target in suite.targets)


def test_the_big_suite_is_ten_times_the_expected_traffic() -> None:
    demanded = {
        name: next(t.limit for t in suite.targets if t.name == "requests_per_second")
        for name, suite in targets.SUITES.items()
    }
    assert demanded == {"smoke": 5_000 / 60, "10x": 50_000 / 60}


def test_more_is_offered_than_is_demanded() -> None:
    for suite in (*targets.SUITES.values(), SUITE):
        rate = next(t.limit for t in suite.targets if t.name == "requests_per_second")
        assert rate < suite.requests_per_second < 1.1 * rate
