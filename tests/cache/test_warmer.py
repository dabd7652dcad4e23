from __future__ import annotations

import asyncio
import time

import prometheus_client
from tenfold_cache import Cache, Lifetime, Settings, Tier, Warmer

from tests.cache.servers import Server

_LONG = Lifetime(fresh_seconds=3600)


def cache(l2: Server, l3: Server) -> Cache:
    settings = Settings(
        l2=Tier(url=l2.url, timeout_seconds=1.0),
        l3=Tier(url=l3.url, timeout_seconds=1.0),
        lifetime=_LONG,
        warm_interval_seconds=3600,
    )
    return Cache(settings, prometheus_client.CollectorRegistry())


async def origin(key: str) -> bytes | None:
    return key.encode()


async def teach(one: Cache, warmer: Warmer, keys: list[str]) -> None:
    """Let an interval pass in which keys are asked for."""
    for key in keys:
        await one.get(key, lambda: origin("asked"))
    assert one._demand
    await one._demand.flush()
    interval = int(time.time() // 3600)
    await warmer.work(interval)
    assert one.l3
    await one.l3.client.delete(one.l3.key(f"demand:{interval}", "warmer"))


def test_what_is_asked_for_again_and_again_is_warmed_and_served_from_l3(
    l2: Server, l3: Server
) -> None:
    async def scenario() -> None:
        async with cache(l2, l3) as one:
            warmer = Warmer(one, origin)
            for interval in range(12):
                often = [f"often-{number}" for number in range(20)]
                await teach(one, warmer, [*often, f"once-{interval}"])
            assert l3.admin.exists("cache:entry:often-7")
            assert one.metrics.warm_accuracy._value.get() > 0.8
            assert one.metrics.warm_coverage._value.get() > 0.9
        l2.admin.flushall()
        async with cache(l2, l3) as other:
            assert await other.get("often-7", lambda: origin("asked")) == b"often-7"
            assert other.metrics.requests.labels("l3", "hit")._value.get() == 1

    asyncio.run(scenario())


def test_a_key_that_was_invalidated_is_not_warmed_with_what_was_read_before(
    l2: Server, l3: Server
) -> None:
    async def scenario() -> None:
        async with cache(l2, l3) as one:
            reads = 0

            async def slow(key: str) -> bytes | None:
                nonlocal reads
                reads += 1
                # The origin changes while the warmer still holds what it read.
                await one.invalidate(key)
                return b"old"

            warmer = Warmer(one, slow)
            for _ in range(8):
                await teach(one, warmer, ["key"])
            assert reads > 0
            assert await one.get("key", lambda: origin("new")) == b"new"

    asyncio.run(scenario())


def test_of_several_warmers_one_works(l2: Server, l3: Server) -> None:
    async def scenario() -> None:
        async with cache(l2, l3) as one, cache(l2, l3) as other:
            first, second = Warmer(one, origin), Warmer(other, origin)
            assert await first._leads()
            assert not await second._leads()
            assert await first._leads()
            l3.admin.delete("cache:warmer:leader")
            assert await second._leads()

    asyncio.run(scenario())


def test_an_origin_that_fails_for_one_key_leaves_the_others_warmed(l2: Server, l3: Server) -> None:
    async def scenario() -> None:
        async def partly(key: str) -> bytes | None:
            if key == "bad":
                raise ConnectionError("away")
            return key.encode()

        async with cache(l2, l3) as one:
            warmer = Warmer(one, partly)
            for _ in range(8):
                await teach(one, warmer, ["bad", "good"])
        assert l3.admin.exists("cache:entry:good")
        assert not l3.admin.exists("cache:entry:bad")

    asyncio.run(scenario())
