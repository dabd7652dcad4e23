"""Prometheus rules as data, and the rule files made of them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Duration = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*[smh]$")]


class Severity(Enum):
    """How soon a person has to look."""

    CRITICAL = "critical"
    """Customers notice: now, at any hour."""
    WARNING = "warning"
    """Customers will notice unless somebody acts within the day."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Recording(_Data):
    """A query whose answer is kept as a series of its own."""

    record: Annotated[str, StringConstraints(pattern=r"^[a-z]+:[a-z_]+:[a-z0-9_]+$")]
    expr: str

    def document(self) -> dict[str, object]:
        """Return the rule as Prometheus takes it."""
        return {"record": self.record, "expr": self.expr}


class Alert(_Data):
    """A query that answers only when somebody has to act."""

    alert: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]+$")]
    expr: str
    hold: Duration
    """How long it has to be so before anybody is told."""
    severity: Severity
    summary: str
    """One line, with the place in it."""
    description: str
    """What it means, and where to look first."""

    def document(self) -> dict[str, object]:
        """Return the rule as Prometheus takes it."""
        return {
            "alert": self.alert,
            "expr": self.expr,
            "for": self.hold,
            "labels": {"severity": self.severity.value},
            "annotations": {"summary": self.summary, "description": self.description},
        }


class Group(_Data):
    """Rules that are evaluated one after the other."""

    name: str
    rules: Annotated[tuple[Recording | Alert, ...], Field(min_length=1)]


def render(groups: Sequence[Group]) -> str:
    """Return the rule file of these groups."""
    document = {
        "groups": [
            {"name": group.name, "rules": [rule.document() for rule in group.rules]}
            for group in groups
        ]
    }
    return yaml.safe_dump(document, sort_keys=False, width=100)
