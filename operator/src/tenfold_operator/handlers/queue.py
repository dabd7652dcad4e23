"""Which resources to look at, and when: each once at a time, however many events call for it."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import structlog

from tenfold_operator import metrics
from tenfold_operator.model.manifest import Ref
from tenfold_operator.ports import Rejected, Unavailable

Reconcile = Callable[[Ref], Awaitable[float | None]]
"""Looks at one resource; returns in how many seconds it wants to look again."""

_BACKOFF_SECONDS = (1.0, 60.0)  # first, longest
_log = structlog.get_logger()


class Queue:
    """A set of resources with due times, and the workers that take them."""

    def __init__(self, reconcile: Reconcile) -> None:
        self._reconcile = reconcile
        self._due: dict[Ref, float] = {}
        self._busy: set[Ref] = set()
        self._failures: dict[Ref, int] = {}
        self._changed = asyncio.Condition()

    async def wake(self, ref: Ref, after: float = 0.0) -> None:
        """Have `ref` looked at in so many seconds, or earlier if that was asked for already."""
        due = time.monotonic() + after
        async with self._changed:
            if due < self._due.get(ref, float("inf")):
                self._due[ref] = due
                metrics.QUEUE_DEPTH.set(len(self._due))
                self._changed.notify()

    async def work(self) -> None:
        """Take resources as they become due, for ever."""
        while True:
            ref = await self._take()
            try:
                await self._look(ref)
            finally:
                async with self._changed:
                    self._busy.discard(ref)
                    self._changed.notify_all()

    async def _take(self) -> Ref:
        async with self._changed:
            while True:
                # A resource that is worked on waits for its turn; the end of the work notifies.
                free = [(due, ref) for ref, due in self._due.items() if ref not in self._busy]
                due, ref = min(free, default=(None, None))
                now = time.monotonic()
                if due is not None and ref is not None and due <= now:
                    metrics.QUEUE_SECONDS.observe(now - self._due.pop(ref))
                    metrics.QUEUE_DEPTH.set(len(self._due))
                    self._busy.add(ref)
                    return ref
                # Not wait_for: Python 3.11's forgets a cancellation that comes with a notification.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if due is None else due - now):
                        await self._changed.wait()

    async def _look(self, ref: Ref) -> None:
        started = time.monotonic()
        try:
            again = await self._reconcile(ref)
            self._failures.pop(ref, None)
        except (Rejected, Unavailable) as error:
            again = self._failed(ref, type(error).__name__.lower())
            _log.warning("reconcile failed", owner=str(ref), error=str(error), again_in=again)
        except Exception:  # noqa: BLE001 - one resource's bug must not stop the others
            again = self._failed(ref, "bug")
            _log.exception("reconcile failed", owner=str(ref), again_in=again)
        metrics.RECONCILE_SECONDS.labels(ref.kind).observe(time.monotonic() - started)
        if again is not None:
            await self.wake(ref, again)

    def _failed(self, ref: Ref, cause: str) -> float:
        metrics.RECONCILE_ERRORS.labels(ref.kind, cause).inc()
        failures = self._failures[ref] = self._failures.get(ref, 0) + 1
        first, longest = _BACKOFF_SECONDS
        return min(longest, first * 2.0 ** min(failures - 1, 10))
