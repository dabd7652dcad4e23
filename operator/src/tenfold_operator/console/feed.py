"""What changes, told to every browser that listens; each change is written out once for all."""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import TypeAdapter

from tenfold_operator.console import catalog
from tenfold_operator.console.source import Source
from tenfold_operator.console.views import AnySummary, Change, Overview
from tenfold_operator.model.manifest import Ref

MOST_LISTENERS = 64
_GATHER_SECONDS = 0.25
"""Changes within it are told together: a rollout touches a dozen objects at once."""
_BATCH = 50
_REMEMBERED = 128
"""Batches that a browser may have missed before it has to read everything again."""
_CHANGES = TypeAdapter(tuple[Change, ...])


class Full(Exception):
    """As many browsers listen as may."""


@dataclass(frozen=True)
class Batch:
    """Changes that are told together."""

    number: int
    data: bytes
    """JSON, without line ends."""


class Feed:
    """Collects what changed while somebody listens, and remembers the last of it.

    Nothing is written out while nobody listens. Memory is bounded by the number of resources, by
    the batches that are remembered and by the listeners, whose queues are places in the batches.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._run = secrets.token_hex(4)
        self._dirty: set[Ref] = set()
        self._summaries: dict[Ref, AnySummary] = {}
        self._batches: deque[Batch] = deque(maxlen=_REMEMBERED)
        self._number = 0
        self._listeners = 0
        self._is_closed = False
        self._woken = asyncio.Event()
        self._told = asyncio.Condition()
        self._catching_up = asyncio.Lock()
        source.store.subscribe(self._note)
        source.journal.subscribe(self._note)
        for kind in catalog.KINDS:
            self._dirty.update(source.store.refs(kind))

    async def run(self) -> None:
        """Tell of changes, for ever."""
        while True:
            await self._woken.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._woken.clear()
            await self._catch_up()

    async def close(self) -> None:
        """Have all listeners end."""
        async with self._told:
            self._is_closed = True
            self._told.notify_all()

    async def overview(self) -> Overview:
        """Return every resource in one line, by kind, namespace and name."""
        # Who asks may go away midway, and what was looked at must be told all the same.
        await asyncio.shield(self._catch_up())
        return Overview(
            last_event=self._id(self._number),
            resources=tuple(self._summaries[ref] for ref in sorted(self._summaries)),
        )

    @contextmanager
    def listener(self) -> Iterator[None]:
        """Count a listener for the block; raises Full."""
        if self._listeners >= MOST_LISTENERS:
            raise Full
        self._listeners += 1
        if self._dirty:
            self._woken.set()
        try:
            yield
        finally:
            self._listeners -= 1

    async def batches(
        self, last_id: str, patience: float
    ) -> AsyncIterator[tuple[str, Batch | None]]:
        """Yield what came after the event `last_id`, each with its id, until the feed is closed.

        A None tells the listener to read everything anew; nothing for `patience` seconds yields
        an empty id and None.
        """
        place = self._place(last_id)
        if place is None:
            place = self._number
            yield self._id(place), None
        while not self._is_closed:
            missed = [each for each in self._batches if each.number > place]
            if missed and missed[0].number != place + 1:
                place = self._number
                yield self._id(place), None
                continue
            for each in missed:
                place = each.number
                yield self._id(place), each
            if not await self._wait(place, patience):
                yield "", None

    def _note(self, ref: Ref) -> None:
        if ref.kind in catalog.KINDS:
            self._dirty.add(ref)
            if self._listeners:
                self._woken.set()

    def _id(self, number: int) -> str:
        return f"{self._run}-{number}"

    def _place(self, last_id: str) -> int | None:
        run, _, number = last_id.partition("-")
        return int(number) if run == self._run and number.isdecimal() else None

    async def _wait(self, place: int, patience: float) -> bool:
        """Wait for a batch after `place`; False when none came in time."""
        try:
            async with asyncio.timeout(patience), self._told:
                await self._told.wait_for(lambda: self._is_closed or self._number > place)
        except TimeoutError:
            return False
        return True

    async def _catch_up(self) -> None:
        """Look at what changed; the operator's own work goes in between."""
        async with self._catching_up:
            while self._dirty:
                changes: list[Change] = []
                while self._dirty and len(changes) < _BATCH:
                    changes.append(self._look(self._dirty.pop()))
                    await asyncio.sleep(0)
                await self._tell(tuple(changes))

    def _look(self, ref: Ref) -> Change:
        found = catalog.summary(self._source, ref)
        if found is None:
            self._summaries.pop(ref, None)
        else:
            self._summaries[ref] = found
        return Change(kind=ref.kind, namespace=ref.namespace, name=ref.name, summary=found)

    async def _tell(self, changes: tuple[Change, ...]) -> None:
        data = _CHANGES.dump_json(changes, by_alias=True, exclude_none=True)
        async with self._told:
            self._number += 1
            self._batches.append(Batch(self._number, data))
            self._told.notify_all()
