"""A Workload changes under load and no request fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import TENANT
from tests.support import Kubectl, steady_load, wait_until

pytestmark = pytest.mark.cluster
CHANGES = 5
REQUESTS_PER_SECOND = 100.0
CHANGE_SECONDS = 120.0
WORKLOAD = ("workload", "gateway", "--namespace", TENANT)


@pytest.fixture
def environment(kubectl: Kubectl) -> Iterator[list[dict[str, Any]]]:
    """The container's variables, put back after the test."""
    containers = kubectl.get(*WORKLOAD)["spec"]["template"]["spec"]["containers"]
    variables: list[dict[str, Any]] = containers[0].get("env", [])
    yield variables
    _set_environment(kubectl, variables)
    wait_until(lambda: _is_ready(kubectl), seconds=CHANGE_SECONDS, what="the former revision")


def _set_environment(kubectl: Kubectl, variables: list[dict[str, Any]]) -> None:
    path = "/spec/template/spec/containers/0/env"
    patch = [{"op": "add", "path": path, "value": variables}]
    kubectl("patch", *WORKLOAD, "--type=json", "--patch", json.dumps(patch))


def _is_ready(kubectl: Kubectl) -> bool:
    """Ready for the present template, with all traffic on its revision."""
    workload = kubectl.get(*WORKLOAD)
    status = workload.get("status", {})
    ready = [c for c in status.get("conditions", []) if c["type"] == "Ready"]
    return (
        bool(ready)
        and ready[0]["status"] == "True"
        and ready[0]["observedGeneration"] == workload["metadata"]["generation"]
        and status["stableRevision"] == status["targetRevision"]
    )


def _answering(gateway: httpx.Client) -> set[str]:
    """The revisions that answer ten requests."""
    return {gateway.get("/v1/info").json()["revision"] for _ in range(10)}


def test_five_changes_in_a_row_under_load_fail_no_request(
    kubectl: Kubectl,
    gateway: httpx.Client,
    entrances: dict[str, str],
    environment: list[dict[str, Any]],
    say: Callable[[str], None],
) -> None:
    revisions: list[str] = []
    url = f"{entrances['gateway']}/v1/info"
    with steady_load(url, REQUESTS_PER_SECOND) as load:
        for number in range(CHANGES):
            _set_environment(kubectl, [*environment, {"name": "E2E_CHANGE", "value": f"{number}"}])
            seconds = wait_until(
                lambda: _is_ready(kubectl), seconds=CHANGE_SECONDS, what=f"change {number}"
            )
            say(f"change {number}: {seconds:.1f} s; so far {load}")
            revisions.append(kubectl.get(*WORKLOAD)["status"]["stableRevision"])
            # Traefik applies a change of the route within 2 s.
            wait_until(
                lambda: _answering(gateway) == {revisions[-1]},
                seconds=10,
                what=f"answers from revision {revisions[-1]} alone",
            )
    say(str(load))
    assert len(set(revisions)) == CHANGES
    assert load.requests > CHANGES * REQUESTS_PER_SECOND
    assert load.failed == 0, str(load)
