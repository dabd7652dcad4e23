"""Which resources are looked at, and when."""

import asyncio

from tenfold_operator.handlers.queue import Queue
from tenfold_operator.model.manifest import Ref
from tenfold_operator.ports import Unavailable

A, B = Ref("Workload", "shop", "a"), Ref("Workload", "shop", "b")


def run(scenario, workers=2):
    """Run a scenario beside the queue's workers; it gets the queue and the list of looks."""

    async def main():
        looks = []
        queue = None

        async def reconcile(ref):
            looks.append(ref)
            return await scenario.reconcile(ref)

        queue = Queue(reconcile)
        tasks = [asyncio.create_task(queue.work()) for _ in range(workers)]
        try:
            await asyncio.wait_for(scenario.play(queue, looks), 5)
        finally:
            for task in tasks:
                task.cancel()
        return looks

    return asyncio.run(main())


async def until(predicate):
    while not predicate():
        await asyncio.sleep(0)


class Held:
    """Looks take until they are let go."""

    def __init__(self):
        self.gate = asyncio.Event()
        self.running = 0
        self.most = 0

    async def reconcile(self, ref):
        self.running += 1
        self.most = max(self.most, self.running)
        await self.gate.wait()
        self.running -= 1
        return


def test_a_resource_is_looked_at_once_at_a_time_and_again_for_what_came_meanwhile():
    class Scenario(Held):
        async def play(self, queue, looks):
            await queue.wake(A)
            await until(lambda: looks == [A])
            await queue.wake(A)
            await queue.wake(A)
            await asyncio.sleep(0.01)
            assert looks == [A]
            self.gate.set()
            await until(lambda: looks == [A, A] and not self.running)

    scenario = Scenario()
    run(scenario)
    assert scenario.most == 1


def test_one_that_is_slow_does_not_hold_the_others_up():
    class Scenario(Held):
        async def reconcile(self, ref):
            return await super().reconcile(ref) if ref == A else None

        async def play(self, queue, looks):
            await queue.wake(A)
            await until(lambda: looks == [A])
            await queue.wake(A)
            await queue.wake(B)
            await until(lambda: looks == [A, B])

    run(Scenario())


def test_a_failure_is_tried_again_and_stops_nobody():
    class Scenario:
        failures = 1

        async def reconcile(self, ref):
            if ref == A and self.failures:
                self.failures -= 1
                raise Unavailable("for now")
            return

        async def play(self, queue, looks):
            await queue.wake(A)
            await queue.wake(B)
            await until(lambda: looks.count(A) == 2 and B in looks)

    run(Scenario())


def test_an_earlier_wish_wins_over_a_later_one():
    class Scenario:
        async def reconcile(self, ref):
            return None

        async def play(self, queue, looks):
            await queue.wake(A, after=60)
            await queue.wake(A)
            await until(lambda: looks == [A])

    run(Scenario())


def test_a_look_may_ask_for_the_next():
    class Scenario:
        async def reconcile(self, ref):
            return 0.01

        async def play(self, queue, looks):
            await queue.wake(A)
            await until(lambda: len(looks) == 3)

    run(Scenario())
