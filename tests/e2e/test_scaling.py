"""Scaling on the real cluster: pods are there before the load, and stay while nobody knows it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import TENANT
from tests.rollouts.demo import Demo
from tests.rollouts.replay import Outcome, backfill_requests, replay
from tests.support import Kubectl, wait_until

pytestmark = pytest.mark.cluster
PROMETHEUS = ("statefulset/prometheus", "--namespace=tenfold-monitoring")
LOW, HIGH = 12.0, 90.0
RISE_SECONDS, HIGH_SECONDS, PERIOD_SECONDS = 30.0, 180.0, 720.0
"""The load rises tenfold and falls again every twelve minutes: a day compressed in time."""
LEAD_SECONDS = 420.0
"""From the beginning to the rise: history is loaded, pods start, a model is fitted. Then it forgets
the minute without load before the requests began: while it believes in that, it expects less."""
PODS_AT_HIGH = 4
"""What HIGH takes: a pod serves 25 requests a second and not one more."""
APP = {"BUSY_SECONDS": "0.04", "STARTS_SECONDS": "20"}
SCALING: dict[str, Any] = {
    "minReplicas": 2,
    "maxReplicas": 8,
    "capacity": {"requestsPerMinute": 1200},
    "scaleIn": {"stabilizationWindowSeconds": 60},
}


@dataclass
class Wave:
    """The load as a function of time, with one rise at `rise`."""

    rise: float

    def __call__(self, now: float) -> float:
        since = (now - self.rise) % PERIOD_SECONDS
        up = min(1.0, since / RISE_SECONDS)
        down = min(1.0, max(0.0, since - HIGH_SECONDS) / RISE_SECONDS)
        return LOW + (HIGH - LOW) * (up - down)


class Scaled(Demo):
    """A demo whose pods scaling numbers."""

    def status(self) -> dict[str, Any]:
        """What scaling says; empty before it does."""
        found: dict[str, Any] = self.workload.get("status", {}).get("scaling", {})
        return found

    @property
    def replicas(self) -> int:
        """Pods that it decided on."""
        return int(self.workload["spec"]["replicas"])

    @property
    def ready(self) -> int:
        """Pods that serve."""
        return sum(int(each["readyReplicas"]) for each in self.workload["status"]["revisions"])


@dataclass
class Stage:
    """Two Workloads under the same load: one with a forecast, one that follows the load."""

    ahead: Scaled
    behind: Scaled
    wave: Wave
    outcomes: dict[str, Outcome]


@pytest.fixture(scope="module")
def stage(kubectl: Kubectl, entrances: dict[str, str], prometheus: httpx.Client) -> Iterator[Stage]:
    # Names of their own: the history of an earlier run has another rhythm.
    run = uuid.uuid4().hex[:6]
    ahead, behind = (
        Scaled(kubectl, TENANT, f"ahead-{run}"),
        Scaled(kubectl, TENANT, f"behind-{run}"),
    )
    wave = Wave((time.time() + LEAD_SECONDS) // 60 * 60)
    backfill_requests(kubectl, prometheus, ahead, wave, hours=46)
    urls = [f"{entrances['gateway']}/{each.name}" for each in (ahead, behind)]
    try:
        ahead.apply(APP, {}, scaling=SCALING)
        behind.apply(APP, {}, scaling={**SCALING, "forecast": {"enabled": False}})
        for each in (ahead, behind):
            each.wait_rolled_out()
        with replay(urls, wave) as outcomes:
            yield Stage(ahead, behind, wave, outcomes)
    finally:
        ahead.delete()
        behind.delete()


def wait_for_time(moment: float, sees: Callable[[], None]) -> None:
    """Look at what happens until then."""

    def is_then() -> bool:
        sees()
        return time.time() >= moment

    wait_until(is_then, seconds=max(10.0, moment - time.time() + 30), what="the time to come")


def test_a_forecast_has_the_pods_ready_before_the_load_and_no_request_fails(
    stage: Stage, say: Callable[[str], None], kubectl: Kubectl
) -> None:
    rise = stage.wave.rise
    wait_until(
        lambda: "predictedReplicas" in stage.ahead.status(),
        seconds=rise - time.time(),
        what="a forecast",
    )
    ready: dict[str, float] = {}

    def see() -> None:
        for each in (stage.ahead, stage.behind):
            if each.name not in ready and each.ready >= PODS_AT_HIGH:
                ready[each.name] = time.time() - rise

    wait_for_time(rise + 120, see)
    ahead, behind = (stage.outcomes[url].between(rise, rise + 100) for url in stage.outcomes)
    for each, outcome in ((stage.ahead, ahead), (stage.behind, behind)):
        say(
            f"{each.name}: {PODS_AT_HIGH} pods ready {ready.get(each.name, 999):+.0f} s from the"
            f" rise; in the 100 s after it {outcome}"
        )
    assert ready[stage.ahead.name] < RISE_SECONDS
    assert ready[stage.ahead.name] < ready.get(stage.behind.name, 999.0)
    assert ahead.failed == 0
    assert ahead.p95_seconds < behind.p95_seconds
    events = kubectl(
        "get",
        "events",
        f"--namespace={TENANT}",
        "--field-selector",
        f"involvedObject.name={stage.ahead.name},reason=ScaledOut",
    )
    assert "for the next" in events


def test_without_prometheus_nothing_is_scaled_in_and_with_it_pods_leave(
    stage: Stage, kubectl: Kubectl
) -> None:
    fall = stage.wave.rise + HIGH_SECONDS
    both = (stage.ahead, stage.behind)
    kubectl("scale", *PROMETHEUS, "--replicas=0")
    try:
        kubectl("wait", "--for=delete", "pod/prometheus-0", PROMETHEUS[1], "--timeout=60s")
        wait_until(
            lambda: all(each.condition("ScalingActive").get("reason") == "NoData" for each in both),
            seconds=90,
            what="both Workloads to say that nothing is known of the load",
        )
        least = {each.name: each.replicas for each in both}

        def see() -> None:
            for each in both:
                assert each.replicas >= least[each.name], f"{each.name} lost pods"

        wait_for_time(fall + RISE_SECONDS + 60, see)
    finally:
        kubectl("scale", *PROMETHEUS, "--replicas=1")
    wait_until(
        lambda: stage.behind.replicas < least[stage.behind.name], seconds=240, what="pods to leave"
    )
    assert next(iter(stage.outcomes.values())).failed == 0
