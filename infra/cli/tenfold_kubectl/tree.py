"""A Workload's rollout as a tree on the terminal, a RedisTier as a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from rich.tree import Tree
from tenfold_operator.model.generated import (
    Condition,
    RedisTier,
    Workload,
    WorkloadFailedRevision,
    WorkloadProgress,
    WorkloadRevision,
)
from tenfold_operator.plan import conditions

from tenfold_kubectl.rollout import deadline, failure_of, is_seen, progressing

_BAR_WIDTH = 20
_OUTCOMES = {
    "Passed": ("✓", "green"),
    "Failed": ("✗", "red"),
    "TooFew": ("…", "yellow"),
    "Unjudged": ("?", "yellow"),
}
_ROLLING = ("↻", "cyan")
_STATES = {"True": ("✓", "green"), "False": ("✗", "red"), "Unknown": ("?", "yellow")}


def overview(
    workloads: Sequence[Workload], tiers: Sequence[RedisTier], now: datetime
) -> RenderableType:
    """Return all that Tenfold runs in a namespace."""
    parts: list[RenderableType] = []
    for each in workloads:
        parts += [workload_tree(each, now), Text()]
    return Group(*parts, *map(tier_line, tiers))


def workload_tree(workload: Workload, now: datetime) -> Tree:
    """Return what serves, what rolls out, what it waits for and what has failed."""
    tree = Tree(_title("Workload", workload.metadata.name, workload.status.conditions))
    if not is_seen(workload):
        tree.add(Text("the operator has not looked at the last change yet", "yellow"))
    route = conditions.find(workload.status.conditions, "RouteAccepted")
    if route and route.status != "True":
        tree.add(Text(f"{route.reason}: {route.message}", "yellow"))
    if workload.status.revisions:
        tree.add(_revisions(workload, now))
    _add_rollout(tree, workload, now)
    _add_scaling(tree, workload)
    _add_failures(tree, workload, now)
    return tree


def tier_line(tier: RedisTier) -> Text:
    """Return a RedisTier in one line: ready or not, the primary, what goes on."""
    line = _title("RedisTier", tier.metadata.name, tier.status.conditions)
    if tier.status.primary:
        line.append(f"  primary {tier.status.primary}", "dim")
    return line


def duration(seconds: float) -> str:
    """Return a length of time in its one or two largest units, such as 45s, 3m20s or 5d."""
    left, parts = max(0, int(seconds)), list[str]()
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"


def _title(kind: str, name: str, known: Sequence[Condition]) -> Text:
    ready = conditions.find(known, "Ready")
    is_rolling = ready is not None and ready.reason == "RollingOut"
    sign, colour = _ROLLING if is_rolling else _STATES[ready.status if ready else "Unknown"]
    says = ready.message if ready else "the operator has not looked at it yet"
    return Text.assemble((sign, colour), f" {kind} ", (name, "bold"), f"  {says}")


def _revisions(workload: Workload, now: datetime) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for each in workload.status.revisions:
        role, colour = _role(workload, each)
        table.add_row(
            Text(each.name),
            Text(role, colour),
            ProgressBar(
                completed=each.weight,
                width=_BAR_WIDTH,
                complete_style=colour,
                finished_style=colour,
            ),
            Text(f"{each.weight}%", justify="right"),
            Text(f"{each.ready_replicas}/{each.replicas} pods"),
            Text(duration((now - each.created_at).total_seconds()) if each.created_at else ""),
        )
    return table


def _role(workload: Workload, revision: WorkloadRevision) -> tuple[str, str]:
    status, failed = workload.status, failure_of(workload)
    if revision.name == status.stable_revision:
        return "stable", "green"
    if failed and revision.name == failed.revision:
        return "failed", "red"
    if revision.name == status.target_revision:
        return "target", "cyan"
    return ("drains", "yellow") if revision.weight or revision.replicas else ("kept", "dim")


def _add_rollout(tree: Tree, workload: Workload, now: datetime) -> None:
    condition, progress = progressing(workload), workload.status.progress
    if condition is None or condition.reason == "RolledOut":
        return
    colour = "red" if condition.status == "False" else "cyan"
    line = Text.assemble((condition.reason, colour), f": {condition.message}")
    if end := deadline(workload):
        line.append(f"; {end.what} in {duration((end.time - now).total_seconds())}", "bold")
    node = tree.add(line)
    if progress:
        for note in _notes(workload, progress, now):
            node.add(note)


def _notes(workload: Workload, progress: WorkloadProgress, now: datetime) -> Iterator[Text]:
    age = duration((now - progress.start_time).total_seconds())
    yield Text(f"attempt {progress.attempt}, for {age}", "dim")
    if workload.spec.rollout.paused:
        again = f"kubectl tenfold resume {workload.metadata.name}"
        yield Text(f"rollouts are paused: {again}", "yellow")
    for each in progress.verdicts:
        sign, colour = _OUTCOMES[each.outcome]
        yield Text.assemble((sign, colour), f" {each.metric}: {each.message}")


def _add_scaling(tree: Tree, workload: Workload) -> None:
    spec, scaling = workload.spec.scaling, workload.status.scaling
    if spec is None or scaling is None:
        return
    line = Text("scaling", "cyan").append(f": {scaling.message}", "yellow" if scaling.held else "")
    if spec.mode == "Preview":
        line.append("; only reported", "yellow")
    node = tree.add(line)
    for reason in scaling.reasons:
        node.add(Text(reason, "dim"))


def _add_failures(tree: Tree, workload: Workload, now: datetime) -> None:
    if not workload.status.failed_revisions:
        return
    node = tree.add(Text("failed", "red"))
    for each in reversed(workload.status.failed_revisions):
        node.add(Text(f"{each.revision}  {failure_line(each, now)}"))


def failure_line(failed: WorkloadFailedRevision, now: datetime) -> str:
    """Return why and when a revision was given up."""
    ago = duration((now - failed.time).total_seconds())
    return f"attempt {failed.attempt}, {ago} ago: {failed.reason}: {failed.message}"
