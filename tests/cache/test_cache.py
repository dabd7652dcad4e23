"""The library over real Redis servers: every test here runs processes on loopback."""

from __future__ import annotations

import asyncio
import pathlib
import random
import time
from collections.abc import Callable

import prometheus_client
import pytest
import uvloop
from tenfold_cache import Cache, Incomplete, Lifetime, LoadTimeout, Settings, Tier

from tests.cache.servers import Cluster, Server
from tests.support import free_port


class Origin:
    """Where values come from, with a count of how often it was asked."""

    def __init__(self, value: bytes | None = b"value") -> None:
        self.value = value
        self.loads = 0
        self.fails = False
        # Loads wait for it.
        self.open = asyncio.Event()
        self.open.set()

    async def load(self) -> bytes | None:
        self.loads += 1
        value = self.value
        await self.open.wait()
        if self.fails:
            raise ConnectionError("the origin is away")
        return value


def tier(server: Server | Cluster) -> Tier:
    # A busy machine is slower than the default allows.
    cluster = isinstance(server, Cluster)
    return Tier(url=server.url, cluster=cluster, timeout_seconds=1.0, rest_seconds=0.2)


def cache(settings: Settings) -> Cache:
    return Cache(settings, prometheus_client.CollectorRegistry())


def counted(cache: Cache, name: str, **labels: str) -> float:
    metric = {"requests": cache.metrics.requests, "gets": cache.metrics.gets}[name]
    return float(metric.labels(**labels)._value.get())


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.01)


async def listening(*caches: Cache) -> None:
    await until(
        lambda: all(each.metrics.listening._value.get() for each in caches), "caches listen"
    )


def test_a_value_is_loaded_once_and_then_served_from_memory(l2: Server) -> None:
    async def scenario() -> None:
        origin = Origin()
        async with cache(Settings(l2=tier(l2))) as one:
            await listening(one)
            assert [await one.get("key", origin.load) for _ in range(3)] == [b"value"] * 3
            assert origin.loads == 1
            assert counted(one, "requests", tier="l1", outcome="hit") == 2

    asyncio.run(scenario())


def test_a_cache_without_redis_works_in_memory() -> None:
    async def scenario() -> None:
        origin = Origin()
        async with cache(Settings()) as one:
            assert await one.get("key", origin.load) == b"value"
            assert await one.get("key", origin.load) == b"value"
            assert origin.loads == 1
            await one.invalidate("key")
            origin.value = b"new"
            assert await one.get("key", origin.load) == b"new"
            await one.set("key", b"newer")
            assert await one.get("key", origin.load) == b"newer"

    asyncio.run(scenario())


def test_a_crowd_in_several_processes_loads_once(l2: Server) -> None:
    async def scenario() -> None:
        origin = Origin()
        origin.open.clear()
        settings = Settings(l2=tier(l2))
        async with cache(settings) as one, cache(settings) as two, cache(settings) as three:
            crowd = [
                asyncio.create_task(each.get("key", origin.load))
                for each in (one, two, three)
                for _ in range(50)
            ]
            await until(lambda: origin.loads == 1, "one loads")
            origin.open.set()
            assert set(await asyncio.gather(*crowd)) == {b"value"}
            assert origin.loads == 1

    asyncio.run(scenario())


def test_when_the_one_that_loads_ends_another_takes_over(l2: Server) -> None:
    async def scenario() -> None:
        settings = Settings(l2=tier(l2), load_seconds=1.0)
        stuck, origin = Origin(), Origin()
        stuck.open.clear()
        async with cache(settings) as one, cache(settings) as other:
            first = asyncio.create_task(one.get("key", stuck.load))
            await until(lambda: stuck.loads == 1, "one loads")
            assert await other.get("key", origin.load) == b"value"
            with pytest.raises(LoadTimeout, match="'key' was not loaded within 1 s"):
                await first

    asyncio.run(scenario())


def test_a_caller_that_gives_up_leaves_the_value_to_the_others(l2: Server) -> None:
    async def scenario() -> None:
        origin = Origin()
        origin.open.clear()
        async with cache(Settings(l2=tier(l2))) as one:
            impatient = asyncio.create_task(one.get("key", origin.load))
            patient = asyncio.create_task(one.get("key", origin.load))
            await until(lambda: origin.loads == 1, "it loads")
            impatient.cancel()
            origin.open.set()
            assert await patient == b"value"
            assert origin.loads == 1

    asyncio.run(scenario())


def test_that_there_is_no_such_thing_is_remembered_for_a_while(l2: Server) -> None:
    async def scenario() -> None:
        origin = Origin(None)
        lifetime = Lifetime(negative_seconds=0.3, jitter=0)
        settings = Settings(l2=tier(l2), lifetime=lifetime)
        async with cache(settings) as one, cache(settings) as other:
            assert await one.get("key", origin.load) is None
            assert await other.get("key", origin.load) is None
            assert origin.loads == 1
            origin.value = b"value"
            deadline = time.monotonic() + 10
            while await one.get("key", origin.load) is None:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)
            assert origin.loads == 2

    asyncio.run(scenario())


def test_an_invalidation_reaches_every_process(l2: Server, l3: Server, l4: Cluster) -> None:
    async def scenario() -> None:
        origin = Origin(b"old")
        settings = Settings(l2=tier(l2), l3=tier(l3), l4=tier(l4))
        async with cache(settings) as one, cache(settings) as other:
            await listening(one, other)
            for each in (one, other):
                assert await each.get("key", origin.load) == b"old"
            origin.value = b"new"
            await one.invalidate("key")
            received = other.metrics.invalidations.labels("received")._value
            await until(lambda: received.get() == 1, "the message comes")
            assert await other.get("key", origin.load) == b"new"
            assert await one.get("key", origin.load) == b"new"
            assert origin.loads == 2

    asyncio.run(scenario())


def test_a_set_value_is_what_every_process_serves(l2: Server) -> None:
    async def scenario() -> None:
        origin = Origin(b"old")
        settings = Settings(l2=tier(l2))
        async with cache(settings) as one, cache(settings) as other:
            await listening(one, other)
            assert await other.get("key", origin.load) == b"old"
            await one.set("key", b"new")
            received = other.metrics.invalidations.labels("received")._value
            await until(lambda: received.get() == 1, "the message comes")
            assert await other.get("key", origin.load) == b"new"
            assert await one.get("key", origin.load) == b"new"
            assert origin.loads == 1

    asyncio.run(scenario())


def test_a_load_that_began_before_an_invalidation_brings_nothing_old_back(
    l2: Server, l4: Cluster
) -> None:
    async def scenario() -> None:
        origin = Origin(b"old")
        origin.open.clear()
        settings = Settings(l2=tier(l2), l4=tier(l4), namespace="late")
        async with cache(settings) as one, cache(settings) as other:
            await listening(one, other)
            late = asyncio.create_task(one.get("key", origin.load))
            await until(lambda: origin.loads == 1, "it loads")
            origin.value = b"new"
            await other.invalidate("key")
            origin.open.set()
            # Its caller asked before the change.
            assert await late == b"old"
            assert await one.get("key", origin.load) == b"new"
            assert await other.get("key", origin.load) == b"new"
            assert origin.loads == 2

    asyncio.run(scenario())


def test_what_l2_lost_comes_from_l4_and_is_put_back(l2: Server, l4: Cluster) -> None:
    async def scenario() -> None:
        origin = Origin()
        settings = Settings(l2=tier(l2), l4=tier(l4), namespace="lost")
        async with cache(settings) as one:
            assert await one.get("key", origin.load) == b"value"
        l2.admin.flushall()
        async with cache(settings) as other:
            assert await other.get("key", origin.load) == b"value"
            assert counted(other, "requests", tier="l4", outcome="hit") == 1
        assert l2.admin.exists("lost:entry:key")
        assert origin.loads == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("how", ["kill", "suspend"])
def test_while_l2_is_away_values_are_served_and_loaded_all_the_same(l2: Server, how: str) -> None:
    async def scenario() -> None:
        held, new = Origin(b"held"), Origin(b"new")
        quick = Tier(url=l2.url, timeout_seconds=0.2, rest_seconds=60)
        # L1 asks L2 again at every get.
        settings = Settings(l2=quick, memory_seconds=1e-6)
        async with cache(settings) as one:
            assert await one.get("held", held.load) == b"held"
            getattr(l2, how)()
            try:
                assert await one.get("held", held.load) == b"held"
                assert held.loads == 1
                assert counted(one, "gets", outcome="stale") == 1
                for number in range(20):
                    assert await one.get(f"new-{number}", new.load) == b"new"
                # Three failures were enough to leave it alone.
                assert counted(one, "requests", tier="l2", outcome="skipped") > 10
                with pytest.raises(Incomplete, match="l2 could not be told"):
                    await one.invalidate("held")
            finally:
                if how == "suspend":
                    l2.resume()

    asyncio.run(scenario())


def test_a_tier_that_is_back_is_used_again(l2: Server) -> None:
    async def scenario() -> None:
        origin = Origin()
        quick = Tier(url=l2.url, timeout_seconds=0.3, rest_seconds=0.05)
        async with cache(Settings(l2=quick)) as one:
            l2.suspend()
            for number in range(5):
                await one.get(f"away-{number}", origin.load)
            l2.resume()
            deadline = time.monotonic() + 20
            number = 0
            while not l2.admin.keys("cache:entry:back-*"):
                assert time.monotonic() < deadline
                await one.get(f"back-{number}", origin.load)
                number += 1
                await asyncio.sleep(0.02)

    asyncio.run(scenario())


def test_a_failing_origin_leaves_the_stale_value_and_is_not_asked_at_every_get(l2: Server) -> None:
    async def scenario() -> None:
        origin = Origin()
        lifetime = Lifetime(fresh_seconds=0.05, stale_seconds=60)
        async with cache(Settings(l2=tier(l2), lifetime=lifetime)) as one:
            assert await one.get("key", origin.load) == b"value"
            origin.fails = True
            stale = one.metrics.gets.labels("stale")._value
            deadline = time.monotonic() + 20
            while not stale.get():
                assert time.monotonic() < deadline
                assert await one.get("key", origin.load) == b"value"
            loads = origin.loads
            assert await one.get("key", origin.load) == b"value"
            assert origin.loads == loads

    asyncio.run(scenario())


def test_without_a_stale_value_the_origin_s_error_is_the_caller_s(l2: Server) -> None:
    async def scenario() -> None:
        origin = Origin()
        origin.fails = True
        async with cache(Settings(l2=tier(l2))) as one:
            with pytest.raises(ConnectionError, match="the origin is away"):
                await one.get("key", origin.load)
            # Nothing keeps the next one from trying.
            origin.fails = False
            assert await one.get("key", origin.load) == b"value"

    asyncio.run(scenario())


def test_what_was_changed_during_a_gap_in_messages_is_seen_after_it(l2: Server) -> None:
    async def scenario() -> None:
        origin = Origin(b"old")
        settings = Settings(l2=tier(l2), memory_seconds=3600)
        async with cache(settings) as one, cache(settings) as other:
            await listening(one, other)
            assert await one.get("key", origin.load) == b"old"
            one._tasks[0].cancel()
            await until(lambda: not one.metrics.listening._value.get(), "the gap begins")
            origin.value = b"new"
            await other.invalidate("key")
            assert await one.get("key", origin.load) == b"old"
            await one.__aenter__()
            await listening(one)
            assert await one.get("key", origin.load) == b"new"

    asyncio.run(scenario())


def test_a_listener_finds_back_after_its_connection_was_cut(l2: Server) -> None:
    async def scenario() -> None:
        async with cache(Settings(l2=tier(l2))) as one:
            await listening(one)
            before = one._trusted_since
            l2.admin.client_kill_filter(_type="pubsub")
            await until(lambda: one._trusted_since > before, "it listens again")

    asyncio.run(scenario())


def test_a_cluster_none_of_whose_servers_answers_is_passed_over() -> None:
    async def scenario() -> None:
        nobody = Tier(url=f"redis://127.0.0.1:{free_port()}", cluster=True)
        async with cache(Settings(l4=nobody)) as one:
            assert await one.get("key", Origin().load) == b"value"
            assert counted(one, "requests", tier="l4", outcome="error") > 0

    asyncio.run(scenario())


@pytest.mark.parametrize("how", ["kill", "suspend"])
def test_a_master_of_the_cluster_that_is_away_takes_its_keys_along_and_no_others(
    l2: Server, tmp_path: pathlib.Path, how: str
) -> None:
    cluster = Cluster(tmp_path).start()

    async def scenario() -> None:
        settings = Settings(
            l2=tier(l2),
            l4=Tier(url=cluster.url, cluster=True, timeout_seconds=0.5, rest_seconds=0.05),
        )
        async with cache(settings) as one:
            for number in range(30):
                await one.get(f"key-{number}", Origin(b"%d" % number).load)
        l2.admin.flushall()
        getattr(cluster.masters[2], how)()
        async with cache(settings) as other:
            for number in range(30):
                value = await other.get(f"key-{number}", Origin(b"%d" % number).load)
                assert value == b"%d" % number
            assert counted(other, "requests", tier="l4", outcome="hit") > 0

    try:
        asyncio.run(scenario())
    finally:
        cluster.kill()


def test_many_that_fail_at_once_on_a_busy_machine_fail_by_themselves(
    l2: Server, l3: Server, l4: Cluster
) -> None:
    async def stalls() -> None:
        while True:
            await asyncio.sleep(random.uniform(0, 0.05))
            time.sleep(random.uniform(0, 0.06))

    def hasty(server: Server | Cluster) -> Tier:
        return Tier(
            url=server.url,
            cluster=isinstance(server, Cluster),
            timeout_seconds=0.02,
            rest_seconds=0.005,
            connections=8,
        )

    async def scenario() -> None:
        value = b"x" * 20_000
        async with cache(Settings(l2=hasty(l2), l3=hasty(l3), l4=hasty(l4))) as one:
            busy = asyncio.create_task(stalls())
            for turn in range(40):
                keys = [f"key-{turn}-{number}" for number in range(200)]
                found = await asyncio.gather(*(one.get(key, Origin(value).load) for key in keys))
                assert found == [value] * len(keys)
            busy.cancel()
            assert counted(one, "requests", tier="l2", outcome="error") > 0

    uvloop.run(scenario())


def test_an_answer_that_came_too_late_is_not_taken_for_another_key_s(l2: Server) -> None:
    async def scenario() -> None:
        quick = Tier(url=l2.url, timeout_seconds=0.2, rest_seconds=0.01, connections=2)
        async with cache(Settings(l2=quick, memory_seconds=1e-6)) as one:
            for number in range(20):
                await one.set(f"key-{number}", b"%d" % number)
            l2.suspend()
            waiting = [one.get(f"key-{n}", Origin(b"%d" % n).load) for n in range(10)]
            assert await asyncio.gather(*waiting) == [b"%d" % n for n in range(10)]
            l2.resume()
            for _ in range(5):
                for number in range(20):
                    value = await one.get(f"key-{number}", Origin(b"%d" % number).load)
                    assert value == b"%d" % number

    asyncio.run(scenario())
