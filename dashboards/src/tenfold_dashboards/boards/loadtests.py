"""Load tests: what a run offers, what the platform makes of it, and what gives way first."""

from __future__ import annotations

from tenfold_loadtests import targets

from tenfold_dashboards import metrics as m
from tenfold_dashboards import promql, slo
from tenfold_dashboards.boards import gateway_panels, variables
from tenfold_dashboards.panels import WINDOW, Board, Limit, Look, Panel, Query, Row, units

_WEB = f"{{{slo.WEB}}}"


def reached() -> Panel:
    """How much of the target rate is reached."""
    goal = slo.target("requests_per_second")
    return Panel(
        title="Of the 10x target",
        description=f"Requests a second as a share of the target, {goal:.0f}: {targets.FACTOR}"
        f" times the {targets.EXPECTED_REQUESTS_PER_MINUTE} requests/min that are expected.",
        unit=units.PercentUnit,
        queries=(Query(f"{m.GATEWAY_RATE}{_WEB} / {goal:.6g}", "reached"),),
        look=Look.NUMBER,
        limit=Limit(1, is_goal=True),
        width=6,
    )


def mean() -> Panel:
    """The mean against its target."""
    return Panel(
        title="Mean latency",
        description="The gate demands a mean below the limit.",
        unit=units.Seconds,
        queries=(Query(f"{m.GATEWAY_MEAN_SECONDS}{_WEB}", "mean"),),
        look=Look.NUMBER,
        limit=Limit(slo.target("mean_seconds")),
        width=6,
    )


def p95() -> Panel:
    """The 95th percentile against its target."""
    return Panel(
        title="95th percentile",
        description="The gate demands a 95th percentile below the limit.",
        unit=units.Seconds,
        queries=(Query(f"{m.GATEWAY_P95_SECONDS}{_WEB}", "95th percentile"),),
        look=Look.NUMBER,
        limit=Limit(slo.target("p95_seconds")),
        width=6,
    )


def failed() -> Panel:
    """Failures during the run."""
    return Panel(
        title="Failed in 5 minutes",
        description="Requests answered 5xx. The gate allows none.",
        unit=units.Short,
        queries=(Query(f"{m.SLO_ERRORS}{_WEB} * 300", "failed"),),
        look=Look.NUMBER,
        limit=Limit(1),
        width=6,
    )


def connections() -> Panel:
    """Connections that the generators hold."""
    return Panel(
        title="Connections",
        description="Connections open at the gateway.",
        unit=units.Short,
        queries=(Query(f"sum by (entrypoint) ({m.TRAEFIK_OPEN_CONNECTIONS}{_WEB})", "open"),),
    )


def reloads() -> Panel:
    """Whether anything changed during the run."""
    return Panel(
        title="Changes of routes and endpoints",
        description="How often the gateway took over a change. During a measurement of steady"
        " load it should take over none.",
        unit=units.OpsPerSecond,
        queries=(Query(promql.rate(m.TRAEFIK_RELOADS, window=WINDOW), "changes"),),
    )


def series() -> Panel:
    """What the measurement itself costs."""
    return Panel(
        title="Prometheus' series",
        description="Series that Prometheus holds. A run that makes them grow measures less"
        " reliably.",
        unit=units.Short,
        queries=(Query(m.SERIES, "series"),),
    )


BOARD = Board(
    uid="tenfold-loadtests",
    title="Tenfold / Load tests",
    description="What a run offers, what the platform makes of it, and what gives way first. The"
    " gate itself judges by what the generators measured: see the run's report.",
    variables=(variables.NAMESPACE,),
    rows=(
        Row("Against the gate", (reached(), mean(), p95(), failed())),
        Row(
            "The run",
            (gateway_panels.traffic(), gateway_panels.errors(), gateway_panels.latency()),
        ),
        Row(
            "What gives way",
            (gateway_panels.node_cpu(), gateway_panels.node_memory(), connections()),
        ),
        Row("The measurement", (reloads(), series())),
    ),
)
