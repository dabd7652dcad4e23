"""Workloads in one line and in full."""

from collections.abc import Mapping

from tenfold_operator.console import views
from tenfold_operator.console.reasons import explain
from tenfold_operator.console.source import NOT_LOOKED, Source, since, state_of
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import (
    Workload,
    WorkloadFailedRevision,
    WorkloadRevision,
)
from tenfold_operator.model.manifest import Ref, objects_at, text_at
from tenfold_operator.model.names import REVISION
from tenfold_operator.plan import conditions

_PASSING = ("RollingOut", "PodsNotReady")


def summary(workload: Workload) -> views.WorkloadSummary:
    """Return a Workload in one line."""
    meta, status = workload.metadata, workload.status
    ready = conditions.find(status.conditions, "Ready")
    progressing = conditions.find(status.conditions, "Progressing")
    told = progressing if ready and ready.status != "True" and progressing else ready
    state = state_of(ready, _PASSING)
    if state == "working" and progressing and progressing.status == "False":
        state = "bad"
    progress, scaling = status.progress, status.scaling
    model = scaling.model if scaling else None
    return views.WorkloadSummary(
        kind="Workload",
        namespace=meta.namespace,
        name=meta.name,
        state=state,
        reason=ready.reason if ready else "",
        headline=told.message if told else NOT_LOOKED,
        since=since(status.conditions),
        stable=status.stable_revision or "",
        target=status.target_revision or "",
        weight=progress.weight if progress else None,
        step=progress.step + 1 if progress else None,
        steps=progress.steps if progress else None,
        ready=sum(each.ready_replicas for each in status.revisions),
        wanted=_wanted(workload),
        model=(model and model.version) or "",
        challenger=(model and model.challenger) or "",
        model_note=(model and model.message) or "",
        confidence_percent=scaling.confidence_percent if scaling else None,
    )


def detail(source: Source, ref: Ref, workload: Workload) -> views.WorkloadDetail:
    """Return everything that is known of a Workload."""
    status = workload.status
    images = _images(source.store.related(ref))
    progressing = conditions.find(status.conditions, "Progressing")
    return views.WorkloadDetail(
        summary=summary(workload),
        explanation=explain(progressing.reason if progressing else ""),
        rollout=workload.spec.rollout,
        progress=status.progress,
        waiting=source.waiting(ref),
        revisions=tuple(
            views.RevisionView(
                name=each.name,
                role=role_of(workload, each),
                images=images.get(each.name, ()),
                weight=each.weight,
                replicas=each.replicas,
                ready=each.ready_replicas,
                created_at=each.created_at,
            )
            for each in status.revisions
        ),
        failures=tuple(
            views.Failure(
                failed=each,
                explanation=explain(each.reason),
                images=images.get(each.revision, ()),
                is_target=_is_given_up(workload, each),
            )
            for each in reversed(status.failed_revisions)
        ),
        conditions=status.conditions,
        scaling=status.scaling,
        decisions=source.decisions(ref),
    )


def role_of(workload: Workload, revision: WorkloadRevision) -> views.Role:
    """Return what a revision is to the rollout."""
    status = workload.status
    if revision.name == status.stable_revision:
        return "stable"
    if any(
        each.revision == revision.name and _is_given_up(workload, each)
        for each in status.failed_revisions
    ):
        return "failed"
    if revision.name == status.target_revision:
        return "target"
    return "drains" if revision.weight or revision.replicas else "kept"


def _is_given_up(workload: Workload, failed: WorkloadFailedRevision) -> bool:
    """Tell whether the template asks for a revision that has failed and is not tried again."""
    status = workload.status
    return status.progress is None and failed.revision == status.target_revision


def _wanted(workload: Workload) -> int:
    scaling = workload.status.scaling
    return scaling.replicas if scaling and scaling.replicas else workload.spec.replicas


def _images(related: tuple[JsonObject, ...]) -> Mapping[str, tuple[str, ...]]:
    """Return the images of each revision whose Deployment exists."""
    return {
        text_at(each, "metadata", "labels", REVISION): tuple(
            text_at(container, "image")
            for container in objects_at(each, "spec", "template", "spec", "containers")
        )
        for each in related
        if each["kind"] == "Deployment"
    }
