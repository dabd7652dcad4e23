"""Workloads: rollouts, scaling, forecasts."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards.alerts.words import PERCENT, VALUE, place
from tenfold_dashboards.rules import Alert, Group, Severity

_BOARD = "tenfold-workload"
_WORKLOAD = place("workload")
_READY_PODS = f"sum by ({m.PER_WORKLOAD}) ({m.REVISION_READY})"


def _where(condition: str) -> str:
    """Return the pods ready of Workloads whose condition is False."""
    state = f'{m.WORKLOAD_CONDITION}{{condition="{condition}"}} == 0'
    none = f"0 * max by ({m.PER_WORKLOAD}) ({state})"
    return f"({_READY_PODS} and on ({m.PER_WORKLOAD}) ({state})) or on ({m.PER_WORKLOAD}) {none}"


GROUP = Group(
    name="workload-alerts",
    rules=(
        Alert(
            alert="WorkloadNotReady",
            expr=_where("Ready"),
            hold="10m",
            severity=Severity.WARNING,
            summary=f"Workload {_WORKLOAD} is not ready; {VALUE} of its pods are",
            description="`kubectl describe workload` says what it waits for.",
            labels=m.PER_WORKLOAD,
            board=_BOARD,
        ),
        Alert(
            alert="RolloutFailed",
            expr=_where("Progressing"),
            hold="1m",
            severity=Severity.WARNING,
            summary=f"The rollout of {_WORKLOAD} was given up; {VALUE} pods serve",
            description="The stable revision serves. `kubectl tenfold history` says why.",
            labels=m.PER_WORKLOAD,
            board=_BOARD,
        ),
        Alert(
            alert="RolloutStuck",
            expr=f"count by ({m.PER_WORKLOAD}) ({m.REVISION_WEIGHT} > 0) > 1",
            hold="2h",
            severity=Severity.WARNING,
            summary=f"{VALUE} revisions of {_WORKLOAD} have shared the traffic for two hours",
            description="Something holds the rollout: `kubectl tenfold status` says what.",
            labels=m.PER_WORKLOAD,
            board=_BOARD,
        ),
        Alert(
            alert="ForecastSkillLost",
            # Repeating the last value costs nothing: a model that errs more is no use.
            expr=f'{m.FORECAST_ERROR_RATIO}{{model="ensemble"}}'
            f' > ignoring (model) {m.FORECAST_ERROR_RATIO}{{model="last_value"}}',
            hold="1h",
            severity=Severity.WARNING,
            summary=f"The forecast of {_WORKLOAD} errs by {PERCENT} of the load,"
            " more than repeating the last value would",
            description="Scaling falls back to the present load as confidence falls.",
            labels=m.PER_WORKLOAD,
            board="tenfold-models",
        ),
        Alert(
            alert="ScalingHeld",
            # Limits that somebody asked for hold it too, and are no trouble.
            expr=f"max by ({m.PER_WORKLOAD}, reason)"
            f' ({m.SCALING_HELD}{{reason=~"NoData|InDoubt"}}) == 1',
            hold="10m",
            severity=Severity.WARNING,
            summary=f"The number of pods of {_WORKLOAD} is held: {{{{ $labels.reason }}}}",
            description="Without data it neither grows nor shrinks, but for its floors."
            " `kubectl describe workload` has the reasons.",
            labels=f"{m.PER_WORKLOAD}, reason",
            board=_BOARD,
        ),
    ),
)
