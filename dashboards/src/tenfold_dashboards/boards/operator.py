"""Operator: how much it has to do, how long that takes, and what fails."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards import promql
from tenfold_dashboards.boards import variables
from tenfold_dashboards.panels import WINDOW, Board, Limit, Look, Panel, Query, Row, units

_OPERATOR = f'app="{m.APP_OPERATOR}"'
_EVENT_SECONDS = 2.0
"""The target: an event is acted on within so long at the 99th percentile."""


def up() -> Panel:
    """Whether it answers."""
    return Panel(
        title="Answers",
        description="Whether the operator answers Prometheus. Without it services go on as they"
        " are.",
        unit=units.NoUnit,
        queries=(Query(f"{m.UP}{{{_OPERATOR}}}", "{{pod}}"),),
        look=Look.STATES,
    )


def queue_depth() -> Panel:
    """What waits."""
    return Panel(
        title="Queue",
        description="Resources that are due or will be. One for each is usual: all are looked at"
        " again after a while.",
        unit=units.Short,
        queries=(Query(f"sum({m.QUEUE_DEPTH})", "resources"),),
    )


def queue_wait() -> Panel:
    """How long events wait."""
    return Panel(
        title="Wait",
        description="Time from when a resource is due until it is looked at. The line is the"
        " target of the 99th percentile.",
        unit=units.Seconds,
        queries=(
            Query(promql.quantile(0.5, m.QUEUE_SECONDS, window=WINDOW), "median"),
            Query(promql.quantile(0.99, m.QUEUE_SECONDS, window=WINDOW), "99th percentile"),
        ),
        limit=Limit(_EVENT_SECONDS),
    )


def looks() -> Panel:
    """How much it does."""
    return Panel(
        title="Looks",
        description="Resources a second that are observed, planned and brought to the plan.",
        unit=units.OpsPerSecond,
        queries=(
            Query(promql.rate(f"{m.RECONCILE_SECONDS}_count", "kind", window=WINDOW), "{{kind}}"),
        ),
    )


def latency() -> Panel:
    """How long a look takes."""
    return Panel(
        title="Time of a look, 95th percentile",
        description="Time from observing a resource to having applied the plan.",
        unit=units.Seconds,
        queries=(Query(m.RECONCILE_P95_SECONDS, "{{kind}}"),),
        limit=Limit(_EVENT_SECONDS),
    )


def errors() -> Panel:
    """What fails."""
    return Panel(
        title="Errors",
        description="Share of the looks that fail, by kind. They are tried again, after a second"
        " at first and a minute at last.",
        unit=units.PercentUnit,
        queries=(Query(m.RECONCILE_ERROR_RATIO, "{{kind}}"),),
        limit=Limit(0.1),
    )


def causes() -> Panel:
    """Why it fails."""
    return Panel(
        title="Causes of errors",
        description="Looks a second that fail: rejected by the API server, unavailable, or a bug.",
        unit=units.OpsPerSecond,
        queries=(
            Query(
                promql.rate(m.RECONCILE_ERRORS, "kind, cause", window=WINDOW), "{{kind}} {{cause}}"
            ),
        ),
    )


def actions() -> Panel:
    """What it does."""
    return Panel(
        title="Actions",
        description="What is carried out a second. Where nothing changes, nothing is done.",
        unit=units.OpsPerSecond,
        queries=(
            Query(promql.rate(m.ACTIONS, "kind, action", window=WINDOW), "{{kind}} {{action}}"),
        ),
    )


def scaling_errors() -> Panel:
    """Decisions that fail."""
    return Panel(
        title="Scaling decisions that failed",
        description="Decisions a second about a number of pods that failed by a bug.",
        unit=units.OpsPerSecond,
        queries=(Query(promql.rate(m.SCALING_ERRORS, window=WINDOW), "failed"),),
    )


def cpu() -> Panel:
    """Cores that it uses."""
    return Panel(
        title="Processor",
        description="Cores that the operator uses, its training process included.",
        unit=units.Short,
        queries=(Query(f'{m.POD_CPU_RATE}{{pod=~"operator-.*"}}', "{{pod}}"),),
        width=12,
    )


def memory() -> Panel:
    """Memory that it uses."""
    return Panel(
        title="Memory",
        description="Memory that the operator holds. The line is the target for 1,000 Workloads.",
        unit=units.BytesIEC,
        queries=(Query(f'{m.POD_MEMORY}{{pod=~"operator-.*"}}', "{{pod}}"),),
        limit=Limit(512 * 1024**2),
        width=12,
    )


BOARD = Board(
    uid="tenfold-operator",
    title="Tenfold / Operator",
    description="How much the operator has to do, how long that takes, and what fails.",
    variables=(variables.NAMESPACE,),
    rows=(
        Row("Queue", (up(), queue_depth(), queue_wait())),
        Row("Work", (looks(), latency(), actions())),
        Row("Errors", (errors(), causes(), scaling_errors())),
        Row("Resources", (cpu(), memory())),
    ),
)
