"""A zone that is cut off loses its traffic long before Kubernetes notices, and gets it back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from tenfold_local import network

from tests.e2e.conftest import TENANT
from tests.rollouts.demo import Demo, serving
from tests.support import Kubectl, is_ready, other_gateway_node, steady_load, wait_until

pytestmark = pytest.mark.cluster
REQUESTS_PER_SECOND = 50.0
GUARDED_SECONDS = 5.0
RETURN_FAILURES = 0.01
"""Of the requests that are sent from when the zone is back."""


@pytest.fixture
def demo(kubectl: Kubectl) -> Iterator[Demo]:
    """A Workload with a pod in each zone."""
    with serving(kubectl, TENANT, "zones", {"strategy": "immediate"}, replicas=3) as demo:
        yield demo


def _unready_on(kubectl: Kubectl, node: str) -> list[str]:
    """Return why pods on the node are not ready."""
    field = f"--field-selector=spec.nodeName={node}"
    pods = kubectl.get("pods", "--all-namespaces", field)["items"]
    return [
        each.get("reason", "")
        for pod in pods
        for each in pod["status"]["conditions"]
        if each["type"] == "Ready" and each["status"] == "False"
    ]


def test_a_zone_that_is_cut_off_costs_seconds_not_the_time_that_kubernetes_takes(
    demo: Demo, kubectl: Kubectl, entrances: dict[str, str], say: Callable[[str], None]
) -> None:
    url = f"{entrances['gateway']}/{demo.name}"
    node = other_gateway_node(kubectl, entrances["gateway"])
    with steady_load(url, REQUESTS_PER_SECOND, keep_alive=False) as load:
        cut = time.monotonic()
        network.cut(node)
        try:
            wait_until(
                lambda: "NodeCutOff" in _unready_on(kubectl, node.name),
                seconds=GUARDED_SECONDS,
                what="pods without traffic",
            )
            wait_until(
                lambda: not is_ready(kubectl.get("node", node.name)), seconds=60, what="NotReady"
            )
            noticed = time.monotonic() - cut
        finally:
            network.heal(node)
        healed, before = time.monotonic(), load.requests
        wait_until(
            lambda: (
                is_ready(kubectl.get("node", node.name)) and not _unready_on(kubectl, node.name)
            ),
            seconds=120,
            what="the zone to serve again",
        )
        served = load.requests
        wait_until(lambda: load.requests > served + 100, seconds=30, what="traffic there")
    seconds = max((each.sent for each in load.failures if each.sent < healed), default=cut) - cut
    returned = sum(each.sent >= healed for each in load.failures) / (load.requests - before)
    say(
        f"requests failed for {seconds:.1f} s, Kubernetes noticed after {noticed:.1f} s; "
        f"{returned:.2%} of those after the return failed; {load}"
    )
    assert seconds < GUARDED_SECONDS < noticed, str(load)
    assert returned < RETURN_FAILURES, str(load)
