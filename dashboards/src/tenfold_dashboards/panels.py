"""Boards and their panels as data: what is asked, in which unit, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from grafana_foundation_sdk.models import units

__all__ = ["Board", "Limit", "Look", "Panel", "Query", "Row", "Variable", "units"]

WINDOW = "$__rate_interval"
"""Grafana's word for a window that holds enough samples at the present zoom."""
NAMESPACE = 'namespace=~"$namespace"'
"""What restricts a query to the namespaces that are chosen."""


class Look(Enum):
    """How a panel shows its answers."""

    LINES = "timeseries"
    BAND = "timeseries with the space between the lines `lower` and `upper` filled"
    NUMBER = "stat"
    STATES = "state-timeline"


@dataclass(frozen=True)
class Query:
    """What is asked, and how each answer is called."""

    expr: str
    legend: str
    empty_until: str = ""
    """After what it has an answer first, where its metrics do not say so themselves."""


@dataclass(frozen=True)
class Limit:
    """A figure that should not be passed, or should be reached."""

    value: float
    is_goal: bool = False
    """Whether more is better."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One picture."""

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    look: Look = Look.LINES
    limit: Limit | None = None
    width: int = 8
    """Of 24."""


@dataclass(frozen=True)
class Row:
    """Panels side by side, under a title."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Variable:
    """What a reader chooses above the panels: values of a label, all of them at first."""

    name: str
    metric: str
    """The metric whose label of that name is listed."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """One page."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels in their order."""
        return tuple(panel for row in self.rows for panel in row.panels)
