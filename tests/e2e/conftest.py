"""Where the platform's parts are, for the end-to-end tests."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tenfold_local import cluster, layout
from tenfold_local.toolchain import KUBERNETES

from tests.support import REPOSITORY, Kubectl, run_command

TENANT = "marketplace"
_TOLD_EVENTS = 40


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show beside a failure what the cluster did meanwhile: its pods are gone when it is read."""
    report = yield
    if report.when == "call" and report.failed and cluster.existing_nodes():
        kubectl = Kubectl(layout.ADMIN_KUBECONFIG)
        events = kubectl.run("get", "events", f"--namespace={TENANT}", "--sort-by=.lastTimestamp")
        lines = events.stdout.splitlines()[-_TOLD_EVENTS:]
        ended = f"{datetime.now(UTC):%H:%M:%S}"
        report.sections.append((f"events until {ended}", "\n".join(lines)))
    return report


@pytest.fixture(scope="session")
def entrances(platform: None) -> dict[str, str]:
    """The addresses of the platform's entrances."""
    done = run_command("tenfold", "status", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, str] = json.loads(done.stdout)["entrances"]
    return found


@pytest.fixture(scope="session")
def by_hand(kubeconfig: Path, entrances: dict[str, str]) -> dict[str, str]:
    """The variables that runbooks and guides tell people to set."""
    programs = [KUBERNETES.output(), Path(sys.executable).parent, os.environ["PATH"]]
    # `make` puts uv there where the machine has none.
    programs.append(REPOSITORY / ".uv" / "bin")
    return {
        **os.environ,
        "PATH": os.pathsep.join(map(str, programs)),
        "KUBECONFIG": str(kubeconfig),
        "NAMESPACE": TENANT,
        "WORKLOAD": "gateway",
        "TIER": "l2",
        "PROMETHEUS": entrances["prometheus"],
        "GATEWAY": entrances["gateway"],
    }


@pytest.fixture(scope="session")
def gateway(entrances: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of the gateway's address."""
    with httpx.Client(base_url=entrances["gateway"], timeout=10) as client:
        yield client


@pytest.fixture(scope="session")
def prometheus(entrances: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of Prometheus' API."""
    with httpx.Client(base_url=f"{entrances['prometheus']}/api/v1", timeout=10) as client:
        yield client
