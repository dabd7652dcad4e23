"""How a marketplace misbehaves: latency, errors, outages and rate limits, all from one seed."""

import math
import random
from typing import Literal

import pydantic


class Behaviour(pydantic.BaseModel):
    """What one marketplace does to its callers."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    latency_seconds: float = pydantic.Field(default=0.005, ge=0, le=60)
    """The median time to an answer."""
    latency_spread: float = pydantic.Field(default=0.3, ge=0, le=3)
    """Sigma of the log-normal distribution around it."""
    error_ratio: float = pydantic.Field(default=0.0, ge=0, le=1)
    """The share of requests answered with 500."""
    outage: Literal["none", "refuse", "hang"] = "none"
    """`refuse` answers everything with 503; `hang` answers nothing for a minute."""
    requests_per_second: float | None = pydantic.Field(default=None, gt=0)
    """What is above it gets 429 with Retry-After."""


HANG_SECONDS = 60.0


class Verdict(pydantic.BaseModel):
    """What becomes of one request: when it is answered, and whether with an error."""

    model_config = pydantic.ConfigDict(frozen=True)

    delay_seconds: float
    status: int = 200
    retry_after_seconds: int | None = None


class Upstream:
    """Decides request by request; the same seed and times make the same verdicts."""

    def __init__(self, behaviour: Behaviour, seed: str) -> None:
        self.behaviour = behaviour
        # Not for secrets: a seed has to make the same mistakes each time.
        self._chance = random.Random(seed)  # noqa: S311
        self._allowance = 1.0
        self._allowance_at: float | None = None

    def judge(self, now: float) -> Verdict:
        """Decide about a request that comes at `now`, in seconds of any monotonic clock."""
        behaviour = self.behaviour
        # Drawn for every request: switching a fault on does not shift the ones that follow.
        stretch = math.exp(behaviour.latency_spread * self._chance.gauss(0.0, 1.0))
        unlucky = self._chance.random() < behaviour.error_ratio
        delay = behaviour.latency_seconds * stretch
        if behaviour.outage == "hang":
            return Verdict(delay_seconds=HANG_SECONDS, status=503)
        if behaviour.outage == "refuse":
            return Verdict(delay_seconds=0.0, status=503)
        if not self._allowed(now):
            return Verdict(delay_seconds=0.0, status=429, retry_after_seconds=1)
        return Verdict(delay_seconds=delay, status=500 if unlucky else 200)

    def _allowed(self, now: float) -> bool:
        """Take one from a bucket that holds a second's worth."""
        rate = self.behaviour.requests_per_second
        if rate is None:
            return True
        full = max(1.0, rate)
        since = 0.0 if self._allowance_at is None else now - self._allowance_at
        self._allowance = min(full, self._allowance + since * rate)
        self._allowance_at = now
        if self._allowance < 1.0:
            return False
        self._allowance -= 1.0
        return True
