"""The reference of metrics and alerts, made of the same data as the rules and boards."""

from __future__ import annotations

from collections import defaultdict

from tenfold_dashboards import alerts, recording
from tenfold_dashboards import metrics as m
from tenfold_dashboards.boards import BOARDS
from tenfold_dashboards.metrics import Metric
from tenfold_dashboards.rules import Recording

_MADE = "<!-- Made by `tenfold-dashboards generate` from dashboards/src. Do not edit. -->"


def metrics_page() -> str:
    """Return docs/reference/metrics.md."""
    by_source: defaultdict[str, list[Metric]] = defaultdict(list)
    for each in m.all_metrics():
        by_source[each.source].append(each)
    expressions = {
        rule.record: rule.expr
        for group in recording.GROUPS
        for rule in group.rules
        if isinstance(rule, Recording)
    }
    parts = [
        _MADE,
        "# Metrics",
        "What rules, alerts and boards read. Services and the operator tell them at port 9090 of"
        " their pods; Prometheus adds `namespace`, `pod`, `node`, and `workload`, `revision` or"
        " `tier` where the pod has such a label. A histogram is three series: `_bucket`, `_count`"
        " and `_sum`.",
    ]
    for source, found in by_source.items():
        parts += [f"## {source}", _table(found, expressions)]
    return "\n\n".join(parts) + "\n"


def _table(found: list[Metric], expressions: dict[str, str]) -> str:
    recorded = any(str(each) in expressions for each in found)
    head = (
        "| series | labels | what it is |"
        if recorded
        else "| metric | kind | labels | what it is |"
    )
    lines = [head, "| --- " * (head.count("|") - 1) + "|"]
    for each in found:
        labels = ", ".join(f"`{label}`" for label in each.labels)
        text = each.help + (f" There once {each.appears}." if each.appears else "")
        if recorded:
            expression = expressions[str(each)].replace("|", "\\|")
            lines.append(f"| `{each}` | {labels} | {text} `{expression}` |")
        else:
            lines.append(f"| `{each}` | {each.kind.value} | {labels} | {text} |")
    return "\n".join(lines)


def alerts_page() -> str:
    """Return docs/reference/alerts.md."""
    boards = {board.uid: board.title.removeprefix("Tenfold / ") for board in BOARDS}
    parts = [
        _MADE,
        "# Alerts",
        "`critical` alerts say that customers notice now; `warning` ones that they will unless"
        " somebody acts within the day. Each links to its runbook and to its board.",
    ]
    for alert in alerts.ALERTS:
        parts.append(
            f"## {alert.alert}\n\n{alert.description}\n\n"
            f"| | |\n| --- | --- |\n| severity | {alert.severity.value} |\n"
            f"| after | {alert.hold} |\n| board | {boards[alert.board]} |\n"
            f"| runbook | [{alert.alert}](../../runbooks/{alert.alert}.md) |\n\n"
            f"```promql\n{alert.expr.replace(' or (', chr(10) + 'or (')}\n```"
        )
    return "\n\n".join(parts) + "\n"
