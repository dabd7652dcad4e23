"""The moves of events that no process has to die for."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pydantic
import pytest
from redis import exceptions
from tenfold_runtime import settings
from tenfold_webhooks import cli, events, letters
from tenfold_webhooks import settings as webhooks
from tenfold_webhooks.worker import Worker

from tests.loadtests.processes import PASSWORD, Redis
from tests.services.webhook_sender import trendyol_event

_Result = TypeVar("_Result")
NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


def _connect(redis: Redis) -> letters.Letters:
    values = {"REDIS_URL": redis.url, "REDIS_PASSWORD": PASSWORD}
    return cli.connect(settings.UsingRedis.model_validate(values), waiting_seconds=1)


def _run(redis: Redis, steps: Callable[[letters.Letters], Awaitable[_Result]]) -> _Result:
    async def run() -> _Result:
        moves = _connect(redis)
        await moves.make_group()
        return await steps(moves)

    return asyncio.run(run())


def _event(status: events.Status, hour: int = 12, number: str = "1") -> events.Event:
    return events.Event(
        id=f"{number}-{status}-{hour}",
        order=number,
        status=status,
        occurred_at=NOON.replace(hour=hour),
        lines=(events.Line(sku="SKU-1", quantity=2),) if status == "created" else (),
    )


async def _applied(moves: letters.Letters, event: events.Event) -> letters.Outcome:
    letter = letters.Letter(marketplace="n11", body="{}", received=0)
    await moves.accept(letter, replicas=0, seconds=0)
    (taken,) = await moves.take("tester", 10, 1)
    return await moves.apply(taken, event)


def _sold(redis: Redis) -> int:
    answer = redis.command("HGET", "{webhooks}:sold:n11", "SKU-1")
    return int(str(answer)) if answer is not None else 0


def test_an_older_status_does_not_replace_a_newer_one(redis: Redis) -> None:
    async def steps(moves: letters.Letters) -> list[letters.Outcome]:
        order = (_event("created"), _event("delivered", 14), _event("shipped", 13))
        return [await _applied(moves, event) for event in order]

    assert _run(redis, steps) == ["applied", "applied", "stale"]
    assert redis.command("HGET", "{webhooks}:order:n11:1", "status") == "delivered"
    assert int(str(redis.command("TTL", "{webhooks}:order:n11:1"))) > 0


def test_what_was_cancelled_and_then_returned_is_put_back_once(redis: Redis) -> None:
    async def steps(moves: letters.Letters) -> list[letters.Outcome]:
        order = (_event("created"), _event("cancelled", 13), _event("returned", 14))
        return [await _applied(moves, event) for event in order]

    assert _run(redis, steps) == ["applied", "applied", "applied"]
    assert _sold(redis) == 0


def test_an_event_that_two_workers_hold_is_moved_by_one(redis: Redis) -> None:
    async def steps(moves: letters.Letters) -> dict[str, int]:
        letter = letters.Letter(marketplace="n11", body="{}", received=0)
        await moves.accept(letter, replicas=0, seconds=0)
        (taken,) = await moves.take("slow", 10, 1)
        ((again, held),) = await moves.take_over("other", idle_seconds=0)
        assert (again.entry, held) == (taken.entry, 2)
        await moves.postpone(again, until=0)
        await moves.bury(taken, "invalid", "twice")
        await moves.postpone(taken, until=0)
        return await moves.counts()

    assert _run(redis, steps) == {"stream": 0, "retry": 1, "dead": 0}


def test_a_webhook_that_too_few_replicas_have_is_not_accepted(redis: Redis) -> None:
    letter = letters.Letter(marketplace="n11", body="{}", received=0)
    assert not _run(redis, lambda moves: moves.accept(letter, replicas=1, seconds=0.01))


def test_an_event_that_ends_its_workers_is_given_up(redis: Redis) -> None:
    config = webhooks.Working.model_validate(
        {"REDIS_URL": redis.url, "crashes": 2, "abandoned_seconds": 0.001}
    )

    async def steps(moves: letters.Letters) -> list[letters.DeadLetter]:
        body = trendyol_event(1, "Created").decode()
        letter = letters.Letter(marketplace="trendyol", body=body, received=0)
        await moves.accept(letter, replicas=0, seconds=0)
        await moves.take("first to die", 10, 1)
        assert len(await moves.take_over("second to die", idle_seconds=0)) == 1
        await asyncio.sleep(0.01)  # the time after which it counts as abandoned
        await Worker(moves, config).take_over()
        return [letter async for letter in moves.dead()]

    (dead,) = _run(redis, steps)
    assert (dead.reason, dead.detail) == ("crashed", "2 workers ended over it")


def test_consumers_that_left_nothing_are_forgotten_and_others_are_kept(redis: Redis) -> None:
    async def steps(moves: letters.Letters) -> int:
        letter = letters.Letter(marketplace="n11", body="{}", received=0)
        await _applied(moves, _event("created"))  # by a consumer called tester
        await moves.accept(letter, replicas=0, seconds=0)
        await moves.take("busy", 10, 1)
        await asyncio.sleep(0.01)  # the time without a question
        return await moves.forget_consumers(idle_seconds=0.001)

    assert _run(redis, steps) == 1
    assert (
        pydantic.TypeAdapter(int).validate_python(
            redis.command("XGROUP", "DELCONSUMER", "{webhooks}:stream", "workers", "busy")
        )
        == 1
    )


def test_a_connection_to_a_former_primary_is_not_used_again(redis: Redis) -> None:
    letter = letters.Letter(marketplace="n11", body="{}", received=0)

    def connections() -> set[str]:
        found = str(redis.command("CLIENT", "LIST", "TYPE", "NORMAL"))
        return {each.split()[0] for each in found.splitlines() if "cmd=xadd" in each}

    async def steps(moves: letters.Letters) -> tuple[set[str], set[str]]:
        await moves.accept(letter, replicas=0, seconds=0)
        before = connections()
        redis.command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(exceptions.ReadOnlyError):
            await moves.accept(letter, replicas=0, seconds=0)
        redis.command("REPLICAOF", "NO", "ONE")
        await moves.accept(letter, replicas=0, seconds=0)
        return before, connections()

    before, after = _run(redis, steps)
    assert before
    assert after
    assert before.isdisjoint(after)
