"""A Prometheus that knows a Workload's load as a function of time, and what it fails with."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import datetime

from tenfold_operator.model.observed import Sample, Series
from tenfold_operator.plan.scaling import queries
from tenfold_operator.ports import Metrics


class LoadedPrometheus(Metrics):
    """Implements ports.Metrics for the queries of one Workload."""

    def __init__(self, namespace: str, name: str) -> None:
        asked = queries.queries(namespace, name)
        self._names = {expression: each for each, expression in asked.items()}
        self.load: Callable[[float], float | None] = lambda _: 10.0
        """Requests a second at a time; None where there is no sample."""
        self.latency: Callable[[float], float | None] = lambda _: 0.01
        self.pods: Callable[[float], float | None] = lambda _: 2.0
        self.cpu: Callable[[float], float | None] = lambda _: None
        self.errors: float | None = None
        self.targets: float | None = 1.0
        self.trouble: Exception | None = None
        self.begins = -math.inf
        """Before it there are no samples."""
        self.asked: list[str] = []
        self.answers = asyncio.Event()
        """Whether it answers at all; while it is not set, whoever asks waits."""
        self.answers.set()

    async def query(self, expression: str) -> tuple[Sample, ...]:
        name = await self._ask(expression)
        value = self.errors if name == queries.ERRORS else self.targets
        return () if value is None else (Sample({}, 0.0, value),)

    async def query_range(
        self, expression: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        name = await self._ask(expression)
        values = {
            queries.LATENCY: self.latency,
            queries.PODS: self.pods,
            queries.CPU: self.cpu,
        }.get(name, self.load)
        count = math.floor((end - start).total_seconds() / step_seconds) + 1
        times = [start.timestamp() + index * step_seconds for index in range(count)]
        told = [(time, values(time)) for time in times if time >= self.begins]
        known = [(time, value) for time, value in told if value is not None]
        if not known:
            return ()
        return (Series({}, tuple(time for time, _ in known), tuple(each for _, each in known)),)

    async def _ask(self, expression: str) -> str:
        await self.answers.wait()
        if self.trouble:
            raise self.trouble
        name = self._names[expression]
        self.asked.append(name)
        return name
