"""The embedded cluster recovers from what a machine does to it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import psutil
import pytest
from tenfold_local import cluster, controlplane, node, processes

from tests.support import Kubectl, is_ready, run_command, wait_until

pytestmark = pytest.mark.cluster
NOT_READY_SECONDS = 40.0
READY_SECONDS = 90.0


def _is_ready(kubectl: Kubectl, name: str) -> bool:
    return is_ready(kubectl.get("node", name))


def _local(*arguments: str) -> None:
    done = run_command("tenfold-local", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def test_up_recovers_from_a_kill_of_any_component(platform: None, gateway: httpx.Client) -> None:
    third = cluster.existing_nodes()[-1]
    names = (*controlplane.NAMES, *node.component_names(third))
    for name in names:
        running = processes.process(name)
        assert running is not None, name
        running.kill()
    psutil.wait_procs([p for name in names if (p := processes.process(name))], timeout=10)
    assert run_command("tenfold-local", "status").returncode == 1
    _local("up")
    _local("status")
    assert gateway.post("/v1/counters/e2e-recovery").status_code == 200


def test_a_node_that_is_cut_off_is_noticed_and_comes_back(
    kubectl: Kubectl, say: Callable[[str], None]
) -> None:
    name = cluster.existing_nodes()[-1].name
    _local("node", "cut", name)
    try:
        seconds = wait_until(
            lambda: not _is_ready(kubectl, name), seconds=NOT_READY_SECONDS, what="NotReady"
        )
        say(f"{name} was seen as cut off after {seconds:.1f} s")
    finally:
        _local("node", "heal", name)
    wait_until(lambda: _is_ready(kubectl, name), seconds=READY_SECONDS, what="Ready")


def _containers(kubectl: Kubectl, node_name: str) -> dict[str, tuple[str, bool]]:
    """Each container on the node: its present id, and whether it is ready."""
    pods = kubectl.get("pods", "--all-namespaces", f"--field-selector=spec.nodeName={node_name}")
    return {
        f"{pod['metadata']['name']}/{status['name']}": (
            status.get("containerID", ""),
            status["ready"],
        )
        for pod in pods["items"]
        for status in pod["status"].get("containerStatuses", [])
    }


def test_a_node_that_loses_power_comes_back_with_its_pods(kubectl: Kubectl) -> None:
    name = cluster.existing_nodes()[-1].name
    before: set[str] = set()

    def all_run_anew() -> bool:
        now = _containers(kubectl, name).values()
        return bool(now) and all(ready and identity not in before for identity, ready in now)

    wait_until(all_run_anew, seconds=READY_SECONDS, what="readiness of the node's pods")
    before = {identity for identity, _ in _containers(kubectl, name).values()}
    _local("node", "stop", name)
    _local("node", "start", name)
    wait_until(all_run_anew, seconds=READY_SECONDS, what="new containers in the node's pods")
    assert _is_ready(kubectl, name)


def test_another_number_of_nodes_is_refused_with_what_to_do(platform: None) -> None:
    done = run_command("tenfold-local", "up", "--nodes", "2")
    assert done.returncode == 1
    assert "the cluster has 3 nodes, not 2" in done.stdout
    assert "tenfold-local down" in done.stdout


def test_an_unknown_node_is_refused_with_the_known_ones(platform: None) -> None:
    done = run_command("tenfold-local", "node", "stop", "node-9")
    assert done.returncode == 1
    assert "node-1, node-2, node-3" in done.stdout
