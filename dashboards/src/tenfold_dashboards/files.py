"""The generated files: what Prometheus loads."""

from __future__ import annotations

from tenfold_dashboards import alerts, recording
from tenfold_dashboards.rules import render


def rule_files() -> dict[str, str]:
    """Return Prometheus' rule files by name."""
    return {"recording.yaml": render(recording.GROUPS), "alerts.yaml": render(alerts.GROUPS)}
