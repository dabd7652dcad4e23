"""AnomalyDetectors in one line and in full."""

from tenfold_operator.console import views
from tenfold_operator.console.reasons import explain
from tenfold_operator.console.source import NOT_LOOKED, Source, since, state_of
from tenfold_operator.model.generated import AnomalyDetector
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan import conditions

_PASSING = ("Training", "WarmingUp")


def summary(detector: AnomalyDetector) -> views.DetectorSummary:
    """Return an AnomalyDetector in one line."""
    meta, status = detector.metadata, detector.status
    ready = conditions.find(status.conditions, "Ready")
    anomalous = conditions.find(status.conditions, "Anomalous")
    is_anomalous = status.verdict == "Anomalous"
    told = anomalous if is_anomalous and anomalous else ready
    return views.DetectorSummary(
        kind="AnomalyDetector",
        namespace=meta.namespace,
        name=meta.name,
        state="bad" if is_anomalous else state_of(ready, _PASSING),
        reason=told.reason if told else "",
        headline=told.message if told else NOT_LOOKED,
        since=since(status.conditions, "Anomalous" if is_anomalous else "Ready"),
        verdict=status.verdict or "Unknown",
        score=status.score,
        model=status.model.version if status.model else "",
    )


def detail(source: Source, ref: Ref, detector: AnomalyDetector) -> views.DetectorDetail:
    """Return everything that is known of an AnomalyDetector."""
    ready = conditions.find(detector.status.conditions, "Ready")
    return views.DetectorDetail(
        summary=summary(detector),
        explanation=explain(ready.reason if ready else ""),
        spec=detector.spec,
        status=detector.status,
        waiting=source.waiting(ref),
        decisions=source.decisions(ref),
    )
