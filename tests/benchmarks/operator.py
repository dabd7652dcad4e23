"""The operator with many resources: how long it takes, what it needs, how soon it acts.

It runs as a process of this machine on one core, against the real API server, for a namespace in
which no pod may start: what is measured is the operator, not the pods. Deployments there stay
without pods, so that every Workload goes on waiting, which is the more expensive state.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import kubernetes
import psutil
import typer
from tenfold_local import layout

from tests.benchmarks import report
from tests.support import Kubectl, free_port, run_command, wait_until

_NAMESPACE = "tenfold-bench-operator"
_GROUP = ("tenfold.dev", "v1alpha1", _NAMESPACE)
_CREATORS = 4
_CALM_SECONDS = 30.0
_EDITS = 200
_EDIT_PAUSE_SECONDS = 0.1
_LOOK_SECONDS = 0.01
_PATIENCE_SECONDS = 60.0


def _workload(number: int, version: str = "1") -> dict[str, Any]:
    container = {
        "name": "app",
        "image": "example.com/app:1",
        "env": [{"name": "V", "value": version}],
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
    }
    return {
        "apiVersion": "tenfold.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": f"app-{number}", "namespace": _NAMESPACE},
        "spec": {
            "replicas": 2,
            "port": 8080,
            "template": {"spec": {"containers": [container]}},
            "route": {"pathPrefix": f"/app-{number}"},
        },
    }


def _tier(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "tenfold.dev/v1alpha1",
        "kind": "RedisTier",
        "metadata": {"name": f"tier-{number}", "namespace": _NAMESPACE},
        "spec": {"memory": "32Mi", "persistence": {"mode": "aof", "size": "1Gi"}},
    }


@contextmanager
def _namespace(kubectl: Kubectl) -> Iterator[None]:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "no-pods", "namespace": _NAMESPACE},
        "spec": {"hard": {"pods": "0"}},
    }
    kubectl("create", "namespace", _NAMESPACE)
    try:
        kubectl.apply(quota)
        yield
    finally:
        kubectl("delete", "namespace", _NAMESPACE, "--timeout=600s")


@contextmanager
def _operator(kubeconfig: Path, prometheus: str) -> Iterator[psutil.Process]:
    ports = {f"TENFOLD_{name}_PORT": str(free_port()) for name in ("METRICS", "HEALTH", "CONSOLE")}
    environment = {
        **os.environ,
        **ports,
        "KUBECONFIG": str(kubeconfig),
        "TENFOLD_NAMESPACES": _NAMESPACE,
        "TENFOLD_PROMETHEUS_URL": prometheus,
    }
    program = Path(sys.executable).with_name("tenfold-operator")
    log = report.OUT / "operator.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", "0", program],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield psutil.Process(process.pid)
            assert process.poll() is None, f"the operator ended; see {log}"
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def _seconds_of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class _Cluster:
    """The API, as the benchmark uses it."""

    def __init__(self, kubeconfig: Path) -> None:
        client = kubernetes.config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]
        self._custom = kubernetes.client.CustomObjectsApi(client)
        self._apps = kubernetes.client.AppsV1Api(client)

    def create(self, plural: str, manifest: dict[str, Any]) -> None:
        """Create a custom resource."""
        self._custom.create_namespaced_custom_object(*_GROUP, plural, manifest)

    def edit(self, number: int, version: str) -> None:
        """Give a Workload another template."""
        manifest = _workload(number, version)
        self._custom.patch_namespaced_custom_object(
            *_GROUP,
            "workloads",
            manifest["metadata"]["name"],
            manifest,
            _content_type="application/merge-patch+json",
        )

    def reconciled(self, plural: str) -> int:
        """Return how many custom resources have a status."""
        found = self._custom.list_namespaced_custom_object(*_GROUP, plural)
        assert isinstance(found, dict)
        return sum("observedGeneration" in each.get("status", {}) for each in found["items"])

    def deployments(self, number: int) -> int:
        """Return how many revisions of a Workload there are."""
        selector = f"tenfold.dev/workload=app-{number}"
        found = self._apps.list_namespaced_deployment(_NAMESPACE, label_selector=selector)
        return len(found.items)


def _edit_seconds(cluster: _Cluster, workloads: int) -> list[float]:
    """Return how long after an edit the new revision's Deployment was there, sorted."""
    numbers = random.Random(0).sample(range(workloads), min(_EDITS, workloads))
    seconds = []
    for number in numbers:
        before = cluster.deployments(number)
        start = time.monotonic()
        cluster.edit(number, "2")
        while cluster.deployments(number) == before:
            assert time.monotonic() - start < _PATIENCE_SECONDS, f"app-{number} has no new revision"
            time.sleep(_LOOK_SECONDS)
        seconds.append(time.monotonic() - start)
        time.sleep(_EDIT_PAUSE_SECONDS)
    return sorted(seconds)


def _wait_until_reconciled(cluster: _Cluster, plural: str, count: int) -> None:
    wait_until(
        lambda: cluster.reconciled(plural) == count,
        seconds=900,
        what=f"{count} {plural} to be reconciled",
        every=1.0,
    )


def main(
    workloads: Annotated[int, typer.Option(help="How many Workloads.")] = 1000,
    tiers: Annotated[int, typer.Option(help="How many RedisTiers.")] = 100,
) -> None:
    """Measure on the running platform and write out/bench/operator.json."""
    entrances = json.loads(run_command("tenfold", "status", "--json").stdout)["entrances"]
    kubeconfig = layout.ADMIN_KUBECONFIG
    kubectl, cluster = Kubectl(kubeconfig), _Cluster(kubeconfig)
    with _namespace(kubectl), _operator(kubeconfig, entrances["prometheus"]) as process:
        start = time.monotonic()
        with ThreadPoolExecutor(_CREATORS) as pool:
            list(pool.map(lambda n: cluster.create("workloads", _workload(n)), range(workloads)))
            list(pool.map(lambda n: cluster.create("redistiers", _tier(n)), range(tiers)))
        created = time.monotonic() - start
        _wait_until_reconciled(cluster, "workloads", workloads)
        _wait_until_reconciled(cluster, "redistiers", tiers)
        reconciled = time.monotonic() - start
        busy = _seconds_of(process)
        time.sleep(_CALM_SECONDS)
        calm = (_seconds_of(process) - busy) / _CALM_SECONDS
        edits = _edit_seconds(cluster, workloads)
        memory = process.memory_info().rss
    figures = {
        "workloads": workloads,
        "redis_tiers": tiers,
        "created_seconds": created,
        "reconciled_seconds": reconciled,
        "reconciled_cpu_seconds": busy,
        "calm_cpu_cores": calm,
        "memory_bytes": memory,
        "edits": len(edits),
        "event_to_action_seconds_p50": statistics.median(edits),
        "event_to_action_seconds_p99": edits[int(0.99 * len(edits))],
        "event_to_action_seconds_max": edits[-1],
    }
    print(report.write("operator", figures))


if __name__ == "__main__":
    typer.run(main)
