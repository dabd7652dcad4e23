"""A zone cut off under load: how many requests fail with the node guard, and without it.

The zone holds one of the two gateway pods and one of the three pods of the service.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer
from rich.console import Console
from tenfold_local import layout, network

from tests.benchmarks import report
from tests.benchmarks.rollout_load import Recording, locust_load
from tests.rollouts.demo import Demo, serving
from tests.support import Kubectl, other_gateway_node, run_command, wait_until

_NAMESPACE = "marketplace"
_REQUESTS_PER_SECOND = 834
_CALM_SECONDS = 10
_CUT_SECONDS = 25
"""Longer than Kubernetes takes to notice."""
_HEALED_SECONDS = 20
_GUARD = ("deployment/guard", "--namespace=tenfold-system")


@dataclass(frozen=True)
class Cut:
    """What a cut did to the requests."""

    recording: Recording
    cut: float
    healed: float

    @property
    def failed(self) -> int:
        """Failed requests, from the second of the cut to the end."""
        return self.recording.count(self.cut, self.healed + _HEALED_SECONDS)[1]

    @property
    def failed_seconds(self) -> float:
        """Seconds from the cut to the last request that failed."""
        last = self.recording.last_failure(self.cut)
        return 0.0 if last is None else max(0.0, last + 1 - self.cut)


def _ready_pods(kubectl: Kubectl, name: str) -> int:
    workload = kubectl.get("workload", name, f"--namespace={_NAMESPACE}")
    return sum(each["readyReplicas"] for each in workload["status"]["revisions"])


def _cut_under_load(kubectl: Kubectl, url: str, demo: Demo, node: layout.Node) -> Cut:
    with locust_load(f"{url}/{demo.name}", _REQUESTS_PER_SECOND) as recording:
        time.sleep(_CALM_SECONDS)
        cut = time.time()
        network.cut(node)
        try:
            time.sleep(_CUT_SECONDS)
        finally:
            network.heal(node)
        healed = time.time()
        wait_until(lambda: _ready_pods(kubectl, demo.name) == 3, seconds=120, what="all pods")
        time.sleep(_HEALED_SECONDS)
    return Cut(recording, cut, healed)


@contextmanager
def _without_guard(kubectl: Kubectl) -> Iterator[None]:
    kubectl("scale", *_GUARD, "--replicas=0")
    pods = ("pod", "--selector=app.kubernetes.io/name=guard", _GUARD[1])
    kubectl("wait", "--for=delete", *pods, "--timeout=60s")
    try:
        yield
    finally:
        kubectl("scale", *_GUARD, "--replicas=2")
        kubectl("rollout", "status", *_GUARD, "--timeout=120s")


def main() -> None:
    """Measure on the running platform and write out/bench/zone.json."""
    entrances = json.loads(run_command("tenfold", "status", "--json").stdout)["entrances"]
    kubectl, url = Kubectl(layout.ADMIN_KUBECONFIG), entrances["gateway"]
    node = other_gateway_node(kubectl, url)
    with serving(kubectl, _NAMESPACE, "zone", {"strategy": "immediate"}, replicas=3) as demo:
        guarded = _cut_under_load(kubectl, url, demo, node)
        with _without_guard(kubectl):
            alone = _cut_under_load(kubectl, url, demo, node)
    # Half of the requests come by the gateway pod there, and a third of the others go there.
    share = 1 / 2 + 1 / 2 * 1 / 3
    Console().print({"guarded": guarded.recording.failures, "alone": alone.recording.failures})
    figures = {
        "requests_per_second": _REQUESTS_PER_SECOND,
        "zone_share": share,
        "failed_requests": guarded.failed,
        "failed_requests_bound": 2 * share * _REQUESTS_PER_SECOND,
        "seconds_until_last_failure": guarded.failed_seconds,
        "without_guard_failed_requests": alone.failed,
        "without_guard_seconds_until_last_failure": alone.failed_seconds,
        "generator_late_seconds_p95": guarded.recording.late_seconds_p95,
    }
    print(report.write("zone", figures))


if __name__ == "__main__":
    typer.run(main)
