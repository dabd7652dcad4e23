"""What one run measured, as its generator writes it and the gate reads it."""

import collections
from collections.abc import Iterable, Mapping

import pydantic


class Selection(pydantic.BaseModel):
    """Which requests a figure is about; what is not said does not matter."""

    model_config = pydantic.ConfigDict(frozen=True)

    user: str | None = None
    without_marketplace: str | None = None
    without_user: str | None = None

    def takes(self, entry: "Entry") -> bool:
        """Whether these requests count."""
        return (
            self.user in (None, entry.user)
            and (self.without_marketplace is None or self.without_marketplace != entry.marketplace)
            and (self.without_user is None or self.without_user != entry.user)
        )


class Counts(pydantic.BaseModel):
    """Requests by how long they took, in whole milliseconds."""

    model_config = pydantic.ConfigDict(frozen=True)

    requests: int = 0
    failed: int = 0
    seconds_sum: float = 0.0
    by_milliseconds: Mapping[int, int] = {}

    @classmethod
    def total(cls, parts: Iterable["Counts"]) -> "Counts":
        """Add up."""
        taken = list(parts)
        merged: collections.Counter[int] = collections.Counter()
        for part in taken:
            merged.update(part.by_milliseconds)
        return Counts(
            requests=sum(part.requests for part in taken),
            failed=sum(part.failed for part in taken),
            seconds_sum=sum(part.seconds_sum for part in taken),
            by_milliseconds=merged,
        )

    def quantile(self, share: float) -> float:
        """Return the time within which this share was answered, seconds; 0 without requests."""
        wanted = share * self.requests
        seen = 0
        for milliseconds in sorted(self.by_milliseconds):
            seen += self.by_milliseconds[milliseconds]
            if seen >= wanted:
                return milliseconds / 1000
        return 0.0


class Entry(pydantic.BaseModel):
    """The requests of one kind over the measured time."""

    model_config = pydantic.ConfigDict(frozen=True)

    user: str
    operation: str
    marketplace: str
    counts: Counts


class Moment(pydantic.BaseModel):
    """What came in one report of the workers, the ramp included."""

    model_config = pydantic.ConfigDict(frozen=True)

    at: float
    """The end of the interval, unix seconds."""
    seconds: float
    requests: int
    failed: int
    p50_seconds: float
    p95_seconds: float
    p99_seconds: float


class Failure(pydantic.BaseModel):
    """One kind of failed request."""

    model_config = pydantic.ConfigDict(frozen=True)

    request: str
    error: str
    count: int


class Worker(pydantic.BaseModel):
    """How one generating process fared during the measured time."""

    model_config = pydantic.ConfigDict(frozen=True)

    cpu_demand: float
    """Share of the time for which it ran or waited for a CPU; 1 means that it never rested."""
    late_p95_seconds: float
    """How late its timers fired: what it adds to every latency by itself."""


class Measurement(pydantic.BaseModel):
    """All of one run over all of its workers; the ramp is in `course` only."""

    model_config = pydantic.ConfigDict(frozen=True)

    began: float
    """When judging began and ended, unix seconds."""
    ended: float
    window_seconds: float
    entries: tuple[Entry, ...]
    course: tuple[Moment, ...]
    failures: tuple[Failure, ...]
    workers: tuple[Worker, ...]

    def counts(self, selection: Selection) -> Counts:
        """Return the requests that a selection takes."""
        return Counts.total(entry.counts for entry in self.entries if selection.takes(entry))

    def figure(self, name: str, selection: Selection) -> float | None:
        """Return a figure of the selected requests; None where there was none of them."""
        counts = self.counts(selection)
        if name == "requests_per_second":
            return counts.requests / self.window_seconds
        if not counts.requests:
            return None
        match name:
            case "error_ratio":
                return counts.failed / counts.requests
            case "mean_seconds":
                return counts.seconds_sum / counts.requests
            case _:
                return counts.quantile(QUANTILES[name])


QUANTILES = {"p50_seconds": 0.50, "p95_seconds": 0.95, "p99_seconds": 0.99}
