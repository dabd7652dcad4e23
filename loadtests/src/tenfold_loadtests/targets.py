"""The figures that a load run is judged by, as data, each with the place that demands it.

"Seed" is the platform's own report, whose figures docs and design quote by system. "Design" is
the table of figures to reach.
"""

import enum
from typing import Literal

import pydantic

from tenfold_loadtests.measurement import Selection

# Seed, "Universal API gateway": 5,000 requests/min expected.
EXPECTED_REQUESTS_PER_MINUTE = 5_000
# Seed, "Production readiness": load test at 10x.
FACTOR = 10

RATE: Literal["requests_per_second"] = "requests_per_second"

EVERY = Selection()

Figure = Literal["requests_per_second", "error_ratio", "mean_seconds", "p95_seconds", "p99_seconds"]
Count = Literal["orders_lost", "orders_doubled", "webhooks_lost", "webhooks_doubled"]


class Bound(enum.StrEnum):
    """How a measured figure has to lie to its limit."""

    AT_LEAST = "at least"
    AT_MOST = "at most"
    BELOW = "below"


class Generated(pydantic.BaseModel):
    """A figure that the load's users measured."""

    model_config = pydantic.ConfigDict(frozen=True)

    figure: Figure
    of: Selection = EVERY


class Counted(pydantic.BaseModel):
    """What was acknowledged beside what is there after the run."""

    model_config = pydantic.ConfigDict(frozen=True)

    count: Count


class Observed(pydantic.BaseModel):
    """A figure of Prometheus over the measured time; `{window}` is that time."""

    model_config = pydantic.ConfigDict(frozen=True)

    query: str


class Target(pydantic.BaseModel):
    """One figure to reach."""

    model_config = pydantic.ConfigDict(frozen=True)

    name: str
    measured_by: Generated | Counted | Observed
    bound: Bound
    limit: float
    unit: Literal["s", "/s", "ratio", ""]
    source: str


def rate(per_second: float, source: str) -> Target:
    """Return the target of a rate."""
    measured = Generated(figure=RATE)
    return Target(
        name=RATE, measured_by=measured, bound=Bound.AT_LEAST, limit=per_second, unit="/s",
        source=source,
    )  # fmt: skip


def errors(limit: float, source: str, of: Selection = EVERY, name: str = "") -> Target:
    """Return the target of a share of failed requests."""
    return Target(
        name=name or "error_ratio", measured_by=Generated(figure="error_ratio", of=of),
        bound=Bound.AT_MOST, limit=limit, unit="ratio", source=source,
    )  # fmt: skip


def latency(
    figure: Figure, limit: float, source: str, of: Selection = EVERY, name: str = ""
) -> Target:
    """Return the target of a latency."""
    return Target(
        name=name or figure, measured_by=Generated(figure=figure, of=of), bound=Bound.BELOW,
        limit=limit, unit="s", source=source,
    )  # fmt: skip


def _none(count: Count, source: str) -> Target:
    return Target(
        name=count, measured_by=Counted(count=count), bound=Bound.AT_MOST, limit=0, unit="",
        source=source,
    )  # fmt: skip


def _quantile(name: str, share: float, limit: float, series: str, source: str) -> Target:
    metric, _, labels = series.partition("{")
    selector = f"{metric}_bucket{{{labels}" if labels else f"{metric}_bucket"
    query = f"histogram_quantile({share}, sum by (le) (increase({selector}[{{window}}])))"
    return Target(
        name=name, measured_by=Observed(query=query), bound=Bound.BELOW, limit=limit, unit="s",
        source=source,
    )  # fmt: skip


MEAN_SECONDS = P95_SECONDS = 0.020
_MEAN = "Seed, Production readiness: < 20 ms average"
_P95 = "Design, gateway at 50,000 requests/min: p95 < 20 ms"
_ERRORS = "Design, gateway at 50,000 requests/min: 0 errors"
EXPECTED_RATE = "Seed, Universal API gateway: 5,000 requests/min"
TENFOLD_RATE = f"{EXPECTED_RATE}; Production readiness: load test at 10x"

ANSWERS = (
    errors(0.0, _ERRORS),
    latency("mean_seconds", MEAN_SECONDS, _MEAN),
    latency("p95_seconds", P95_SECONDS, _P95),
)
"""Of every request."""

LOSSES = (
    _none("orders_lost", "Seed, Error handling; issue: orders exactly once by idempotency key"),
    _none("orders_doubled", "Seed, Error handling; issue: orders exactly once by idempotency key"),
    _none("webhooks_lost", "Seed, Webhooks; issue: 0 lost over kills"),
    _none("webhooks_doubled", "Seed, Webhooks; issue: 0 doubled effects over kills"),
)
"""What may not happen whatever breaks."""

_GETS = "tenfold_cache_gets_total"
_TIER_SECONDS = "tenfold_cache_operation_duration_seconds"
INSIDE = (
    _quantile(
        "transformation_p99_seconds", 0.99, 0.010,
        "tenfold_gateway_transformation_duration_seconds",
        "Seed, Universal API gateway: transformation < 10 ms",
    ),
    _quantile(
        "breaker_p99_seconds", 0.99, 0.001, "tenfold_gateway_breaker_duration_seconds",
        "Seed, Universal API gateway: circuit breaker < 1 ms",
    ),
    _quantile(
        "verification_p99_seconds", 0.99, 0.005,
        "tenfold_gateway_verification_duration_seconds", "Seed, Zero trust: < 5 ms a check",
    ),
    _quantile(
        "l1_p95_seconds", 0.95, 0.0008, f'{_TIER_SECONDS}{{tier="l1",operation="get"}}',
        "Seed, Cache system: L1 0.8 ms",
    ),
    _quantile(
        "l2_p95_seconds", 0.95, 0.0125, f'{_TIER_SECONDS}{{tier="l2",operation="get"}}',
        "Seed, Cache system: L2 12.5 ms",
    ),
    Target(
        name="hit_ratio",
        measured_by=Observed(
            query=f'sum(increase({_GETS}{{outcome="hit"}}[{{window}}]))'
            f" / sum(increase({_GETS}[{{window}}]))"
        ),
        bound=Bound.AT_LEAST, limit=0.98, unit="ratio",
        source="Seed, Cache system: hit rate, goal 98%",
    ),
)  # fmt: skip
"""What the services tell of themselves."""
