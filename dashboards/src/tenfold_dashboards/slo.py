"""Objectives of the gateway, and how fast their error budgets are spent.

Windows and factors are those of the Site Reliability Workbook, chapter 5: a long window says that
it matters, a short one that it still goes on. What many windows read is recorded once; the windows
sum the recorded rates up, so that every request weighs the same however the traffic varies.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenfold_loadtests import suites

from tenfold_dashboards import metrics as m
from tenfold_dashboards import promql
from tenfold_dashboards.rules import Group, Recording

WEB = 'entrypoint="web"'
INTERVAL_SECONDS = 30
"""How often the rates are recorded."""
LEAST_FAILURES = 10
"""So few failures in the long window spend no budget: at night one request would page."""


def target(name: str) -> float:
    """Return the figure that the 10x gate demands."""
    return next(each.limit for each in suites.STEADY.targets if each.name == name)


@dataclass(frozen=True)
class Objective:
    """What share of the requests has to be good."""

    title: str
    good: float
    bad_rate: str
    """The recorded rate of those that are not."""

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return 1 - self.good


# Platform report, "Production readiness": > 99.99% available.
AVAILABILITY = Objective("answered", 0.9999, m.SLO_ERRORS)
# The gate's 95th percentile, said of requests: 95% of them take no longer.
LATENCY = Objective("fast enough", 0.95, m.SLO_SLOW)


@dataclass(frozen=True)
class Window:
    """A burn rate that is too high where both windows show it."""

    long: str
    short: str
    factor: float


# Of the budget of 30 days: 2% in 1 h, 5% in 6 h; 10% in a day, 10% in three days.
FAST = (Window("1h", "5m", 14.4), Window("6h", "30m", 6.0))
SLOW = (Window("1d", "2h", 3.0), Window("3d", "6h", 1.0))


def ratio(bad_rate: str, window: str) -> str:
    """Return the share of the window's requests that were bad."""
    if window == "5m":
        return f"{bad_rate} / {m.SLO_REQUESTS}"
    return f"sum_over_time({bad_rate}[{window}]) / sum_over_time({m.SLO_REQUESTS}[{window}])"


def burns(objective: Objective, windows: tuple[Window, ...]) -> str:
    """Return the long window's share of bad requests where the budget is spent too fast."""
    return " or ".join(_burns(objective, each) for each in windows)


def _burns(objective: Objective, window: Window) -> str:
    limit = f"{window.factor * objective.budget:.6g}"
    failures = f"sum_over_time({objective.bad_rate}[{window.long}]) * {INTERVAL_SECONDS}"
    return (
        f"({ratio(objective.bad_rate, window.long)} > {limit}"
        f" and {ratio(objective.bad_rate, window.short)} > {limit}"
        f" and {failures} >= {LEAST_FAILURES})"
    )


_REQUESTS = promql.rate(m.TRAEFIK_ENTRYPOINT_REQUESTS, "entrypoint", WEB, "5m")
_LIMIT = f'le="{target("p95_seconds"):g}"'
_IN_TIME = promql.rate(
    f"{m.TRAEFIK_ENTRYPOINT_SECONDS}_bucket", "entrypoint", f"{WEB},{_LIMIT}", "5m"
)
_ALL = promql.rate(f"{m.TRAEFIK_ENTRYPOINT_SECONDS}_count", "entrypoint", WEB, "5m")

RECORDINGS = Group(
    name="slo",
    interval=f"{INTERVAL_SECONDS}s",
    rules=(
        Recording(record=m.SLO_REQUESTS, expr=_REQUESTS),
        Recording(
            record=m.SLO_ERRORS,
            expr=promql.errors(m.TRAEFIK_ENTRYPOINT_REQUESTS, "entrypoint", WEB, "5m"),
        ),
        Recording(record=m.SLO_SLOW, expr=f"{_ALL} - {_IN_TIME}"),
    ),
)
