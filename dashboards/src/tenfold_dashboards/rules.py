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


class Links(_Data):
    """Where people read what alerts link to, without a slash at the end.

    The defaults are what `kubectl port-forward` to the Services gives.
    """

    runbooks: str = "http://localhost:9090/consoles"
    """Prometheus serves them itself; so does any other place, as pages called ALERT.html."""
    boards: str | None = "http://localhost:3000"
    """Grafana; None where there is none, and alerts lead to the console."""
    console: str = "http://localhost:8081"
    """The operator's page."""


_CONSOLE_PAGES = {"workload": "workloads", "tier": "redistiers", "detector": "anomalydetectors"}
"""The console's page of what an alert is about, by the label that names it."""


class Recording(_Data):
    """A query whose answer is kept as a series of its own."""

    record: Annotated[str, StringConstraints(pattern=r"^[a-z]+:[a-z_]+:[a-z0-9_]+$")]
    expr: str

    def document(self) -> dict[str, object]:
        """Return the rule as Prometheus takes it."""
        return {"record": str(self.record), "expr": self.expr}


class Alert(_Data):
    """A query that answers only when somebody has to act."""

    alert: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]+$")]
    expr: str
    hold: Duration
    """How long it has to be so before anybody is told."""
    severity: Severity
    summary: str
    """One line, with the place and the value in it."""
    description: str
    """What it means, and where to look first."""
    labels: str = ""
    """The labels of what it answers, separated by commas."""
    board: str
    """The uid of the board that shows it."""

    def runbook_url(self, links: Links) -> str:
        """Return where its runbook is."""
        return f"{links.runbooks}/{self.alert}.html"

    def dashboard_url(self, links: Links) -> str:
        """Return where its board is, turned to what the alert is about; or the console's page."""
        names = [each.strip() for each in self.labels.split(",") if each.strip()]
        if links.boards is None:
            return f"{links.console}/#/{_console_page(names)}"
        values = "&".join(f"var-{name}={_label(name)}" for name in names)
        return f"{links.boards}/d/{self.board}" + (f"?{values}" if values else "")

    def document(self, links: Links) -> dict[str, object]:
        """Return the rule as Prometheus takes it."""
        return {
            "alert": self.alert,
            "expr": self.expr,
            "for": self.hold,
            "labels": {"severity": self.severity.value},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": self.runbook_url(links),
                "dashboard_url": self.dashboard_url(links),
            },
        }


class Group(_Data):
    """Rules that are evaluated one after the other."""

    name: str
    interval: Duration | None = None
    """How often; Prometheus' own interval by default."""
    rules: Annotated[tuple[Recording | Alert, ...], Field(min_length=1)]

    def document(self, links: Links) -> dict[str, object]:
        """Return the group as Prometheus takes it."""
        rules = [
            rule.document(links) if isinstance(rule, Alert) else rule.document()
            for rule in self.rules
        ]
        timing = {"interval": self.interval} if self.interval else {}
        return {"name": self.name, **timing, "rules": rules}


def _label(name: str) -> str:
    return f"{{{{ $labels.{name} }}}}"


def _console_page(labels: Sequence[str]) -> str:
    """Return the page of what is named by the labels; the overview where none has one."""
    for label, page in _CONSOLE_PAGES.items():
        if label in labels:
            return f"{page}/{_label('namespace')}/{_label(label)}"
    return ""


def render_groups(groups: Sequence[Group], links: Links) -> str:
    """Return the rule file of these groups."""
    return _yaml({"groups": [group.document(links) for group in groups]})


def render_resource(groups: Sequence[Group], links: Links, name: str) -> str:
    """Return the groups as a PrometheusRule, for clusters with the Prometheus operator."""
    return _yaml(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": name}},
            "spec": {"groups": [group.document(links) for group in groups]},
        }
    )


def _yaml(document: dict[str, object]) -> str:
    return yaml.safe_dump(document, sort_keys=False, width=100)
