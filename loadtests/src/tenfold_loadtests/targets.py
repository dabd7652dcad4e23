"""The figures that a load run is judged by, as data, each with the place that demands it.

"Seed" is the platform's own report, whose figures docs and design quote by system.
"""

import enum

import pydantic

# Seed, "Universal API gateway": 5,000 requests/min expected.
EXPECTED_REQUESTS_PER_MINUTE = 5_000
# Seed, "Production readiness": load test at 10x.
FACTOR = 10


class Bound(enum.StrEnum):
    """How a measured figure has to lie to its limit."""

    AT_LEAST = "at least"
    AT_MOST = "at most"
    BELOW = "below"


class Target(pydantic.BaseModel):
    """One figure to reach."""

    model_config = pydantic.ConfigDict(frozen=True)

    name: str
    bound: Bound
    limit: float
    unit: str
    source: str


class Suite(pydantic.BaseModel):
    """What is sent for how long, and what has to come of it."""

    model_config = pydantic.ConfigDict(frozen=True)

    name: str
    requests_per_second: float
    ramp_seconds: float
    duration_seconds: float
    targets: tuple[Target, ...]


_LATENCY_AND_ERRORS = (
    Target(
        name="error_ratio",
        bound=Bound.AT_MOST,
        limit=0.0,
        unit="",
        source="Seed, Production readiness: > 99.99% available; design: 0 errors at 10x",
    ),
    Target(
        name="mean_seconds",
        bound=Bound.BELOW,
        limit=0.020,
        unit="s",
        source="Seed, Production readiness: < 20 ms average",
    ),
    Target(
        name="p95_seconds",
        bound=Bound.BELOW,
        limit=0.020,
        unit="s",
        source="Design, gateway at 50,000 requests/min: p95 < 20 ms",
    ),
)


def _rate(requests_per_minute: int, source: str) -> Target:
    return Target(
        name="requests_per_second",
        bound=Bound.AT_LEAST,
        limit=requests_per_minute / 60,
        unit="/s",
        source=source,
    )


# Offered a little above the target: a user that waits its turn never catches up a late start.
_HEADROOM = 1.02

SMOKE = Suite(
    name="smoke",
    requests_per_second=EXPECTED_REQUESTS_PER_MINUTE / 60 * _HEADROOM,
    ramp_seconds=5,
    # With the ramp and Locust's start and end: a minute in all.
    duration_seconds=48,
    targets=(
        _rate(
            EXPECTED_REQUESTS_PER_MINUTE,
            "Seed, Universal API gateway: 5,000 requests/min",
        ),
        *_LATENCY_AND_ERRORS,
    ),
)
TENFOLD = Suite(
    name="10x",
    requests_per_second=FACTOR * EXPECTED_REQUESTS_PER_MINUTE / 60 * _HEADROOM,
    ramp_seconds=15,
    duration_seconds=300,
    targets=(
        _rate(
            FACTOR * EXPECTED_REQUESTS_PER_MINUTE,
            "Seed, Universal API gateway: 5,000 requests/min; Production readiness: 10x",
        ),
        *_LATENCY_AND_ERRORS,
    ),
)
SUITES = {suite.name: suite for suite in (SMOKE, TENFOLD)}


def scaled(suite: Suite, requests_per_second: float) -> Suite:
    """Return the suite at another rate: offered, and demanded of the service."""
    targets = tuple(
        target.model_copy(update={"limit": requests_per_second})
        if target.name == "requests_per_second"
        else target
        for target in suite.targets
    )
    return suite.model_copy(
        update={
            "requests_per_second": requests_per_second * _HEADROOM,
            "targets": targets,
        }
    )
