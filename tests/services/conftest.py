"""What leads to the primary, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.loadtests.processes import Redis, Service


@pytest.fixture
def primary_service(redis: Redis) -> Iterator[Service]:
    """The Service that leads to the primary."""
    service = Service(redis.port)
    yield service
    service.close()
