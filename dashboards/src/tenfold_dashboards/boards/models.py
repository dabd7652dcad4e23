"""Models: how good the forecasts are, who is champion, and whether the load has changed."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards import promql
from tenfold_dashboards.boards import variables
from tenfold_dashboards.panels import (
    NAMESPACE,
    WINDOW,
    Board,
    Limit,
    Look,
    Panel,
    Query,
    Row,
    units,
)

_THIS = f'{NAMESPACE},workload=~"$workload"'


def skill() -> Panel:
    """How much better than nothing."""
    ensemble = f'{m.FORECAST_ERROR_RATIO}{{model="ensemble",{_THIS}}}'
    last = f'{m.FORECAST_ERROR_RATIO}{{model="last_value",{_THIS}}}'
    return Panel(
        title="Skill",
        description="How much of the error of repeating the last value the forecast saves. At 0"
        " it saves nothing, and below it does harm.",
        unit=units.PercentUnit,
        queries=(Query(f"1 - {ensemble} / ignoring (model) {last}", "{{workload}}"),),
        limit=Limit(0, is_goal=True),
    )


def errors() -> Panel:
    """How far off each family is."""
    return Panel(
        title="Errors",
        description="Mean absolute error over the mean load: of the ensemble, of each model"
        " family, and of repeating the last value.",
        unit=units.PercentUnit,
        queries=(Query(f"{m.FORECAST_ERROR_RATIO}{{{_THIS}}}", "{{workload}} {{model}}"),),
    )


def shares() -> Panel:
    """Who has which say."""
    return Panel(
        title="Say of each family",
        description="Weights in the ensemble. They follow the recent errors.",
        unit=units.PercentUnit,
        queries=(Query(f"{m.FORECAST_WEIGHT}{{{_THIS}}}", "{{workload}} {{model}}"),),
    )


def versions() -> Panel:
    """Champion and challenger."""
    return Panel(
        title="Champion and challenger",
        description="Versions that forecast. A challenger runs beside the champion on the same"
        " steps and replaces it where it is surely better.",
        unit=units.NoUnit,
        queries=(
            Query(f"{m.FORECAST_MODEL_INFO}{{{_THIS}}}", "{{workload}} {{role}} {{version}}"),
        ),
        look=Look.STATES,
        width=16,
    )


def age() -> Panel:
    """How old the champion is."""
    return Panel(
        title="Age of the champion",
        description="Time since the model that forecasts was fitted.",
        unit=units.Seconds,
        queries=(Query(f"time() - {m.FORECAST_MODEL_TRAINED}{{{_THIS}}}", "{{workload}}"),),
        look=Look.NUMBER,
    )


def drift_of_errors() -> Panel:
    """Whether errors have grown."""
    return Panel(
        title="Drift of the errors",
        description="Errors of the last day over those at the fit. Above the line a new fit is"
        " called for.",
        unit=units.Short,
        queries=(Query(f"{m.FORECAST_DRIFT_ERRORS}{{{_THIS}}}", "{{workload}}"),),
        limit=Limit(1.5),
    )


def drift_of_load() -> Panel:
    """Whether the load has changed."""
    return Panel(
        title="Drift of the load",
        description="Population stability index of the load less its season. Above the line a"
        " new fit is called for.",
        unit=units.Short,
        queries=(Query(f"{m.FORECAST_DRIFT_POPULATION}{{{_THIS}}}", "{{workload}}"),),
        limit=Limit(0.25),
    )


def trainings() -> Panel:
    """Fits and how they ended."""
    return Panel(
        title="Trainings",
        description="Fits since the operator started, by how they ended.",
        unit=units.Short,
        queries=(
            Query(
                f"sum by (result) ({m.FORECAST_TRAININGS})",
                "{{result}}",
            ),
            Query(
                f"sum by (result) ({m.TRAINING_JOBS})",
                "{{result}}, by a Job",
            ),
        ),
        look=Look.NUMBER,
        width=12,
    )


def training_time() -> Panel:
    """How long a fit takes."""
    return Panel(
        title="Time of a training",
        description="95th percentile of the time of a fit, and of the Job where it has one.",
        unit=units.Seconds,
        queries=(
            Query(
                promql.quantile(0.95, m.FORECAST_TRAINING_SECONDS, window=WINDOW),
                "95th percentile",
            ),
            Query(
                promql.quantile(0.95, m.TRAINING_JOB_SECONDS, window=WINDOW),
                "as a Kubernetes Job",
            ),
        ),
        width=12,
    )


BOARD = Board(
    uid="tenfold-models",
    title="Tenfold / Models",
    description="How good the forecasts are, who is champion, and whether the load has changed.",
    variables=(variables.NAMESPACE, variables.WORKLOAD),
    rows=(
        Row("Skill", (skill(), errors(), shares())),
        Row("Versions", (versions(), age())),
        Row("Drift", (drift_of_errors(), drift_of_load())),
        Row("Training", (trainings(), training_time())),
    ),
)
