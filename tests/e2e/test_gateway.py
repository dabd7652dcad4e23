"""A request goes through Traefik and the gateway service to Redis and back."""

from __future__ import annotations

import uuid

import httpx
import pytest

pytestmark = pytest.mark.cluster


def test_a_counter_is_kept_in_redis_between_requests(gateway: httpx.Client) -> None:
    counter = f"/v1/counters/e2e-{uuid.uuid4().hex[:8]}"
    values = [gateway.post(counter).raise_for_status().json()["value"] for _ in range(3)]
    assert values == [1, 2, 3]
    # Two replicas answer: one value for all shows that none keeps it for itself.
    assert {gateway.get(counter).json()["value"] for _ in range(10)} == {3}
