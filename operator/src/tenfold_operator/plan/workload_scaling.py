"""What scaling means for a Workload: its number of pods, an event for each change, a condition."""

from collections.abc import Iterator

from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import WorkloadView
from tenfold_operator.plan.actions import Action, Announce, Refuse, Scale
from tenfold_operator.plan.conditions import Verdict

_REFUSALS = ("InDoubt", "NoData", "ScaleInPaused", "ScaleOutPaused")
"""What holds the number against what is wanted; windows and limits only take their time."""


def scaling_actions(view: WorkloadView) -> Iterator[Action]:
    """The decided number in spec.replicas, where everybody looks for it, and why in an event."""
    before, scaling = view.workload.spec.replicas, view.scaling
    if scaling is None:
        return
    known = view.workload.status.scaling
    if scaling.held in _REFUSALS and (known is None or known.held != scaling.held):
        yield Refuse(
            reason=scaling.held,
            message=scaling.message or "",
            confidence_percent=scaling.confidence_percent,
        )
    if view.total == before:
        return
    meta = view.workload.metadata
    why = "; ".join((scaling.message or "", *scaling.reasons))
    yield Scale(
        ref=Ref("Workload", meta.namespace, meta.name),
        replicas=view.total,
        why=why,
        confidence_percent=scaling.confidence_percent,
    )
    reason = "ScaledOut" if view.total > before else "ScaledIn"
    yield Announce(type="Normal", reason=reason, message=f"from {before} to {why}")


def scaling_verdicts(view: WorkloadView) -> Iterator[Verdict]:
    """The condition of a Workload that is scaled."""
    spec, scaling = view.workload.spec.scaling, view.scaling
    if spec is None or scaling is None:
        return
    message = scaling.message or ""
    if spec.mode == "Preview":
        yield Verdict("ScalingActive", "False", "Preview", f"only reported: {message}")
    elif scaling.reactive_replicas is None:
        reason = "NoCapacity" if scaling.capacity_requests_per_minute is None else "NoData"
        yield Verdict("ScalingActive", "False", reason, message)
    else:
        reason = "LoadOnly" if scaling.predicted_replicas is None else "LoadAndForecast"
        yield Verdict("ScalingActive", "True", reason, message)


def needed_now(view: WorkloadView) -> int:
    """Return how many pods the present load takes; all of them where that is not known.

    Pods that are started ahead of the load are not missing yet.
    """
    spec, scaling = view.workload.spec.scaling, view.scaling
    if spec is None or scaling is None or scaling.reactive_replicas is None:
        return view.total
    return min(view.total, max(spec.min_replicas, scaling.reactive_replicas))
