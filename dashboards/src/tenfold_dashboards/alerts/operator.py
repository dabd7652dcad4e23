"""The operator itself, and the detectors that it runs."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards.alerts.words import DURATION, PERCENT, ROUGHLY, VALUE, place
from tenfold_dashboards.promql import quantile, rate
from tenfold_dashboards.rules import Alert, Group, Severity

_BOARD = "tenfold-operator"
_DETECTOR = place("detector")
_LOOKS = rate(f"{m.RECONCILE_SECONDS}_count", window="5m")
_OPERATOR_UP = f'sum({m.UP}{{job="{m.JOB_PODS}",app="{m.APP_OPERATOR}"}})'
_SEES = f'{m.DETECTOR_CONDITION}{{condition="Ready"}}'

GROUP = Group(
    name="operator-alerts",
    rules=(
        Alert(
            alert="OperatorAbsent",
            expr=f"({_OPERATOR_UP} or vector(0)) == 0",
            hold="2m",
            severity=Severity.WARNING,
            summary=f"{VALUE} operators answer Prometheus",
            description="Services go on as they are: nothing rolls out, scales or moves a primary"
            " Service. Look at the pod in tenfold-system.",
            board=_BOARD,
        ),
        Alert(
            alert="OperatorNotReconciling",
            # Every tier is looked at every five seconds, so there is always something to do.
            expr=f"{_LOOKS} == 0 and {_OPERATOR_UP} > 0 and count({m.TIER_CONDITION}) > 0",
            hold="5m",
            severity=Severity.CRITICAL,
            summary=f"The operator has looked at {VALUE} resources a second for 5 minutes",
            description="It answers Prometheus and does nothing else. Nothing rolls out, scales"
            " or moves a primary Service.",
            board=_BOARD,
        ),
        Alert(
            alert="OperatorFailing",
            expr=f"{m.RECONCILE_ERROR_RATIO} > 0.1",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"{PERCENT} of the operator's looks at {{{{ $labels.kind }}}} resources fail",
            description="Its logs say why, and so do the events of the resources.",
            labels="kind",
            board=_BOARD,
        ),
        Alert(
            alert="OperatorSlow",
            # The target: an event is acted on within 2 s at the 99th percentile.
            expr=f"{quantile(0.99, m.QUEUE_SECONDS, window='5m')} > 2",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"One in a hundred events waits {DURATION} for the operator",
            description="It has too much to do, too few cores, or an API server that is slow.",
            board=_BOARD,
        ),
        Alert(
            alert="ScalingFailing",
            expr=f"{rate(m.SCALING_ERRORS, window='5m')} > 0",
            hold="1m",
            severity=Severity.WARNING,
            summary=f"{ROUGHLY} decisions a second about a number of pods fail by a bug",
            description="The numbers of pods hold meanwhile. The operator's log has the traceback.",
            board=_BOARD,
        ),
        Alert(
            alert="AnomalyFound",
            expr=f"max by ({m.PER_DETECTOR}) ({m.ANOMALY_SCORE})"
            f" and on ({m.PER_DETECTOR}) ({m.ANOMALY_VERDICT} == 1)"
            f" and on ({m.PER_DETECTOR}) ({_SEES} == 1)",
            hold="1m",
            severity=Severity.WARNING,
            summary=f"What {_DETECTOR} watches is unusual: its score is {ROUGHLY}",
            description="A score above 1 raises suspicion and proves nothing. `kubectl describe"
            " anomalydetector` has the reasons.",
            labels=m.PER_DETECTOR,
            board="tenfold-anomalies",
        ),
        Alert(
            alert="DetectorBlind",
            expr=f"max by ({m.PER_DETECTOR}) ({_SEES}) == 0"
            f" and on ({m.PER_DETECTOR}) {m.ANOMALY_VERDICT}",
            hold="30m",
            severity=Severity.WARNING,
            summary=f"Detector {_DETECTOR} has had no data to judge for half an hour",
            description="It holds its last verdict. The condition Ready says what is missing.",
            labels=m.PER_DETECTOR,
            board="tenfold-anomalies",
        ),
    ),
)
