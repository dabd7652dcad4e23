"""What scaling must never do, whatever load, forecast, settings and history come together."""

import math
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tenfold_operator.plan.scaling.load import Load, Signals, judge
from tenfold_operator.plan.scaling.outlook import Outlook

from tests.unit.operator.scaling_world import HEALTHY, NOW, POD, Scaler, outlook

# A busy machine is slow at drawing examples; that says nothing of the planner.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
LOADS = st.floats(0, 1000)
OUTLOOKS = st.none() | st.builds(
    outlook, st.lists(LOADS, min_size=1, max_size=8), confidence=st.floats(0, 1)
)
SPECS = st.fixed_dictionaries(
    {
        "minReplicas": st.integers(1, 20),
        "maxReplicas": st.integers(20, 100),
        "targetUtilizationPercent": st.integers(10, 100),
        "scaleOut": st.fixed_dictionaries(
            {
                "stabilizationWindowSeconds": st.integers(0, 600),
                "maxPods": st.integers(1, 20),
                "maxPercent": st.integers(0, 200),
                "paused": st.booleans(),
            }
        ),
        "scaleIn": st.fixed_dictionaries(
            {
                "stabilizationWindowSeconds": st.integers(0, 600),
                "maxPods": st.integers(1, 20),
                "maxPercent": st.integers(0, 100),
                "paused": st.booleans(),
            }
        ),
    }
)
HISTORY = st.lists(st.tuples(LOADS, OUTLOOKS, st.integers(0, 120)), max_size=6)
OUTAGES = st.sampled_from(
    [
        "series ends",
        "no series",
        "NaN",
        "zero while the scrape is down",
        "zero while nobody knows of the scrape",
        "zero while the gateway fails",
        "zero while pods fail",
        "zero out of nothing",
    ]
)


def outage(kind: str, before: float) -> Load:
    """Return what the operator makes of an hour of load that ends in an outage."""
    times = [1000.0 + 15.0 * index for index in range(240)]
    values = [before] * 240
    signals: Signals = HEALTHY
    now = times[-1]
    if kind == "series ends":
        now += 61.0
    elif kind == "no series":
        times, values = [], []
    elif kind == "NaN":
        values[-1] = math.nan
    else:
        values[-1] = 0.0
    if kind == "zero while the scrape is down":
        signals = replace(HEALTHY, targets_up=0.0)
    elif kind == "zero while nobody knows of the scrape":
        signals = replace(HEALTHY, targets_up=None)
    elif kind == "zero while the gateway fails":
        signals = replace(HEALTHY, errors=before)
    elif kind == "zero while pods fail":
        signals = replace(HEALTHY, pods_failing=4)
    return judge(times, values, signals, now, 60.0)


def after(history: list[tuple[float, Outlook | None, int]], given: dict[str, Any]) -> Scaler:
    scaler = Scaler(replicas=4, **given)
    for level, ahead, seconds in history:
        scaler.decide(level=level, ahead=ahead)
        scaler.wait(seconds)
    return scaler


@CALM
@given(HISTORY, SPECS, OUTAGES, st.floats(0.01, 1000), OUTLOOKS)
def test_no_outage_takes_a_pod_away(
    history: list[tuple[float, Outlook | None, int]],
    given: dict[str, Any],
    kind: str,
    before: float,
    ahead: Outlook | None,
) -> None:
    scaler = after(history, given)
    pods = scaler.replicas
    load = outage(kind, before)
    decision = scaler.decide(level=load.level, doubts=load.doubts, ahead=ahead)
    assert decision.replicas >= pods


@CALM
@given(HISTORY, SPECS, OUTLOOKS)
def test_without_a_capacity_no_pod_is_taken_away(
    history: list[tuple[float, Outlook | None, int]],
    given: dict[str, Any],
    ahead: Outlook | None,
) -> None:
    scaler = after(history, given)
    pods = scaler.replicas
    assert scaler.decide(level=0.0, ahead=ahead, capacity=None).replicas >= pods


@CALM
@given(HISTORY, SPECS, LOADS, OUTLOOKS)
def test_the_number_moves_towards_what_is_wanted_and_never_past_it(
    history: list[tuple[float, Outlook | None, int]],
    given: dict[str, Any],
    level: float,
    ahead: Outlook | None,
) -> None:
    scaler = after(history, given)
    pods = scaler.replicas
    decision = scaler.decide(level=level, ahead=ahead)
    assert min(pods, decision.wanted) <= decision.replicas <= max(pods, decision.wanted)
    assert scaler.spec.min_replicas <= decision.wanted <= scaler.spec.max_replicas
    assert decision.reasons


@CALM
@given(HISTORY, SPECS, LOADS, OUTLOOKS)
def test_a_pause_stops_its_direction(
    history: list[tuple[float, Outlook | None, int]],
    given: dict[str, Any],
    level: float,
    ahead: Outlook | None,
) -> None:
    scaler = after(history, given)
    pods = scaler.replicas
    decision = scaler.decide(level=level, ahead=ahead)
    assert not (scaler.spec.scale_out.paused and decision.replicas > pods)
    assert not (scaler.spec.scale_in.paused and decision.replicas < pods)


@CALM
@given(HISTORY, SPECS, LOADS, OUTLOOKS)
def test_what_serves_the_load_is_never_taken_away(
    history: list[tuple[float, Outlook | None, int]],
    given: dict[str, Any],
    level: float,
    ahead: Outlook | None,
) -> None:
    scaler = after(history, given)
    pods = scaler.replicas
    decision = scaler.decide(level=level, ahead=ahead)
    needed = min(pods, scaler.spec.max_replicas, level / POD.per_second)
    assert decision.replicas >= needed - 1e-6


@CALM
@given(HISTORY, SPECS, LOADS)
def test_without_skill_it_is_the_reactive_rule(
    history: list[tuple[float, Outlook | None, int]], given: dict[str, Any], level: float
) -> None:
    with_forecast, without = after(history, given), after(history, given)
    useless = outlook([9999.0] * 4, confidence=0.1)
    decisions = (with_forecast.decide(level, ahead=useless), without.decide(level))
    assert decisions[0].replicas == decisions[1].replicas
    assert decisions[0].memory == decisions[1].memory


@CALM
@given(HISTORY, SPECS, LOADS, OUTLOOKS)
def test_the_memory_stays_small(
    history: list[tuple[float, Outlook | None, int]],
    given: dict[str, Any],
    level: float,
    ahead: Outlook | None,
) -> None:
    scaler = after(history, given)
    scaler.wait(3600)
    scaler.decide(level=level, ahead=ahead)
    scaler.wait(3600)
    assert len(scaler.decide(level=level, ahead=ahead).memory.recommendations) <= 2


def test_an_hour_of_quiet_is_not_an_outage() -> None:
    times = [1000.0 + 15.0 * index for index in range(240)]
    load = judge(times, [0.0] * 240, HEALTHY, times[-1], 60.0)
    scaler = Scaler(replicas=9)
    assert scaler.decide(load.level, outlook([0.0, 0.0]), load.doubts).replicas == 1
    assert scaler.now == NOW
