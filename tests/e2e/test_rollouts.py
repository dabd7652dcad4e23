"""Rollouts in steps on the real cluster: whatever happens midway, no request fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tenfold_local import processes

from tests.e2e.conftest import TENANT
from tests.rollouts.demo import ANALYSIS, CANARY, Demo, serving
from tests.support import Kubectl, Load, steady_load, wait_until

pytestmark = pytest.mark.cluster
REQUESTS_PER_SECOND = 100.0
QUICK: dict[str, Any] = {
    **CANARY,
    "steps": [{"weight": 20, "holdSeconds": 4}, {"weight": 60, "holdSeconds": 4}],
    "analysis": {**ANALYSIS, "minRequests": 30},
}
OPERATOR_NAMESPACE = "--namespace=tenfold-system"
PROMETHEUS = ("statefulset/prometheus", "--namespace=tenfold-monitoring")


@pytest.fixture(scope="module")
def demo(kubectl: Kubectl) -> Iterator[Demo]:
    """A Workload whose first revision serves."""
    with serving(kubectl, TENANT, "demo", QUICK) as demo:
        yield demo


@pytest.fixture
def load(demo: Demo, entrances: dict[str, str]) -> Iterator[Load]:
    """Requests to the demo during the whole test."""
    with steady_load(f"{entrances['gateway']}/{demo.name}", REQUESTS_PER_SECOND) as load:
        yield load


def wait_for_phase(demo: Demo, reason: str, seconds: float = 60) -> None:
    wait_until(
        lambda: demo.condition("Progressing").get("reason") == reason,
        seconds=seconds,
        what=f"{demo.name} to be {reason}",
    )


def wait_for_weight(demo: Demo, weight: int, seconds: float = 60) -> None:
    wait_until(
        lambda: weight in demo.weights.values(), seconds=seconds, what=f"{weight}% of the traffic"
    )


def test_a_preview_is_seen_by_those_who_ask_and_a_killed_operator_goes_on(
    demo: Demo, load: Load, entrances: dict[str, str], kubectl: Kubectl
) -> None:
    url, old = f"{entrances['gateway']}/{demo.name}", demo.stable
    steps = [{"weight": 0, "holdSeconds": 0, "pause": True}, *QUICK["steps"]]
    demo.apply({"V": "2"}, {**QUICK, "steps": steps, "preview": {"header": "x-preview"}})
    wait_for_phase(demo, "Paused")
    wait_until(
        lambda: httpx.get(url, headers={"x-preview": "true"}).text != old,
        seconds=10,
        what="the preview",
    )
    assert {httpx.get(url).text for _ in range(20)} == {old}
    assert "Paused" in demo.order("status")
    demo.order("promote")
    wait_for_weight(demo, 20)
    operator = "--selector=app.kubernetes.io/name=operator"
    kubectl("delete", "pod", OPERATOR_NAMESPACE, operator, "--grace-period=0", "--force")
    demo.wait_rolled_out()
    assert demo.stable != old
    assert load.failed == 0, str(load)


def test_visitors_stay_with_their_revision_until_its_time_is_over(
    demo: Demo, load: Load, entrances: dict[str, str]
) -> None:
    url = f"{entrances['gateway']}/{demo.name}"
    steps = [{"weight": weight, "holdSeconds": 0, "pause": True} for weight in (50, 100)]
    sticky = {"strategy": "canary", "steps": steps, "affinity": {"cookie": "revision"}}
    demo.apply({"COOKIE": "revision"}, {"strategy": "immediate"})
    demo.wait_rolled_out()
    old = demo.stable
    with httpx.Client() as visitor:
        assert visitor.get(url).text == old
        demo.apply({"COOKIE": "revision", "V": "sticky"}, sticky)
        wait_for_phase(demo, "Paused")
        assert len({httpx.get(url).text for _ in range(40)}) == 2, "new visitors go to both"
        assert {visitor.get(url).text for _ in range(20)} == {old}
        demo.order("promote")
        wait_for_weight(demo, 100)
        wait_for_phase(demo, "Paused")
        assert {httpx.get(url).text for _ in range(10)} == {
            demo.workload["status"]["targetRevision"]
        }
        assert {visitor.get(url).text for _ in range(20)} == {old}
        demo.order("promote")
        demo.wait_rolled_out()
        assert visitor.get(url).text == demo.stable != old
    demo.apply({"V": "2"}, {"strategy": "immediate"})
    demo.wait_rolled_out()
    assert load.failed == 0, str(load)


def test_a_bad_revision_is_rolled_back_before_it_hurts(
    demo: Demo, load: Load, say: Callable[[str], None]
) -> None:
    stable, before = demo.stable, load.requests
    demo.apply({"ERROR_RATIO": "0.5"}, QUICK)
    demo.wait_failed()
    condition = demo.condition("Progressing")
    assert (condition["status"], condition["reason"]) == ("False", "AnalysisFailed")
    assert "errorRatio" in condition["message"]
    assert demo.weights == {stable: 100}
    say(f"a revision that answers half with 500: {load}")
    # A fifth of the traffic, half of it failing, until the verdict.
    assert 0 < load.failed <= 0.2 * 0.5 * (load.requests - before) * 1.5 + 10
    assert {each.reason for each in load.failures} == {"500"}


def test_a_slow_revision_is_rolled_back(demo: Demo, load: Load) -> None:
    demo.apply({"DELAY_SECONDS": "0.3"}, QUICK)
    demo.wait_failed()
    assert demo.condition("Progressing")["reason"] == "AnalysisFailed"
    assert load.failed == 0, str(load)


def test_a_failed_revision_is_tried_again_only_when_a_person_says_so(
    demo: Demo, load: Load
) -> None:
    demo.apply({"CRASH": "1"}, {**QUICK, "maxRestarts": 1})
    demo.wait_failed()
    failed = demo.workload["status"]["failedRevisions"][-1]
    assert failed["reason"] == "CrashLooping"
    assert "ended with code 1" in failed["message"]
    attempt = failed["attempt"]
    assert failed["revision"] in demo.order("history")
    demo.order("retry")
    wait_until(
        lambda: demo.workload["status"]["attempts"] == attempt + 1,
        seconds=30,
        what="a second attempt",
    )
    demo.wait_failed()
    assert load.failed == 0, str(load)


def test_a_third_revision_midway_and_the_way_back_fail_no_request(demo: Demo, load: Load) -> None:
    first = demo.stable
    held = {**QUICK, "steps": [{"weight": 50, "holdSeconds": 600}]}
    demo.apply({"V": "4"}, held)
    wait_for_weight(demo, 50)
    demo.apply({"V": "5"}, held)
    wait_until(
        lambda: demo.weights.get(first) == 100,
        seconds=60,
        what="the second revision's traffic back",
    )
    wait_for_weight(demo, 50)
    demo.apply({"V": "2"}, held)
    demo.wait_rolled_out()
    assert demo.stable == first, "the template of the stable revision serves at once"
    assert load.failed == 0, str(load)


def test_without_prometheus_nothing_moves_and_with_it_the_rollout_goes_on(
    demo: Demo, load: Load, kubectl: Kubectl
) -> None:
    stable = demo.stable
    kubectl("scale", *PROMETHEUS, "--replicas=0")
    try:
        kubectl("wait", "--for=delete", "pod/prometheus-0", PROMETHEUS[1], "--timeout=60s")
        demo.apply({"V": "6"}, QUICK)
        wait_for_phase(demo, "PrometheusAway")
        assert demo.weights == {stable: 100}
    finally:
        kubectl("scale", *PROMETHEUS, "--replicas=1")
    demo.wait_rolled_out(seconds=180)
    assert load.failed == 0, str(load)


def test_an_api_server_that_hangs_costs_no_request(demo: Demo, load: Load) -> None:
    demo.apply({"V": "7"}, QUICK)
    wait_for_weight(demo, 20)
    server = processes.process("kube-apiserver")
    assert server is not None
    before = load.requests
    server.suspend()
    try:
        wait_until(
            lambda: load.requests >= before + 5 * REQUESTS_PER_SECOND,
            seconds=60,
            what="five seconds of traffic without an API server",
        )
    finally:
        server.resume()
    demo.wait_rolled_out(seconds=180)
    assert load.failed == 0, str(load)


def test_a_changed_configmap_and_secret_are_new_revisions(
    demo: Demo, load: Load, kubectl: Kubectl
) -> None:
    secret = f"secret/{demo.name}"
    namespace = f"--namespace={TENANT}"
    kubectl("create", "secret", "generic", demo.name, namespace, "--from-literal=key=one")
    try:
        source = [{"secretRef": {"name": demo.name}}]
        demo.apply({"V": "8"}, {"strategy": "immediate"}, envFrom=source)
        demo.wait_rolled_out()
        first = demo.stable
        patch = json.dumps({"stringData": {"key": "two"}})
        kubectl("patch", secret, namespace, "--type=merge", "--patch", patch)
        wait_until(lambda: demo.stable != first, seconds=90, what="a revision for the new Secret")
        demo.apply({"V": "8"}, {"strategy": "immediate"})
        demo.wait_rolled_out()
    finally:
        kubectl("delete", secret, namespace)
    assert load.failed == 0, str(load)


def test_a_group_advances_and_rolls_back_together(
    demo: Demo, load: Load, kubectl: Kubectl, entrances: dict[str, str]
) -> None:
    together = {**QUICK, "group": "shop"}
    other = Demo(kubectl, TENANT, "demo-other")
    stable = demo.stable
    try:
        other.apply({}, together, replicas=1)
        other.wait_rolled_out()
        demo.apply({"V": "9"}, together)
        other.apply({"NEVER_READY": "1"}, {**together, "progressDeadlineSeconds": 20})
        wait_for_phase(demo, "WaitingForGroup")
        demo.wait_failed()
        assert demo.condition("Progressing")["reason"] == "GroupAborted"
        assert demo.stable == stable
    finally:
        other.delete()
    assert load.failed == 0, str(load)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": [{"weight": 50}, {"weight": 10}]}, "weights of rollout.steps must not fall"),
        ({"steps": [{"weight": 101}]}, "less than or equal to 100"),
        ({"strategy": "immediate"}, "rollout.steps belong to strategy canary"),
        ({"analysis": {"queries": [{"name": "x", "query": "up"}]}}, "needs min, max or both"),
    ],
)
def test_a_spec_that_cannot_be_is_refused_with_the_reason(
    demo: Demo, change: dict[str, Any], message: str
) -> None:
    before = demo.workload["metadata"]["generation"]
    with pytest.raises(AssertionError, match=message):
        demo.apply({"V": "never"}, {**QUICK, **change})
    assert demo.workload["metadata"]["generation"] == before


def test_a_query_that_prometheus_refuses_is_a_condition_and_moves_no_traffic(
    demo: Demo, load: Load
) -> None:
    stable = demo.stable
    query = {"name": "broken", "query": "sum(", "max": 1}
    demo.apply({"V": "10"}, {**QUICK, "analysis": {"queries": [query]}})
    wait_for_phase(demo, "InvalidQuery")
    assert demo.weights == {stable: 100}
    demo.apply({"V": "8"}, QUICK)
    demo.wait_rolled_out()
    assert load.failed == 0, str(load)


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}, "memory limit of 1Gi"),
        ({"requests": {"cpu": "much"}}, "quantities must match"),
    ],
)
def test_a_template_that_the_api_server_refuses_is_a_condition_and_moves_no_traffic(
    demo: Demo, load: Load, resources: dict[str, Any], message: str
) -> None:
    stable = demo.stable
    demo.apply({"V": "11"}, QUICK, resources=resources)
    wait_for_phase(demo, "Invalid")
    assert message in demo.condition("Progressing")["message"]
    assert demo.weights == {stable: 100}
    demo.apply({"V": "8"}, QUICK)
    demo.wait_rolled_out()
    assert load.failed == 0, str(load)


def test_a_spent_error_budget_ends_the_rollout(demo: Demo, load: Load) -> None:
    stable = demo.stable
    # Of the budget of all revisions together: one request in 1,000 may fail in the last minute.
    budget = {"objective": 0.999, "windowSeconds": 60, "minRemaining": 0.5}
    analysis = {"intervalSeconds": 2, "windowSeconds": 10, "errorBudget": budget}
    demo.apply({"ERROR_RATIO": "0.2"}, {**QUICK, "analysis": analysis})
    demo.wait_failed()
    assert "errorBudget" in demo.condition("Progressing")["message"]
    assert demo.weights == {stable: 100}
    assert load.failed > 0, str(load)
