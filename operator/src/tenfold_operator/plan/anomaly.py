"""What to say of an AnomalyDetector: score, band and verdict as status, conditions and events."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from tenfold_operator.anomaly.detector import Judged
from tenfold_operator.model.generated import (
    AnomalyDetector,
    AnomalyDetectorBand,
    AnomalyDetectorModel,
    AnomalyDetectorStatus,
    AnomalyDetectorWarmUp,
    Condition,
)
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan import conditions
from tenfold_operator.plan.actions import Action, Plan, SetStatus, Wait
from tenfold_operator.plan.anomaly_rows import Trouble
from tenfold_operator.plan.conditions import Verdict

_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class DetectorView:
    """Everything that a plan for an AnomalyDetector depends on."""

    detector: AnomalyDetector
    judged: Judged | None
    """What is said of the newest row that could be judged; None before the first training."""
    row_time: datetime | None
    """Its time."""
    model: AnomalyDetectorModel | None
    trouble: Trouble | None
    """Why the newest row cannot be judged."""
    next_row: datetime


def plan_detector(view: DetectorView, now: datetime) -> Plan:
    """Return the status where it changed, events of its transitions, and when to look again."""
    return (
        *_status_actions(view, now),
        Wait(reason="the next row is read then", until=view.next_row),
    )


def _status_actions(view: DetectorView, now: datetime) -> Iterator[Action]:
    detector, before = view.detector, view.detector.status
    status = _status(view, now)
    if status.to_json() == before.to_json():
        return
    meta = detector.metadata
    ref = Ref("AnomalyDetector", meta.namespace, meta.name)
    yield SetStatus(ref=ref, status=status.to_json())
    ready, anomalous = status.conditions
    yield from conditions.transitions(before.conditions, [ready])
    for event in conditions.transitions(before.conditions, [anomalous]):
        # Here True is what a person has to hear of.
        yield replace(event, type="Warning" if anomalous.status == "True" else "Normal")


def _status(view: DetectorView, now: datetime) -> AnomalyDetectorStatus:
    before, generation = view.detector.status, view.detector.metadata.generation
    verdicts = (_ready(view), _anomalous(view))
    held = AnomalyDetectorStatus(
        observed_generation=generation,
        verdict=before.verdict or "Unknown",
        score=before.score,
        band=before.band,
        reasons=before.reasons,
        row_time=before.row_time,
        warm_up=before.warm_up,
        model=view.model or before.model,
        message="; ".join(dict.fromkeys(each.message for each in verdicts)),
        conditions=conditions.update(before.conditions, verdicts, generation, now),
    )
    return held if view.judged is None else _told(held, view.judged, view)


def _told(held: AnomalyDetectorStatus, judged: Judged, view: DetectorView) -> AnomalyDetectorStatus:
    """The status with what is said of the newest row that could be judged."""
    verdict = "Anomalous" if judged.is_anomalous else "Normal"
    band = AnomalyDetectorBand(
        expected=_rounded(judged.band.expected),
        lower=_rounded(judged.band.lower),
        upper=_rounded(judged.band.upper),
    )
    return held.model_copy(
        update={
            "verdict": verdict if judged.is_warm else "Unknown",
            "score": _rounded(judged.score) if judged.is_warm else None,
            "band": band,
            "reasons": judged.reasons if judged.is_warm else (),
            "row_time": view.row_time,
            "warm_up": AnomalyDetectorWarmUp(rows=judged.rows, needed=judged.needed),
        }
    )


def _ready(view: DetectorView) -> Verdict:
    if view.trouble:
        return Verdict("Ready", "False", view.trouble.reason, view.trouble.message)
    if view.judged is None:
        return Verdict("Ready", "False", "Training", "the model is being fitted")
    if not view.judged.is_warm:
        message = f"{view.judged.rows} of {view.judged.needed} rows are measured"
        return Verdict("Ready", "False", "WarmingUp", message)
    return Verdict("Ready", "True", "Scoring", "rows are read and scored")


def _anomalous(view: DetectorView) -> Verdict:
    known = conditions.find(view.detector.status.conditions, "Anomalous")
    judged, persistence = view.judged, view.detector.spec.persistence
    if view.trouble or judged is None:
        return _held(known)
    if not judged.is_warm:
        return Verdict(
            "Anomalous", "Unknown", "WarmingUp", "there is no verdict before the warm-up is over"
        )
    counted = f"{judged.count} of the last {persistence.of} rows score above 1"
    if judged.is_anomalous:
        why = "; ".join((counted, *judged.reasons))
        return Verdict("Anomalous", "True", "Persistent", why)
    return Verdict("Anomalous", "False", "Normal", f"{counted}, {persistence.wanted} are wanted")


def _held(known: Condition | None) -> Verdict:
    """The last verdict: no data is neither normal nor anomalous."""
    if known is None or known.status == "Unknown":
        return Verdict("Anomalous", "Unknown", "NoVerdict", "there is no verdict yet")
    words = "Anomalous" if known.status == "True" else "Normal"
    since = known.last_transition_time.isoformat(timespec="seconds")
    message = f"the last verdict, {words} since {since}, is held"
    return Verdict("Anomalous", known.status, "Held", message)


def _rounded(value: float) -> float:
    """Six digits: a status is read by people, and written when it changes."""
    return float(f"{value:.{_DIGITS}g}")
