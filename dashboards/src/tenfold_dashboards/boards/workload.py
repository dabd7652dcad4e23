"""Workload: its revisions, what judges them, and how many pods are wanted and why."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards import promql
from tenfold_dashboards.boards import variables
from tenfold_dashboards.panels import (
    NAMESPACE,
    WINDOW,
    Board,
    Limit,
    Look,
    Panel,
    Query,
    Row,
    units,
)

_THIS = f'{NAMESPACE},workload=~"$workload"'
_REVISION = "{{workload}} {{revision}}"
_REVISIONS = 'service=~".*-svc-$namespace-$workload-[0-9a-f]{10}-[0-9]+@.*"'


def _by_revision(expression: str) -> str:
    pattern = ".*-svc-(.+)-[0-9]+@.*"
    return f'label_replace({expression}, "revision", "$1", "service", "{pattern}")'


def weights() -> Panel:
    """How the traffic is divided."""
    return Panel(
        title="Traffic shares",
        description="Share of the traffic that the route gives each revision.",
        unit=units.Percent,
        queries=(Query(f"{m.REVISION_WEIGHT}{{{_THIS}}}", _REVISION),),
    )


def ready_pods() -> Panel:
    """Pods of each revision."""
    return Panel(
        title="Pods ready",
        description="Pods of each revision that are ready. A revision's pods leave only when the"
        " route has been without it for a while.",
        unit=units.Short,
        queries=(Query(f"{m.REVISION_READY}{{{_THIS}}}", _REVISION),),
    )


def conditions() -> Panel:
    """What the status says."""
    return Panel(
        title="Conditions",
        description="Ready: the template serves. Progressing: no rollout was given up."
        " RouteAccepted: the gateway takes the route.",
        unit=units.NoUnit,
        queries=(Query(f"{m.WORKLOAD_CONDITION}{{{_THIS}}}", "{{workload}} {{condition}}"),),
        look=Look.STATES,
    )


def verdicts() -> Panel:
    """What the analysis says."""
    return Panel(
        title="Verdicts",
        description="Verdicts on new revisions, by metric and outcome. A revision is given up"
        " after a few Failed in a row; TooFew and Unjudged hold it.",
        unit=units.CountsPerSecond,
        queries=(
            Query(
                promql.rate(m.VERDICTS, "workload, metric, outcome", _THIS, WINDOW),
                "{{workload}} {{metric}} {{outcome}}",
            ),
        ),
    )


def endings() -> Panel:
    """How rollouts end."""
    return Panel(
        title="Rollouts ended",
        description="Rollouts that ended since the operator started, by result. RolledOut is the"
        " good one, Replaced was overtaken by a newer one, all others were given up.",
        unit=units.Short,
        queries=(
            Query(
                f"sum by (workload, result) ({m.ROLLOUT_SECONDS}_count{{{_THIS}}})",
                "{{workload}} {{result}}",
            ),
        ),
        look=Look.NUMBER,
    )


def rollout_time() -> Panel:
    """How long rollouts take."""
    return Panel(
        title="Time of a rollout",
        description="Mean time from a new revision to its end.",
        unit=units.Seconds,
        queries=(
            Query(
                f"sum by (workload) ({m.ROLLOUT_SECONDS}_sum{{{_THIS}}})"
                f" / sum by (workload) ({m.ROLLOUT_SECONDS}_count{{{_THIS}}})",
                "{{workload}}",
            ),
        ),
        look=Look.NUMBER,
    )


def revision_traffic() -> Panel:
    """Requests of each revision."""
    return Panel(
        title="Requests",
        description="Requests a second that the gateway sends to each revision.",
        unit=units.RequestsPerSecond,
        queries=(Query(_by_revision(f"{m.BACKEND_RATE}{{{_REVISIONS}}}"), "{{revision}}"),),
    )


def revision_errors() -> Panel:
    """Errors of each revision."""
    return Panel(
        title="Errors",
        description="Share of each revision's requests answered 5xx: what the metric errorRatio"
        " judges.",
        unit=units.PercentUnit,
        queries=(Query(_by_revision(f"{m.BACKEND_ERROR_RATIO}{{{_REVISIONS}}}"), "{{revision}}"),),
    )


def revision_latency() -> Panel:
    """Latency of each revision."""
    return Panel(
        title="Latency, 95th percentile",
        description="Time that each revision takes: what the metrics latency and comparison judge.",
        unit=units.Seconds,
        queries=(Query(_by_revision(f"{m.BACKEND_P95_SECONDS}{{{_REVISIONS}}}"), "{{revision}}"),),
    )


def forecast() -> Panel:
    """Forecast against actual."""
    return Panel(
        title="Forecast and actual load",
        description="The load that is measured, and the load that is expected when pods that"
        " start now are ready, with the band that holds nine of ten.",
        unit=units.RequestsPerSecond,
        queries=(
            Query(f"{m.SCALING_LOAD}{{{_THIS}}}", "{{workload}} measured"),
            Query(f"{m.FORECAST_EXPECTED}{{{_THIS}}}", "{{workload}} expected"),
            Query(f"{m.FORECAST_LOWER}{{{_THIS}}}", "lower"),
            Query(f"{m.FORECAST_UPPER}{{{_THIS}}}", "upper"),
        ),
        look=Look.BAND,
        width=16,
    )


def confidence() -> Panel:
    """How far the forecast is believed."""
    return Panel(
        title="Confidence",
        description="Share of the history seen, whether the band held, and whether the forecast"
        " beats repeating the last value. Below the Workload's minConfidencePercent the load"
        " alone decides.",
        unit=units.PercentUnit,
        queries=(Query(f"{m.FORECAST_CONFIDENCE}{{{_THIS}}}", "{{workload}}"),),
    )


def replicas() -> Panel:
    """Pods wanted and had."""
    return Panel(
        title="Pods wanted and had",
        description="Pods for the present load (reactive), for the load that is forecast"
        " (predicted), the larger of them (wanted), what was decided, and how many are ready.",
        unit=units.Short,
        queries=(
            Query(f"{m.SCALING_REACTIVE}{{{_THIS}}}", "{{workload}} reactive"),
            Query(f"{m.SCALING_PREDICTED}{{{_THIS}}}", "{{workload}} predicted"),
            Query(f"{m.SCALING_WANTED}{{{_THIS}}}", "{{workload}} wanted"),
            Query(f"{m.SCALING_REPLICAS}{{{_THIS}}}", "{{workload}} decided"),
            Query(f"sum by (workload) ({m.REVISION_READY}{{{_THIS}}})", "{{workload}} ready"),
        ),
        width=16,
    )


def held() -> Panel:
    """Why the number is held."""
    return Panel(
        title="Free to scale",
        description="No while the number of pods is held, for that reason: NoData and InDoubt"
        " are those to look at.",
        unit=units.NoUnit,
        queries=(Query(f"1 - {m.SCALING_HELD}{{{_THIS}}}", "{{workload}} {{reason}}"),),
        look=Look.STATES,
    )


def capacity() -> Panel:
    """What a pod carries."""
    return Panel(
        title="Capacity of a pod",
        description="Requests a second that one pod carries, as given or as learned.",
        unit=units.RequestsPerSecond,
        queries=(Query(f"{m.SCALING_POD_CAPACITY}{{{_THIS}}}", "{{workload}}"),),
    )


def horizon() -> Panel:
    """How far ahead is looked."""
    return Panel(
        title="Horizon",
        description="Time that pods of this Workload really take to become ready: so far ahead"
        " the forecast looks.",
        unit=units.Seconds,
        queries=(Query(f"{m.SCALING_HORIZON_SECONDS}{{{_THIS}}}", "{{workload}}"),),
    )


def changes() -> Panel:
    """How often the number of pods changes."""
    return Panel(
        title="Changes",
        description="How often pods were added and taken away.",
        unit=units.CountsPerSecond,
        queries=(
            Query(
                promql.rate(m.SCALING_CHANGES, "workload, direction", _THIS, WINDOW),
                "{{workload}} {{direction}}",
            ),
        ),
        limit=Limit(0.1),
    )


BOARD = Board(
    uid="tenfold-workload",
    title="Tenfold / Workload",
    description="What serves, what is being rolled out and what judges it, and how many pods are"
    " wanted and why.",
    variables=(variables.NAMESPACE, variables.WORKLOAD),
    rows=(
        Row("Revisions", (weights(), ready_pods(), conditions())),
        Row(
            "What the gateway sees of each",
            (revision_traffic(), revision_errors(), revision_latency()),
        ),
        Row("Judgement", (verdicts(), endings(), rollout_time())),
        Row("Load", (forecast(), confidence())),
        Row("Pods", (replicas(), held(), capacity(), horizon(), changes())),
    ),
)
