"""Calls of a marketplace that misbehaves on cue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from tenfold_gateway import settings, upstream

Steps = Callable[[upstream.Upstream, "Cues"], Awaitable[None]]


class Cues:
    """A marketplace that answers with these statuses in turn, then with 200."""

    def __init__(self, *statuses: int | str) -> None:
        self.statuses = list(statuses)
        self.calls = 0
        self.waiting = asyncio.Event()
        self.go = asyncio.Event()

    async def answer(self, _: web.Request) -> web.Response:
        self.calls += 1
        status = self.statuses.pop(0) if self.statuses else 200
        if status == "hold":
            self.waiting.set()
            await self.go.wait()
            status = 200
        if status == "hang":
            await asyncio.sleep(5)
            status = 200
        headers = {"Retry-After": "0"} if status == 429 else {}
        return web.Response(status=int(status), text=f"{status}", headers=headers)


def _with(statuses: tuple[int | str, ...], steps: Steps, **policy: float) -> None:
    async def run() -> None:
        cues = Cues(*statuses)
        server = web.Application()
        server.router.add_route("*", "/{path:.*}", cues.answer)
        runner = web.AppRunner(server, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        config = settings.Upstream.model_validate(
            {"url": f"http://127.0.0.1:{port}", "answer_seconds": 0.3, **policy}
        )
        calls = upstream.Upstream("n11", config)
        try:
            await steps(calls, cues)
        finally:
            cues.go.set()
            await calls.close()
            await runner.cleanup()

    asyncio.run(run())


async def _get(calls: upstream.Upstream) -> bytes:
    return await calls.call("stock", "GET", "/stock")


@pytest.mark.parametrize("status", [500, 503, 429, "hang"])
def test_what_may_pass_is_repeated(status: int | str) -> None:
    async def steps(calls: upstream.Upstream, cues: Cues) -> None:
        assert await _get(calls) == b"200"
        assert cues.calls == 2

    _with((status,), steps)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, upstream.Rejected, 422),
        (404, upstream.Unknown, 404),
        (401, upstream.Denied, 502),
        (302, upstream.Rejected, 422),
    ],
)
def test_what_will_not_pass_is_not_repeated(
    status: int, kind: type[upstream.CallError], code: int
) -> None:
    async def steps(calls: upstream.Upstream, cues: Cues) -> None:
        with pytest.raises(kind) as refused:
            await _get(calls)
        assert (refused.value.status, cues.calls) == (code, 1)

    _with((status,), steps)


@pytest.mark.parametrize("status", [500, "hang"])
def test_an_order_that_may_have_been_placed_is_not_repeated(status: int | str) -> None:
    async def steps(calls: upstream.Upstream, cues: Cues) -> None:
        with pytest.raises(upstream.CallError) as refused:
            await calls.call("orders", "POST", "/orders", body={}, repeatable=False)
        assert refused.value.sent
        assert cues.calls == 1

    _with((status,), steps)


def test_an_order_that_was_certainly_not_placed_is_repeated() -> None:
    async def steps(calls: upstream.Upstream, cues: Cues) -> None:
        assert await calls.call("orders", "POST", "/orders", body={}, repeatable=False) == b"200"
        assert cues.calls == 2

    _with((429,), steps)


def test_the_last_attempts_error_is_the_callers() -> None:
    async def steps(calls: upstream.Upstream, cues: Cues) -> None:
        with pytest.raises(upstream.Failed):
            await _get(calls)
        assert cues.calls == 3

    _with((500, 500, 500, 200), steps)


def test_a_circuit_opens_after_failures_in_a_row_and_spares_the_marketplace() -> None:
    async def steps(calls: upstream.Upstream, cues: Cues) -> None:
        for _ in range(3):
            with pytest.raises(upstream.Failed):
                await _get(calls)
        with pytest.raises(upstream.CircuitOpen) as refused:
            await _get(calls)
        assert refused.value.headers == {"Retry-After": "60"}
        assert cues.calls == 3

    _with((500,) * 9, steps, attempts=1, breaker_failures=3, breaker_seconds=60)


def test_one_success_between_failures_keeps_the_circuit_closed() -> None:
    async def steps(calls: upstream.Upstream, cues: Cues) -> None:
        for expected in (500, 500, 200, 500, 500, 200):
            if expected == 200:
                await _get(calls)
            else:
                with pytest.raises(upstream.Failed):
                    await _get(calls)
        assert cues.calls == 6

    _with((500, 500, 200, 500, 500, 200), steps, attempts=1, breaker_failures=3)


@pytest.mark.parametrize("status", [404, 400, 429])
def test_whoever_refuses_is_up(status: int) -> None:
    async def steps(calls: upstream.Upstream, cues: Cues) -> None:
        for _ in range(5):
            with pytest.raises((upstream.Unknown, upstream.Rejected, upstream.Limited)):
                await _get(calls)
        assert cues.calls == 5

    _with((status,) * 5, steps, attempts=1, breaker_failures=2)


def test_an_open_circuit_lets_one_call_through_and_closes_when_it_succeeds() -> None:
    async def steps(calls: upstream.Upstream, cues: Cues) -> None:
        with pytest.raises(upstream.Failed):
            await _get(calls)
        await asyncio.sleep(0.02)  # the time for which the circuit is open
        trial = asyncio.create_task(_get(calls))
        await cues.waiting.wait()
        with pytest.raises(upstream.CircuitOpen, match="on trial"):
            await _get(calls)
        cues.go.set()
        assert await trial == b"200"
        assert await _get(calls) == b"200"
        assert cues.calls == 3

    _with(
        (500, "hold"), steps, attempts=1, breaker_failures=1, breaker_seconds=0.01, answer_seconds=5
    )


def test_a_full_bulkhead_refuses_at_once_and_is_free_again_afterwards() -> None:
    async def steps(calls: upstream.Upstream, cues: Cues) -> None:
        held = asyncio.create_task(_get(calls))
        await cues.waiting.wait()
        with pytest.raises(upstream.Full):
            await _get(calls)
        cues.go.set()
        await held
        assert await _get(calls) == b"200"

    _with(("hold",), steps, places=1, answer_seconds=5)


def test_a_marketplace_that_is_not_there_was_sent_nothing() -> None:
    async def run() -> None:
        config = settings.Upstream.model_validate({"url": "http://127.0.0.1:1", "attempts": 2})
        calls = upstream.Upstream("n11", config)
        with pytest.raises(upstream.Unreachable) as refused:
            await _get(calls)
        assert not refused.value.sent
        await calls.close()

    asyncio.run(run())
