"""Platform overview: the golden signals against the 10x targets, and where to look next."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards import slo
from tenfold_dashboards.boards import gateway_panels, variables
from tenfold_dashboards.panels import NAMESPACE, Board, Limit, Look, Panel, Query, Row, units

_BACKENDS = 'service=~"httproute-$namespace-.*"'


def _of_backend(expression: str) -> str:
    """Name a backend as people do: namespace, Workload and revision."""
    return f'label_replace({expression}, "backend", "$1", "service", ".*-svc-(.+)-[0-9]+@.*")'


def budget_left() -> Panel:
    """How much of the error budget is left."""
    spent = f"({slo.ratio(m.SLO_ERRORS, '3d')}) / {slo.AVAILABILITY.budget:.6g}"
    return Panel(
        title="Error budget left, 3 days",
        description=f"{slo.AVAILABILITY.good:.2%} of the requests have to be answered. 100% is an"
        " untouched budget; below 0 more has failed than may.",
        unit=units.PercentUnit,
        queries=(Query(f"1 - {spent}", "left"),),
        look=Look.NUMBER,
        limit=Limit(0, is_goal=True),
        width=4,
    )


def latency_budget_left() -> Panel:
    """How much of the latency budget is left."""
    spent = f"({slo.ratio(m.SLO_SLOW, '3d')}) / {slo.LATENCY.budget:.6g}"
    return Panel(
        title="Latency budget left, 3 days",
        description=f"{slo.LATENCY.good:.0%} of the requests have to be answered within"
        f" {slo.target('p95_seconds') * 1000:g} ms. Below 0 more have been slow than may.",
        unit=units.PercentUnit,
        queries=(Query(f"1 - {spent}", "left"),),
        look=Look.NUMBER,
        limit=Limit(0, is_goal=True),
        width=4,
    )


def alerts_firing() -> Panel:
    """Alerts that fire."""
    return Panel(
        title="Alerts",
        description="Alerts that fire now, by severity. Prometheus and Alertmanager have the list.",
        unit=units.Short,
        queries=(
            Query(
                'count by (severity) (ALERTS{alertstate="firing"}) or vector(0)',
                "{{severity}}",
            ),
        ),
        look=Look.NUMBER,
        limit=Limit(1),
        width=4,
    )


def workloads_ready() -> Panel:
    """Workloads that serve as they should."""
    return Panel(
        title="Workloads ready",
        description="Share of the Workloads whose template serves with all its pods.",
        unit=units.PercentUnit,
        queries=(Query(f'avg({m.WORKLOAD_CONDITION}{{condition="Ready",{NAMESPACE}}})', "ready"),),
        look=Look.NUMBER,
        limit=Limit(1, is_goal=True),
        width=4,
    )


def tiers_ready() -> Panel:
    """Redis tiers that are as they should be."""
    return Panel(
        title="Redis tiers ready",
        description="Share of the Redis tiers with one primary, all replicas in sync and all"
        " Sentinels agreeing.",
        unit=units.PercentUnit,
        queries=(Query(f'avg({m.TIER_CONDITION}{{condition="Ready",{NAMESPACE}}})', "ready"),),
        look=Look.NUMBER,
        limit=Limit(1, is_goal=True),
        width=4,
    )


def targets_up() -> Panel:
    """Whether the metrics can be believed."""
    return Panel(
        title="Targets up",
        description="Share of what Prometheus scrapes that answers. Below 100% something is"
        " decided blindly.",
        unit=units.PercentUnit,
        queries=(Query(f"min({m.JOB_UP_RATIO})", "up"),),
        look=Look.NUMBER,
        limit=Limit(1, is_goal=True),
        width=4,
    )


def backend_traffic() -> Panel:
    """Traffic by revision."""
    return Panel(
        title="Traffic by backend",
        description="Requests a second that the gateway sends to each revision.",
        unit=units.RequestsPerSecond,
        queries=(Query(_of_backend(f"{m.BACKEND_RATE}{{{_BACKENDS}}}"), "{{backend}}"),),
    )


def backend_errors() -> Panel:
    """Errors by revision."""
    return Panel(
        title="Errors by backend",
        description="Share of each revision's requests that were answered 5xx, by it or by the"
        " gateway in its place.",
        unit=units.PercentUnit,
        queries=(Query(_of_backend(f"{m.BACKEND_ERROR_RATIO}{{{_BACKENDS}}}"), "{{backend}}"),),
        limit=Limit(slo.AVAILABILITY.budget),
    )


def backend_latency() -> Panel:
    """Latency by revision."""
    return Panel(
        title="Latency by backend, 95th percentile",
        description="Time that each revision takes. The line is the target of all together.",
        unit=units.Seconds,
        queries=(Query(_of_backend(f"{m.BACKEND_P95_SECONDS}{{{_BACKENDS}}}"), "{{backend}}"),),
        limit=Limit(slo.target("p95_seconds")),
    )


def tier_memory() -> Panel:
    """How full the Redis tiers are."""
    return Panel(
        title="Redis memory",
        description="Share of its memory that the fullest server of each tier uses. A cache is"
        " full when it works; a tier that evicts nothing refuses writes at 100%.",
        unit=units.PercentUnit,
        queries=(Query(f"{m.TIER_MEMORY_RATIO}{{{NAMESPACE}}}", "{{namespace}}/{{tier}}"),),
        limit=Limit(0.9),
    )


def pod_cpu() -> Panel:
    """The busiest pods."""
    return Panel(
        title="Busiest pods",
        description="The ten pods that use most cores.",
        unit=units.Short,
        queries=(Query(f"topk(10, {m.POD_CPU_RATE}{{{NAMESPACE}}})", "{{namespace}}/{{pod}}"),),
        width=12,
    )


def pod_memory() -> Panel:
    """The largest pods."""
    return Panel(
        title="Largest pods",
        description="The ten pods that hold most memory.",
        unit=units.BytesIEC,
        queries=(Query(f"topk(10, {m.POD_MEMORY}{{{NAMESPACE}}})", "{{namespace}}/{{pod}}"),),
        width=12,
    )


def nodes_reachable() -> Panel:
    """Nodes that answer."""
    return Panel(
        title="Nodes reachable",
        description="No while no guard reaches a node. Its pods have lost their traffic then.",
        unit=units.NoUnit,
        queries=(Query(f"max by (exported_node) ({m.NODE_REACHABLE})", "{{exported_node}}"),),
        look=Look.STATES,
        width=12,
    )


def pods_marked() -> Panel:
    """Pods that lost their traffic."""
    return Panel(
        title="Pods without traffic",
        description="Pods whose traffic the guards took away because of their node.",
        unit=units.Short,
        queries=(Query(f"sum by (exported_node) ({m.PODS_MARKED})", "{{exported_node}}"),),
        width=12,
    )


BOARD = Board(
    uid="tenfold-overview",
    title="Tenfold / Platform overview",
    description="Is the platform well, and where is it not? The lines are the 10x targets.",
    variables=(variables.NAMESPACE,),
    rows=(
        Row(
            "Now",
            (
                budget_left(),
                latency_budget_left(),
                alerts_firing(),
                workloads_ready(),
                tiers_ready(),
                targets_up(),
            ),
        ),
        Row(
            "Traffic, errors, latency",
            (gateway_panels.traffic(), gateway_panels.errors(), gateway_panels.latency()),
        ),
        Row(
            "Saturation",
            (gateway_panels.node_cpu(), gateway_panels.node_memory(), tier_memory()),
        ),
        Row("Backends", (backend_traffic(), backend_errors(), backend_latency())),
        Row("Pods", (pod_cpu(), pod_memory())),
        Row("Zones", (nodes_reachable(), pods_marked())),
    ),
)
