"""What several folders share: the platform, brought up once and left as found, and Redis."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tenfold_local import cluster, layout

from tests.loadtests.processes import Redis
from tests.support import Kubectl, run_command

# Tests change and delete things: they touch the embedded cluster alone, whatever the shell names.
os.environ.pop("KUBECONFIG", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first, then those with processes, then the cluster; who takes it down is last."""
    items.sort(
        key=lambda item: (
            item.get_closest_marker("cluster") is not None,
            item.get_closest_marker("lab") is not None,
            item.path.name == "test_down.py",
        )
    )


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a measured figure, also where the test passes and its output is kept back."""

    def print_figure(text: str) -> None:
        with capsys.disabled():
            print(f"\n    {text}", end="")

    return print_figure


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[Callable[[], Redis]]:
    """Return a function that starts one more Redis; all are ended with the test."""
    servers: list[Redis] = []

    def start() -> Redis:
        folder = tmp_path / f"redis-{len(servers)}"
        folder.mkdir()
        servers.append(Redis(folder))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def redis(start_redis: Callable[[], Redis]) -> Redis:
    """One Redis."""
    return start_redis()


def _bring_up() -> None:
    done = run_command("tenfold", "up")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def platform() -> Iterator[None]:
    """The platform on the embedded cluster. One that ran before the tests runs after them."""
    before = bool(cluster.existing_nodes())
    _bring_up()
    yield
    if before:
        _bring_up()
    else:
        done = run_command("tenfold", "down")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def kubeconfig(platform: None) -> Path:
    """Kubeconfig of the embedded cluster's administrator."""
    return layout.ADMIN_KUBECONFIG


@pytest.fixture(scope="session")
def kubectl(kubeconfig: Path) -> Kubectl:
    """kubectl on the embedded cluster."""
    return Kubectl(kubeconfig)
