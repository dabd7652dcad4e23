"""Which resources are looked at, and when."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tenfold_operator.handlers.queue import Queue, Reconcile
from tenfold_operator.model.manifest import Ref
from tenfold_operator.ports import Unavailable

A, B = Ref("Workload", "shop", "a"), Ref("Workload", "shop", "b")
Play = Callable[[Queue, list[Ref]], Awaitable[None]]


def run(reconcile: Reconcile, play: Play) -> None:
    """Run `play` beside two workers; it gets the queue and the list of looks so far."""

    async def main() -> None:
        looks: list[Ref] = []

        async def look(ref: Ref) -> float | None:
            looks.append(ref)
            return await reconcile(ref)

        queue = Queue(look)
        tasks = [asyncio.create_task(queue.work()) for _ in range(2)]
        try:
            await asyncio.wait_for(play(queue, looks), 5)
        finally:
            for task in tasks:
                task.cancel()

    asyncio.run(main())


async def until(predicate: Callable[[], bool]) -> None:
    while not predicate():
        await asyncio.sleep(0)


async def do_nothing(_: Ref) -> float | None:
    return None


class Held:
    """Looks at A take until they are let go."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.running = 0
        self.most = 0

    async def reconcile(self, ref: Ref) -> float | None:
        if ref == A:
            self.running += 1
            self.most = max(self.most, self.running)
            await self.gate.wait()
            self.running -= 1
        return None


def test_a_resource_is_looked_at_once_at_a_time_and_again_for_what_came_meanwhile() -> None:
    held = Held()

    async def play(queue: Queue, looks: list[Ref]) -> None:
        await queue.wake(A)
        await until(lambda: looks == [A])
        await queue.wake(A)
        await queue.wake(A)
        await queue.wake(B)
        await until(lambda: B in looks)
        assert looks == [A, B]
        held.gate.set()
        await until(lambda: looks == [A, B, A] and not held.running)

    run(held.reconcile, play)
    assert held.most == 1


def test_a_failure_is_tried_again_and_stops_nobody() -> None:
    failures = [Unavailable("for now")]

    async def reconcile(ref: Ref) -> float | None:
        if ref == A and failures:
            raise failures.pop()
        return None

    async def play(queue: Queue, looks: list[Ref]) -> None:
        await queue.wake(A)
        await queue.wake(B)
        await until(lambda: looks.count(A) == 2 and B in looks)

    run(reconcile, play)


def test_an_earlier_wish_wins_over_a_later_one() -> None:
    async def play(queue: Queue, looks: list[Ref]) -> None:
        await queue.wake(A, after=60)
        await queue.wake(A)
        await until(lambda: looks == [A])

    run(do_nothing, play)


def test_a_look_may_ask_for_the_next() -> None:
    async def reconcile(_: Ref) -> float | None:
        return 0.01

    async def play(queue: Queue, looks: list[Ref]) -> None:
        await queue.wake(A)
        await until(lambda: len(looks) == 3)

    run(reconcile, play)


@pytest.mark.parametrize("ticks", range(8))
def test_a_worker_ends_when_it_is_cancelled_whatever_it_has_just_heard(ticks: int) -> None:
    """Python 3.11's asyncio.wait_for forgets a cancellation that comes with what it waits for."""

    async def main() -> None:
        queue = Queue(do_nothing)
        await queue.wake(B, 60)
        worker = asyncio.create_task(queue.work())
        await asyncio.sleep(0.01)  # it waits for B now
        await queue.wake(A, 30)
        for _ in range(ticks):
            await asyncio.sleep(0)
        worker.cancel()
        _, pending = await asyncio.wait([worker], timeout=2)
        worker.cancel()
        assert not pending
        assert worker.cancelled()

    asyncio.run(main())
