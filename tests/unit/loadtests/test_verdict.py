"""How a run is judged: the service by its targets, the generator by its own condition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_loadtests import measurement, suites, targets, verdict

SUITE = suites.SMOKE.scaled(100)
HELD, MISSED, NOT_JUDGED = verdict.Outcome
COUNTED = {target.name: 0.0 for target in targets.LOSSES}


def _worker(cpu_demand: float = 0.3, late_ms: float = 1) -> measurement.Worker:
    return measurement.Worker(cpu_demand=cpu_demand, late_p95_seconds=late_ms / 1000)


def _run(
    *workers: measurement.Worker,
    rate: float = 102,
    failed: int = 0,
    mean_ms: float = 5,
    p95_ms: int = 10,
) -> measurement.Measurement:
    requests = int(rate * 60)
    counts = measurement.Counts(
        requests=requests,
        failed=failed,
        seconds_sum=requests * mean_ms / 1000,
        by_milliseconds={p95_ms: requests},
    )
    entry = measurement.Entry(user="browse", operation="product", marketplace="n11", counts=counts)
    return measurement.Measurement(
        began=0,
        ended=60,
        window_seconds=60,
        entries=(entry,),
        course=(),
        failures=(),
        workers=workers or (_worker(),),
    )


def _outcomes(run: measurement.Measurement) -> dict[str, verdict.Outcome]:
    judged = verdict.judge(SUITE, run, COUNTED)
    return {judgement.target.name: judgement.outcome for judgement in judged.judgements}


def _outcome(run: measurement.Measurement) -> verdict.Outcome:
    return verdict.judge(SUITE, run, COUNTED).outcome


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
    assert verdict.judge(SUITE, run, COUNTED).generator_saturated


def test_a_saturated_generator_does_not_excuse_errors() -> None:
    run = _run(_worker(cpu_demand=0.97), p95_ms=500, failed=3)
    assert _outcomes(run)["error_ratio"] is MISSED
    assert _outcome(run) is MISSED


def test_targets_held_by_a_saturated_generator_are_held() -> None:
    run = _run(_worker(cpu_demand=0.97))
    assert _outcome(run) is HELD
    assert verdict.judge(SUITE, run, COUNTED).generator_saturated


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
    judged = verdict.judge(SUITE, empty, COUNTED)
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
    p95_ms=st.integers(0, 5000),
)
def test_a_run_passes_only_if_every_figure_reaches_its_target(
    cpu_demand: float, late_ms: float, rate: float, failed: int, mean_ms: float, p95_ms: int
) -> None:
    run = _run(
        _worker(cpu_demand, late_ms), rate=rate, failed=failed, mean_ms=mean_ms, p95_ms=p95_ms
    )
    whole = measurement.Selection()
    reached = (
        (run.figure("requests_per_second", whole) or 0) >= 100
        and run.figure("error_ratio", whole) == 0
        and (run.figure("mean_seconds", whole) or 0) < 0.020
        and (run.figure("p95_seconds", whole) or 0) < 0.020
    )
    assert (_outcome(run) is HELD) == reached


def test_answers_that_are_50_ms_slower_miss_what_was_held() -> None:
    assert _outcome(_run(mean_ms=5, p95_ms=10)) is HELD
    slower = _outcomes(_run(mean_ms=55, p95_ms=60))
    assert slower["mean_seconds"] is slower["p95_seconds"] is MISSED


@pytest.mark.parametrize("count", COUNTED)
def test_one_lost_or_doubled_is_a_miss_and_no_count_is_no_verdict(count: str) -> None:
    assert verdict.judge(SUITE, _run(), COUNTED | {count: 1.0}).outcome is MISSED
    assert verdict.judge(SUITE, _run(), {}).outcome is NOT_JUDGED


def test_a_cold_cache_is_a_miss_and_a_silent_prometheus_is_no_verdict() -> None:
    suite = suites.STEADY.scaled(100)
    warm = {target.name: 0.0 for target in suite.targets} | {"hit_ratio": 0.985}
    assert verdict.judge(suite, _run(), warm).outcome is HELD
    assert verdict.judge(suite, _run(), warm | {"hit_ratio": 0.94}).outcome is MISSED
    assert verdict.judge(suite, _run(), warm | {"hit_ratio": None}).outcome is NOT_JUDGED


def test_with_one_marketplace_down_only_the_others_are_judged() -> None:
    suite = SUITE.under(suites.Fault.MARKETPLACE_DOWN)
    run = _run()
    down = measurement.Entry(
        user="orders",
        operation="place",
        marketplace=suites.DOWN,
        counts=measurement.Counts(
            requests=10, failed=10, seconds_sum=40, by_milliseconds={4000: 10}
        ),
    )
    broken = run.model_copy(update={"entries": (*run.entries, down)})
    assert verdict.judge(suite, broken, COUNTED).outcome is HELD
    assert verdict.judge(SUITE, broken, COUNTED).outcome is MISSED


EVERY_SUITE = [
    *suites.SUITES.values(),
    *(suites.STEADY.under(fault) for fault in suites.Fault),
]


@pytest.mark.parametrize("suite", EVERY_SUITE, ids=lambda suite: suite.name)
def test_every_target_names_the_line_that_demands_it_and_has_a_name_of_its_own(
    suite: suites.Suite,
) -> None:
    assert all(t.source.startswith(("Seed, ", "Design, ", "Issue: ")) for t in suite.targets)
    names = [target.name for target in suite.targets]
    assert len(set(names)) == len(names)


def test_the_big_suite_is_ten_times_the_expected_traffic() -> None:
    assert suites.SMOKE.shape.mean == pytest.approx(5_000 / 60)
    assert suites.STEADY.shape.mean == pytest.approx(50_000 / 60)
    assert suites.STEADY.shape.seconds - suites.STEADY.shape.measured_from == 300
    for climbing in (suites.RAMP, suites.SPIKE, suites.SOAK):
        assert climbing.shape.peak == pytest.approx(50_000 / 60)
