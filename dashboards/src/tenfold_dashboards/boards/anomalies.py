"""Anomalies: what the detectors expect, see and say."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards.boards import variables
from tenfold_dashboards.panels import NAMESPACE, Board, Limit, Look, Panel, Query, Row, units

_THIS = f'{NAMESPACE},detector=~"$detector"'
_DETECTOR = "{{namespace}}/{{detector}}"


def verdicts() -> Panel:
    """What the detectors say."""
    return Panel(
        title="Normal",
        description="No while several of the last rows score above 1. It raises suspicion; it"
        " does nothing by itself.",
        unit=units.NoUnit,
        queries=(Query(f"1 - {m.ANOMALY_VERDICT}{{{_THIS}}}", _DETECTOR),),
        look=Look.STATES,
        width=12,
    )


def sight() -> Panel:
    """Whether the detectors see anything."""
    return Panel(
        title="Conditions",
        description="Ready: rows are read and scored. Without data a detector holds its last"
        " verdict and is not Ready.",
        unit=units.NoUnit,
        queries=(Query(f"{m.DETECTOR_CONDITION}{{{_THIS}}}", "{{detector}} {{condition}}"),),
        look=Look.STATES,
        width=12,
    )


def scores() -> Panel:
    """How unusual it is."""
    return Panel(
        title="Score",
        description="How unusual the newest row is, from all angles together. Above the line it"
        " is anomalous.",
        unit=units.Short,
        queries=(Query(f"{m.ANOMALY_SCORE}{{{_THIS}}}", _DETECTOR),),
        limit=Limit(1),
        width=12,
    )


def band() -> Panel:
    """What was expected."""
    return Panel(
        title="Expected band",
        description="Where the first query's value was expected: the median of this time in"
        " earlier seasons, and four robust deviations around it.",
        unit=units.Short,
        queries=(
            Query(f"{m.ANOMALY_EXPECTED}{{{_THIS}}}", f"{_DETECTOR} expected"),
            Query(f"{m.ANOMALY_LOWER}{{{_THIS}}}", "lower"),
            Query(f"{m.ANOMALY_UPPER}{{{_THIS}}}", "upper"),
        ),
        look=Look.BAND,
        width=12,
    )


BOARD = Board(
    uid="tenfold-anomalies",
    title="Tenfold / Anomalies",
    description="What the anomaly detectors expect, see and say.",
    variables=(variables.NAMESPACE, variables.DETECTOR),
    rows=(
        Row("Verdicts", (verdicts(), sight())),
        Row("Why", (scores(), band())),
    ),
)
