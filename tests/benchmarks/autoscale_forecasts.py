"""The ensemble's forecasts along the judged part of a trace, kept between runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from tenfold_operator import forecast
from tenfold_operator.forecast import training
from tenfold_operator.forecast.types import LEVELS, Forecast

from tests.benchmarks import report
from tests.benchmarks.autoscale_traces import Floats, Trace

LONGEST_SECONDS = 330
"""The longest pod start and control intervals; steps up to there are forecast."""


@dataclass(frozen=True, kw_only=True)
class Forecasts:
    """Forecasts of a trace; number 0 knows the training part, each next one step more.

    Attributes:
        mean: Shape (judged steps + 1, horizon).
        quantiles: Shape (judged steps + 1, levels, horizon).
        confidence: Shape (judged steps + 1,).
        first_origin: End of the training part.
        step_seconds: Length of a step.
    """

    mean: Floats
    quantiles: Floats
    confidence: Floats
    first_origin: datetime
    step_seconds: int

    def origin(self, number: int) -> datetime:
        return self.first_origin + timedelta(seconds=number * self.step_seconds)

    def forecast(self, number: int) -> Forecast:
        return Forecast(
            step_seconds=self.step_seconds,
            mean=self.mean[number],
            quantiles=dict(zip(LEVELS, self.quantiles[number], strict=True)),
            confidence=float(self.confidence[number]),
            reasons=(),
        )


def of(trace: Trace) -> Forecasts:
    """Return the forecasts of a trace, fitted to its training part only, then updated by steps."""
    path = report.OUT / "autoscale-forecasts" / f"{trace.name}-{_key(trace)}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _compute(trace, path)
    stored = np.load(path)
    return Forecasts(
        mean=stored["mean"],
        quantiles=stored["quantiles"],
        confidence=stored["confidence"],
        first_origin=trace.start + timedelta(seconds=trace.split * trace.step_seconds),
        step_seconds=trace.step_seconds,
    )


def _compute(trace: Trace, path: Path) -> None:
    horizon = LONGEST_SECONDS // trace.step_seconds + 1
    ensemble = training.fit(trace.values[: trace.split], float(trace.step_seconds), trace.start)
    made = [ensemble.predict(horizon)]
    for value in trace.values[trace.split : trace.end]:
        ensemble.update(float(value))
        made.append(ensemble.predict(horizon))
    np.savez_compressed(
        path,
        mean=np.stack([each.mean for each in made]),
        quantiles=np.stack([np.stack([each.quantiles[q] for q in LEVELS]) for each in made]),
        confidence=np.array([each.confidence for each in made]),
    )


def _key(trace: Trace) -> str:
    """A digest of all that the forecasts depend on: the values and the forecasting code."""
    digest = hashlib.sha256(trace.values.tobytes())
    digest.update(f"{trace.split} {trace.end} {trace.start} {LONGEST_SECONDS}".encode())
    for source in sorted(Path(forecast.__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
