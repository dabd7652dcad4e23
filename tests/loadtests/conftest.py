"""Redis servers for the tests of this folder."""

import pathlib
from collections.abc import Callable, Iterator

import pytest

from tests.loadtests.processes import Redis


@pytest.fixture
def start_redis(tmp_path: pathlib.Path) -> Iterator[Callable[[], Redis]]:
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
