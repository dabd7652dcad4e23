"""What one run measured, as its generator writes it and the gate reads it."""

import pydantic


class Failure(pydantic.BaseModel):
    """One kind of failed request."""

    model_config = pydantic.ConfigDict(frozen=True)

    request: str
    error: str
    count: int


class Worker(pydantic.BaseModel):
    """How one generating process fared during the measured time."""

    model_config = pydantic.ConfigDict(frozen=True)

    # Share of the time for which it ran or waited for a CPU; 1 means that it never rested.
    cpu_demand: float
    # How late its timers fired (95th percentile): what it adds to every latency by itself.
    late_p95_seconds: float


class Measurement(pydantic.BaseModel):
    """The figures of one run over all of its workers, the ramp excluded."""

    model_config = pydantic.ConfigDict(frozen=True)

    users: int
    window_seconds: float
    requests: int
    failed_requests: int
    response_seconds_sum: float
    p50_seconds: float
    p95_seconds: float
    p99_seconds: float
    failures: tuple[Failure, ...]
    workers: tuple[Worker, ...]

    def figures(self) -> dict[str, float]:
        """Return the figures that targets name; without a request there is only the rate."""
        rate = self.requests / self.window_seconds
        if not self.requests:
            return {"requests_per_second": rate}
        return {
            "requests_per_second": rate,
            "error_ratio": self.failed_requests / self.requests,
            "mean_seconds": self.response_seconds_sum / self.requests,
            "p50_seconds": self.p50_seconds,
            "p95_seconds": self.p95_seconds,
            "p99_seconds": self.p99_seconds,
        }
