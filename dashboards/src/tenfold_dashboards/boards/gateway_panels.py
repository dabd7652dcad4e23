"""The golden signals of the way in, against the targets of the 10x gate."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards import slo
from tenfold_dashboards.panels import Limit, Panel, Query, units

_WEB = f"{{{slo.WEB}}}"


def traffic() -> Panel:
    """Requests through the gateway."""
    return Panel(
        title="Traffic",
        description="Requests a second that the gateway answers. The line is ten times the"
        " expected traffic, which the load test demands.",
        unit=units.RequestsPerSecond,
        queries=(Query(f"{m.GATEWAY_RATE}{_WEB}", "requests"),),
        limit=Limit(slo.target("requests_per_second"), is_goal=True),
    )


def errors() -> Panel:
    """Requests that fail."""
    return Panel(
        title="Errors",
        description="Share of the requests that are answered 5xx. The line is what the monthly"
        " objective leaves.",
        unit=units.PercentUnit,
        queries=(Query(f"{m.GATEWAY_ERROR_RATIO}{_WEB}", "failed"),),
        limit=Limit(slo.AVAILABILITY.budget),
    )


def latency() -> Panel:
    """How long requests take."""
    return Panel(
        title="Latency",
        description="Time from a request's arrival at the gateway to the end of its answer. The"
        " line is the target of the 95th percentile.",
        unit=units.Seconds,
        queries=(
            Query(f"{m.GATEWAY_MEAN_SECONDS}{_WEB}", "mean"),
            Query(f"{m.GATEWAY_P50_SECONDS}{_WEB}", "median"),
            Query(f"{m.GATEWAY_P95_SECONDS}{_WEB}", "95th percentile"),
            Query(f"{m.GATEWAY_P99_SECONDS}{_WEB}", "99th percentile"),
        ),
        limit=Limit(slo.target("p95_seconds")),
    )


def node_cpu() -> Panel:
    """How busy the nodes are."""
    return Panel(
        title="Processors",
        description="Share of each node's cores in use. Latency grows from the line on.",
        unit=units.PercentUnit,
        queries=(Query(m.NODE_CPU_RATIO, "{{node}} in {{zone}}"),),
        limit=Limit(0.9),
    )


def node_memory() -> Panel:
    """How full the nodes are."""
    return Panel(
        title="Memory",
        description="Share of each node's memory that cannot be taken back. Pods are evicted"
        " soon after the line.",
        unit=units.PercentUnit,
        queries=(Query(m.NODE_MEMORY_RATIO, "{{node}} in {{zone}}"),),
        limit=Limit(0.9),
    )
