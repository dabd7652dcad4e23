"""The generated files: what Prometheus and Grafana load."""

from __future__ import annotations

from tenfold_dashboards import alerts, recording, render
from tenfold_dashboards.boards import BOARDS
from tenfold_dashboards.rules import Links, render_groups, render_resource


def rule_files(links: Links | None = None) -> dict[str, str]:
    """Return Prometheus' rule files by name."""
    where = links or Links()
    return {
        "recording.yaml": render_groups(recording.GROUPS, where),
        "alerts.yaml": render_groups(alerts.GROUPS, where),
    }


def rule_resource(links: Links | None = None) -> str:
    """Return the same rules as a PrometheusRule."""
    groups = (*recording.GROUPS, *alerts.GROUPS)
    return render_resource(groups, links or Links(), "tenfold")


def board_files() -> dict[str, str]:
    """Return Grafana's boards by file name."""
    return {f"{board.uid}.json": render.to_json(board) for board in BOARDS}
