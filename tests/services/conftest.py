"""Redis servers for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.loadtests.processes import Redis, Service


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


@pytest.fixture
def primary_service(redis: Redis) -> Iterator[Service]:
    """The Service that leads to the primary."""
    service = Service(redis.port)
    yield service
    service.close()
