"""The revisions of a Workload: when they were made, of what, and how they ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rich.table import Table
from rich.text import Text
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import Workload, WorkloadFailedRevision
from tenfold_operator.model.manifest import objects_at, text_at, time_at
from tenfold_operator.model.names import REVISION

from tenfold_kubectl.tree import failure_line


@dataclass(frozen=True)
class Entry:
    """One revision."""

    revision: str
    created: datetime | None
    """When its Deployment was made; None where that is gone."""
    images: tuple[str, ...]
    failure: WorkloadFailedRevision | None


def entries(workload: Workload, deployments: Iterable[JsonObject]) -> tuple[Entry, ...]:
    """Return the revisions that are kept or have failed, newest first."""
    failures = {each.revision: each for each in workload.status.failed_revisions}
    kept = [
        Entry(
            revision=(name := text_at(each, "metadata", "labels", REVISION)),
            created=time_at(each, "metadata", "creationTimestamp"),
            images=_images(each),
            failure=failures.get(name),
        )
        for each in deployments
    ]
    known = {each.revision for each in kept}
    gone = [
        Entry(revision=name, created=None, images=(), failure=failure)
        for name, failure in failures.items()
        if name not in known
    ]
    return tuple(sorted((*kept, *gone), key=_time, reverse=True))


def table(workload: Workload, found: Iterable[Entry], now: datetime) -> Table:
    """Return the history as a table."""
    shown = Table("REVISION", "CREATED (UTC)", "IMAGES", "SAYS", box=None, pad_edge=False)
    status = workload.status
    roles = {status.target_revision: "target", status.stable_revision: "stable"}
    for each in found:
        says = failure_line(each.failure, now) if each.failure else roles.get(each.revision, "kept")
        shown.add_row(
            Text(each.revision, no_wrap=True),
            Text(f"{each.created:%Y-%m-%d %H:%M:%S}" if each.created else "gone", no_wrap=True),
            Text("\n".join(each.images), overflow="fold"),
            Text(says),
        )
    return shown


def _images(deployment: JsonObject) -> tuple[str, ...]:
    containers = objects_at(deployment, "spec", "template", "spec", "containers")
    return tuple(text_at(each, "image") for each in containers)


def _time(entry: Entry) -> tuple[float, str]:
    known = entry.created or (entry.failure.time if entry.failure else None)
    return (known.timestamp() if known else 0.0, entry.revision)
