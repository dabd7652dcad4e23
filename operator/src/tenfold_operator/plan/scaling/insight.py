"""What is known of a Workload's scaling, as numbers to plot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tenfold_operator.forecast.drift import Drift
from tenfold_operator.forecast.registry import Record
from tenfold_operator.forecast.types import FAMILIES, Forecast
from tenfold_operator.plan.scaling.decide import Decision, Observed


@dataclass(frozen=True, kw_only=True)
class Skill:
    """How good the champion has been lately.

    Attributes:
        error_ratios: Mean absolute error over load at the horizon, by model: the families, the
            ensemble and repeating the last value. A family without an answer is left out.
        drift: Whether it still fits what comes.
    """

    error_ratios: Mapping[str, float]
    drift: Drift


@dataclass(frozen=True, kw_only=True)
class Insight:
    """One decision and what it came from.

    Attributes:
        observed: What it depended on.
        decision: The decision.
        forecast: The forecast as far as the horizon; None where there is none.
        records: The models by role, champion and challenger.
        skill: Of the champion; None where there is none.
    """

    observed: Observed
    decision: Decision
    forecast: Forecast | None = None
    records: Mapping[str, Record] = field(default_factory=dict)
    skill: Skill | None = None


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """One number.

    Attributes:
        name: Of the metric.
        value: In its unit.
        labels: Beside namespace and workload.
    """

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


DOCUMENTATION: Mapping[str, str] = {
    "tenfold_scaling_replicas": "Pods decided on.",
    "tenfold_scaling_wanted_replicas": "Pods asked for before windows, limits, pauses and doubts.",
    "tenfold_scaling_reactive_replicas": "Pods that the present load asks for.",
    "tenfold_scaling_predicted_replicas": "Pods that the forecast asks for.",
    "tenfold_scaling_load": "The present load in requests a second.",
    "tenfold_scaling_pod_capacity": "Requests a second that a pod is taken to serve.",
    "tenfold_scaling_horizon_seconds": "How far ahead is looked.",
    "tenfold_scaling_held": "1 for the reason that holds the number.",
    "tenfold_forecast_expected": "Requests a second expected at the horizon.",
    "tenfold_forecast_lower": "Lower end of the 90% band around it.",
    "tenfold_forecast_upper": "Upper end of the 90% band around it.",
    "tenfold_forecast_confidence": "How far the forecast is to be trusted, from 0 to 1.",
    "tenfold_forecast_weight": "Share of a model family in the forecast.",
    "tenfold_forecast_error_ratio": "Recent mean absolute error over load, by model.",
    "tenfold_forecast_drift_error_ratio": "Recent errors over those at the fit.",
    "tenfold_forecast_drift_population_shift": "Population stability index of the load.",
    "tenfold_forecast_model_info": "1 for each model version and its role.",
    "tenfold_forecast_model_trained_timestamp_seconds": "When the champion was fitted.",
}
"""What each metric is, by its name."""


def gauges(insight: Insight) -> Iterator[Gauge]:
    """Yield the numbers that are known."""
    decision, observed = insight.decision, insight.observed
    known = {
        "replicas": decision.replicas,
        "wanted_replicas": decision.wanted,
        "reactive_replicas": decision.reactive,
        "predicted_replicas": decision.predicted,
        "load": observed.load.level,
        "pod_capacity": observed.capacity.per_second if observed.capacity else None,
        "horizon_seconds": decision.horizon_seconds,
    }
    for name, value in known.items():
        if value is not None:
            yield Gauge(name=f"tenfold_scaling_{name}", value=float(value))
    if decision.held:
        yield Gauge(name="tenfold_scaling_held", value=1.0, labels={"reason": decision.held})
    if insight.forecast:
        yield from _of_forecast(insight.forecast)
    if insight.skill:
        yield from _of_skill(insight.skill)
    for role, record in insight.records.items():
        labels = {"version": record.version, "role": role}
        yield Gauge(name="tenfold_forecast_model_info", value=1.0, labels=labels)
        if role == "champion":
            trained = record.created.timestamp()
            name = "tenfold_forecast_model_trained_timestamp_seconds"
            yield Gauge(name=name, value=trained)


def _of_forecast(forecast: Forecast) -> Iterator[Gauge]:
    last = {
        "expected": forecast.mean[-1],
        "lower": forecast.quantiles[0.05][-1],
        "upper": forecast.quantiles[0.95][-1],
        "confidence": forecast.confidence,
    }
    for name, value in last.items():
        yield Gauge(name=f"tenfold_forecast_{name}", value=float(value))
    for family in FAMILIES:
        if family in forecast.weights:
            value = forecast.weights[family]
            labels = {"model": family}
            yield Gauge(name="tenfold_forecast_weight", value=value, labels=labels)


def _of_skill(skill: Skill) -> Iterator[Gauge]:
    for model, ratio in skill.error_ratios.items():
        yield Gauge(name="tenfold_forecast_error_ratio", value=ratio, labels={"model": model})
    drift = "tenfold_forecast_drift"
    yield Gauge(name=f"{drift}_error_ratio", value=skill.drift.error_ratio)
    yield Gauge(name=f"{drift}_population_shift", value=skill.drift.population_shift)
