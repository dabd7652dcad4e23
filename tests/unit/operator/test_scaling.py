"""A Workload's number of pods, decision by decision."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tenfold_operator.model.generated import (
    WorkloadScalingSchedule,
    WorkloadScalingStatus,
)
from tenfold_operator.plan.scaling import memory, schedule, startup, status
from tenfold_operator.plan.scaling.outlook import Outlook, look_ahead, peak

from tests.unit.operator.scaling_world import NOW, Scaler, forecast, outlook


def test_without_a_forecast_the_pods_follow_the_load_as_kubernetes_does() -> None:
    scaler = Scaler(replicas=4)
    decision = scaler.decide(level=49.0)
    assert decision.replicas == 7, "49/s at 70% of 10/s a pod"
    assert decision.predicted is None
    assert any("no forecast yet" in reason for reason in decision.reasons)


def test_within_the_tolerance_nothing_changes() -> None:
    assert Scaler(replicas=10).decide(level=76.0).replicas == 10
    assert Scaler(replicas=10).decide(level=78.0).replicas == 12


def test_without_a_forecast_pods_leave_only_after_the_window() -> None:
    scaler = Scaler(replicas=10)
    scaler.decide(level=70.0)
    scaler.wait(15)
    for _ in range(19):
        decision = scaler.decide(level=14.0)
        assert decision.replicas == 10
        assert decision.held == "Stabilizing"
        scaler.wait(15)
    scaler.wait(15)
    assert scaler.decide(level=14.0).replicas == 2


def test_the_forecast_brings_the_pods_before_the_load() -> None:
    scaler = Scaler(replicas=4, start=60)
    decision = scaler.decide(level=30.0, ahead=outlook([30.0, 75.0, 200.0]))
    assert decision.horizon_seconds == 75
    assert (decision.reactive, decision.predicted, decision.replicas) == (3, 8, 8)
    assert any("75.0/s at the 0.99 quantile" in reason for reason in decision.reasons)


def test_with_a_forecast_pods_leave_when_the_horizon_can_do_without_them() -> None:
    scaler = Scaler(replicas=10)
    assert scaler.decide(level=30.0, ahead=outlook([95.0, 50.0])).replicas == 10
    scaler.wait(60)
    assert scaler.decide(level=30.0, ahead=outlook([95.0, 50.0, 50.0])).replicas == 5


def test_the_load_counts_where_it_is_above_the_forecast() -> None:
    scaler = Scaler(replicas=8)
    assert scaler.decide(level=88.0, ahead=outlook([30.0, 30.0])).replicas == 9


def test_noise_within_a_step_is_headroom_for_the_present_load() -> None:
    decision = Scaler(replicas=8).decide(level=60.0, noise=5.0, ahead=outlook([1.0, 1.0]))
    assert decision.reactive == 8, "60 + 2.33 * 5"


@pytest.mark.parametrize(
    ("ahead", "given", "why"),
    [
        (outlook([95.0, 95.0], confidence=0.49), {}, "confidence of 49% is below 50%"),
        (outlook([95.0, 95.0]), {"forecast": {"enabled": False}}, "turned off"),
        (outlook([95.0]), {}, "ends within the next 75 s"),
    ],
)
def test_a_forecast_that_does_not_count_leaves_the_reactive_rule(
    ahead: Outlook, given: dict[str, Any], why: str
) -> None:
    plain, scaler = Scaler(), Scaler(**given)
    decision = scaler.decide(level=49.0, ahead=ahead)
    assert decision.replicas == plain.decide(level=49.0).replicas == 7
    assert any(why in reason for reason in decision.reasons)


def test_without_data_the_number_holds() -> None:
    decision = Scaler(replicas=6).decide(level=None, doubts=("there is no load series",))
    assert (decision.replicas, decision.held) == (6, "NoData")
    assert "there is no load series" in decision.reasons[-1]


def test_without_a_capacity_the_number_holds_and_status_says_what_to_give() -> None:
    decision = Scaler(replicas=6).decide(level=1.0, capacity=None)
    assert (decision.replicas, decision.held) == (6, "NoData")
    assert "give capacity.requestsPerMinute" in decision.reasons[-1]


def test_a_forecast_made_before_prometheus_went_away_still_brings_pods() -> None:
    scaler = Scaler(replicas=4)
    gone = ("the last load sample is 90 s old",)
    assert scaler.decide(level=None, doubts=gone, ahead=outlook([50.0, 75.0])).replicas == 8
    scaler.wait(15)
    assert scaler.decide(level=None, doubts=gone, ahead=outlook([5.0, 5.0])).replicas == 8


def test_a_doubt_keeps_the_pods_and_says_so() -> None:
    decision = Scaler(replicas=6).decide(
        level=0.0, ahead=outlook([5.0, 5.0]), doubts=("3 of 6 pods fail",)
    )
    assert (decision.replicas, decision.held) == (6, "InDoubt")
    assert decision.reasons[-1] == "no pod is taken away: 3 of 6 pods fail"


def test_each_direction_can_be_paused() -> None:
    out = Scaler(replicas=4, scaleOut={"paused": True})
    assert out.decide(level=300.0).held == "ScaleOutPaused"
    assert out.replicas == 4
    in_ = Scaler(replicas=4, scaleIn={"paused": True})
    assert in_.decide(level=1.0, ahead=outlook([1.0, 1.0])).held == "ScaleInPaused"
    assert in_.replicas == 4


def test_the_limits_of_a_period_hold_however_often_is_decided() -> None:
    scaler = Scaler(replicas=10, scaleOut={"maxPercent": 50, "maxPods": 1, "periodSeconds": 60})
    assert scaler.decide(level=700.0).replicas == 15
    scaler.wait(30)
    decision = scaler.decide(level=700.0)
    assert (decision.replicas, decision.held) == (15, "Limited")
    scaler.wait(30)
    assert scaler.decide(level=700.0).replicas == 23


def test_scale_in_has_limits_of_its_own() -> None:
    scaler = Scaler(replicas=10, scaleIn={"maxPercent": 0, "maxPods": 2, "periodSeconds": 60})
    ahead = outlook([1.0, 1.0, 1.0])
    assert scaler.decide(level=1.0, ahead=ahead).replicas == 8
    scaler.wait(15)
    assert scaler.decide(level=1.0, ahead=ahead).replicas == 8
    scaler.wait(45)
    assert scaler.decide(level=1.0, ahead=ahead).replicas == 6


def test_a_window_for_scale_out_waits_for_a_load_that_stays() -> None:
    scaler = Scaler(replicas=4, scaleOut={"stabilizationWindowSeconds": 30})
    scaler.decide(level=28.0)
    scaler.wait(15)
    assert scaler.decide(level=70.0).held == "Stabilizing"
    scaler.wait(31)
    assert scaler.decide(level=70.0).replicas == 10


def test_the_number_stays_between_the_bounds() -> None:
    scaler = Scaler(replicas=4, minReplicas=3, maxReplicas=6)
    assert scaler.decide(level=900.0).replicas == 6
    assert "maxReplicas allows 6" in scaler.decide(level=900.0).reasons[-1]
    assert scaler.decide(level=0.0, ahead=outlook([0.0, 0.0])).replicas == 3


def test_the_memory_survives_the_status() -> None:
    scaler = Scaler(replicas=4)
    scaler.decide(level=100.0)
    scaler.wait(15)
    decision = scaler.decide(level=10.0)
    said = status.report(scaler.observed(level=10.0), decision, None, None, scaler.now)
    again = WorkloadScalingStatus.model_validate(said.to_json())
    assert again == said
    assert memory.recall(again) == decision.memory
    assert len(decision.memory.recommendations) == 2
    assert decision.memory.out is not None
    assert memory.recall(None) == memory.EMPTY


def test_the_status_says_in_a_sentence_what_was_decided_and_why() -> None:
    scaler = Scaler(replicas=4)
    observed = scaler.observed(level=30.0, ahead=outlook([30.0, 75.0]))
    said = status.report(observed, scaler.decide(30.0, outlook([30.0, 75.0])), None, None, NOW)
    assert said.message == "8 pods; 3 for the load; 8 for the next 75 s"
    assert (said.replicas, said.horizon_seconds, said.confidence_percent) == (8, 75, 100)
    assert said.capacity_requests_per_minute == 600
    doubtful = scaler.decide(0.0, outlook([0.0, 0.0]), doubts=("3 of 8 pods fail",))
    said = status.report(observed, doubtful, None, said, NOW)
    assert said.held == "InDoubt"
    assert said.message is not None
    assert said.message.endswith("no pod is taken away: 3 of 8 pods fail")


def test_the_status_is_written_when_a_number_changes_and_each_minute() -> None:
    scaler = Scaler(replicas=7)

    def say(level: float, before: WorkloadScalingStatus | None) -> WorkloadScalingStatus:
        decision = scaler.decide(level)
        return status.report(scaler.observed(level), decision, None, before, scaler.now)

    first = say(49.0, None)
    scaler.wait(15)
    assert say(48.5, first) is first
    scaler.wait(45)
    again = say(48.5, first)
    assert again is not first
    scaler.wait(15)
    assert say(90.0, again).replicas == 13


def test_a_schedule_brings_its_pods_before_it_begins() -> None:
    campaign = {"name": "sale", "start": "15:00", "end": "16:00", "minReplicas": 9}
    scaler = Scaler(replicas=4, schedules=[{**campaign, "timeZone": "Europe/Istanbul"}])
    scaler.now = datetime(2026, 11, 24, 11, 58, 40, tzinfo=UTC)
    assert scaler.decide(level=28.0).replicas == 4
    scaler.wait(5)
    decision = scaler.decide(level=28.0)
    assert decision.replicas == 9, "75 s before 15:00 in Istanbul"
    assert any("schedule sale asks for 9 pods" in reason for reason in decision.reasons)


def at(clock: str, day: int = 24) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day}T{clock}:00+00:00")


def floor(now: datetime, **given: object) -> int:
    fields = {"name": "each", "minReplicas": 5, "start": "22:00", "end": "02:00", **given}
    each = WorkloadScalingSchedule.model_validate(fields)
    return schedule.floor([each], now, timedelta(0)).replicas


def test_a_schedule_over_midnight_belongs_to_the_day_on_which_it_starts() -> None:
    tuesday = {"days": ["Tue"]}
    assert floor(at("22:00"), **tuesday) == 5
    assert floor(at("01:59", day=25), **tuesday) == 5
    assert floor(at("02:00", day=25), **tuesday) == 0
    assert floor(at("01:59"), **tuesday) == 0


def test_a_schedule_of_equal_ends_lasts_a_day() -> None:
    assert floor(at("07:00"), start="08:00", end="08:00", days=["Mon"]) == 5
    assert floor(at("08:00"), start="08:00", end="08:00", days=["Mon"]) == 0


def test_a_schedule_keeps_its_clock_when_summer_time_ends() -> None:
    berlin = {"start": "09:00", "end": "10:00", "timeZone": "Europe/Berlin"}
    assert floor(datetime(2026, 10, 24, 7, 30, tzinfo=UTC), **berlin) == 5
    assert floor(datetime(2026, 10, 26, 7, 30, tzinfo=UTC), **berlin) == 0
    assert floor(datetime(2026, 10, 26, 8, 30, tzinfo=UTC), **berlin) == 5


def test_an_unknown_time_zone_is_reported_and_stops_nothing() -> None:
    each = WorkloadScalingSchedule(
        name="sale", start="00:00", end="00:00", min_replicas=5, time_zone="Europe/Nowhere"
    )
    found = schedule.floor([each], NOW, timedelta(0))
    assert found.replicas == 0
    assert "there is no time zone Europe/Nowhere" in found.reasons[0]


def test_the_start_is_what_nine_of_ten_pods_took() -> None:
    assert startup.measure([5.0] * 18 + [50.0, 60.0], None).seconds == 5.0
    assert startup.measure([5.0, 50.0], None).seconds == 50.0
    assert startup.measure([900.0] * 5 + [7.0] * 20, None).seconds == 7.0, "old starts are past"
    assert startup.measure([], None).seconds == startup.DEFAULT_SECONDS
    assert startup.measure([5.0], 30).seconds == 30.0


def test_quantiles_between_the_levels_are_interpolated_and_beyond_them_go_on() -> None:
    def load(quantile: float) -> float:
        return look_ahead(forecast(100.0, 10.0), NOW, quantile).loads[0]

    assert load(0.9) == 120.0
    assert load(0.5) == 100.0
    assert 120.0 < load(0.93) < 130.0
    assert load(0.99) == 140.0
    assert load(0.998) == pytest.approx(150.0), "a fifth of the chance: one spread more again"


def test_only_steps_that_meet_the_horizon_count() -> None:
    ahead = outlook([10.0, 20.0, 30.0], origin=NOW + timedelta(seconds=30))
    assert peak(ahead, NOW, 30.0) == (0.0, 0.0)
    assert peak(ahead, NOW, 31.0) == (10.0, 10.0)
    assert peak(ahead, NOW + timedelta(seconds=90), 60.0) == (20.0, 20.0)
    assert peak(ahead, NOW + timedelta(seconds=90), 200.0) is None
