"""The console of a scene, served by a thread of this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from aiohttp import web
from tenfold_operator.adapters.clock import SystemClock
from tenfold_operator.console import server

from tests.support import free_port
from tests.unit.console.scene import Scene

Result = TypeVar("Result")


class Site:
    """A scene and where its console answers."""

    def __init__(self, scene: Scene, token_file: Path | None = None, port: int = 0) -> None:
        self.scene = scene
        self._loop = asyncio.new_event_loop()
        self._token_file = token_file
        self._tasks: list[asyncio.Task[None]] = []
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def do(self, change: Callable[[], Result]) -> Result:
        """Change the scene as the operator would: in the loop that serves."""

        async def change_there() -> Result:
            return change()

        return asyncio.run_coroutine_threadsafe(change_there(), self._loop).result(30)

    @contextmanager
    def running(self) -> Iterator[Site]:
        """Serve for the block."""
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        try:
            runner = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
            yield self
            asyncio.run_coroutine_threadsafe(runner.cleanup(), self._loop).result(30)
        finally:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    async def _start(self) -> web.AppRunner:
        def begin(work: Coroutine[None, None, None]) -> None:
            self._tasks.append(self._loop.create_task(work))

        return await server.start(
            store=self.scene.store,
            journal=self.scene.journal,
            prometheus=self.scene.past,
            clock=SystemClock(),
            port=self.port,
            token_file=self._token_file,
            begin=begin,
        )

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
