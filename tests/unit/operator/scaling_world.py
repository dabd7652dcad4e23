"""A Workload's load, forecast and settings, as a test says them in a line."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from tenfold_operator.forecast.types import LEVELS, Forecast
from tenfold_operator.model.generated import WorkloadScaling
from tenfold_operator.plan.scaling.capacity import Capacity
from tenfold_operator.plan.scaling.decide import Decision, Observed, decide
from tenfold_operator.plan.scaling.load import Load, Signals
from tenfold_operator.plan.scaling.memory import EMPTY, Memory
from tenfold_operator.plan.scaling.outlook import Outlook
from tenfold_operator.plan.scaling.startup import Start

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HEALTHY = Signals(targets_up=1.0, errors=0.0, pods_failing=0, pods=4)
POD = Capacity(per_second=10.0, reason="a pod serves 600 requests a minute, as given")


def settings(**given: object) -> WorkloadScaling:
    """Return a spec with room on both sides."""
    return WorkloadScaling.model_validate({"minReplicas": 1, "maxReplicas": 100, **given})


def outlook(
    loads: Sequence[float], confidence: float = 1.0, step: float = 60.0, origin: datetime = NOW
) -> Outlook:
    """Return a forecast of these loads, the first from the origin on."""
    return Outlook(
        origin=origin,
        step_seconds=step,
        loads=tuple(loads),
        expected=tuple(loads),
        quantile=0.99,
        confidence=confidence,
    )


def forecast(mean: float, spread: float, steps: int = 3) -> Forecast:
    """Return a forecast whose quantiles are `spread` apart."""
    middle = LEVELS.index(0.5)
    return Forecast(
        step_seconds=60.0,
        mean=np.full(steps, mean),
        quantiles={
            level: np.full(steps, mean + spread * (index - middle))
            for index, level in enumerate(LEVELS)
        },
        confidence=0.9,
        reasons=(),
    )


class Scaler:
    """A Workload that takes every decision."""

    def __init__(self, replicas: int = 4, start: float = 60.0, **given: object) -> None:
        self.replicas = replicas
        self.start = Start(seconds=start, reason=f"a pod starts in {start:.0f} s, as given")
        self.spec = settings(**given)
        self.memory: Memory = EMPTY
        self.now = NOW

    def observed(
        self,
        level: float | None,
        ahead: Outlook | None = None,
        doubts: tuple[str, ...] = (),
        capacity: Capacity | None = POD,
        noise: float = 0.0,
    ) -> Observed:
        """Return what a decision would depend on."""
        return Observed(
            replicas=self.replicas,
            load=Load(level=level, noise=noise, doubts=doubts),
            capacity=capacity,
            start=self.start,
            outlook=ahead,
        )

    def decide(
        self,
        level: float | None,
        ahead: Outlook | None = None,
        doubts: tuple[str, ...] = (),
        capacity: Capacity | None = POD,
        noise: float = 0.0,
    ) -> Decision:
        """Decide and take the decision."""
        observed = self.observed(level, ahead, doubts, capacity, noise)
        decision = decide(observed, self.spec, self.memory, self.now)
        self.replicas, self.memory = decision.replicas, decision.memory
        return decision

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
