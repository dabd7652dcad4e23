"""A tenant's limit over several replicas that lease requests ahead."""

from __future__ import annotations

import asyncio
import time

import pydantic
import pytest
from tenfold_gateway import limits, store

from tests.loadtests.processes import PASSWORD, Redis

_RATE = 200.0


def _replicas(redis: Redis, number: int) -> list[limits.Limits]:
    return [
        limits.Limits(
            store.Store(pydantic.RedisDsn(redis.url), pydantic.SecretStr(PASSWORD)), _RATE, {}
        )
        for _ in range(number)
    ]


def test_all_replicas_together_let_no_more_through_than_is_allowed(redis: Redis) -> None:
    async def taken() -> tuple[int, float]:
        replicas = _replicas(redis, 3)
        start, allowed = time.monotonic(), 0
        for number in range(3000):
            try:
                await replicas[number % 3].take("shop")
                allowed += 1
            except limits.TooMany:
                pass
        return allowed, time.monotonic() - start

    allowed, seconds = asyncio.run(taken())
    assert _RATE / 2 <= allowed <= _RATE * (1 + seconds) + 1


def test_a_crowd_at_one_replica_is_counted_like_a_queue(redis: Redis) -> None:
    async def refused() -> int:
        (replica,) = _replicas(redis, 1)
        crowd = (replica.take("shop") for _ in range(1000))
        outcomes = await asyncio.gather(*crowd, return_exceptions=True)
        return sum(isinstance(outcome, limits.TooMany) for outcome in outcomes)

    start = time.monotonic()
    number = asyncio.run(refused())
    assert number >= 1000 - _RATE * (1 + time.monotonic() - start) - 1


def test_few_requests_are_asked_about_in_redis(redis: Redis) -> None:
    async def asked() -> None:
        (replica,) = _replicas(redis, 1)
        for _ in range(100):
            await replica.take("shop")

    asyncio.run(asked())
    # Leases of four.
    assert 25 <= _asked(redis) < 50


def test_a_tenant_within_its_limit_is_never_refused(redis: Redis) -> None:
    async def steady() -> None:
        replicas = _replicas(redis, 2)
        due = time.monotonic()
        for number in range(150):
            due += 2 / _RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await replicas[number % 2].take("shop")

    asyncio.run(steady())


def _asked(redis: Redis) -> int:
    found = redis.command("INFO", "commandstats")
    assert isinstance(found, dict)
    return int(found["cmdstat_eval"]["calls"])


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a Redis that a busy machine keeps from answering: nobody is let through for it."""
    monkeypatch.setattr(limits, "_PATIENCE_SECONDS", 30.0)
    monkeypatch.setattr(store, "_ANSWER_SECONDS", 30.0)
    monkeypatch.setattr(store, "_REACH_SECONDS", 30.0)
