"""How good the forecasts are: rolling origin over real traces, beside what they compare to.

Each model is fitted once on the first 80% of a trace and then forecasts from every step of the
rest, knowing all before it.
"""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from tenfold_operator.forecast.training import fit
from tenfold_operator.forecast.types import LEVELS

from tests.benchmarks import report, traces
from tests.benchmarks.baselines import BASELINES, filled
from tests.benchmarks.traces import Trace

Floats = NDArray[np.float64]

_SHARE = 0.8
_SEED = 0
_POD_SECONDS = 300.0 + 60.0
_LOW, _HIGH = LEVELS.index(0.05), LEVELS.index(0.95)


@dataclass
class Timing:
    """Seconds of the ensemble's work, over all traces."""

    fit: float = 0.0
    samples: int = 0
    answers: list[float] = field(default_factory=list)
    answers_cpu: list[float] = field(default_factory=list)
    updates_cpu: float = 0.0
    updates: int = 0


@dataclass(frozen=True)
class Run:
    """The ensemble's forecasts: horizon to (n,) and (levels, n), at the steps they are for."""

    mean: dict[int, Floats]
    quantiles: dict[int, Floats]


def _run(trace: Trace, split: int, horizons: tuple[int, ...], every: int, timing: Timing) -> Run:
    count = len(trace.values)
    begun = time.process_time()
    ensemble = fit(trace.values[:split], trace.step_seconds, trace.start, seed=_SEED)
    timing.fit += time.process_time() - begun
    timing.samples += split
    mean = {h: np.full(count, np.nan) for h in horizons}
    quantiles = {h: np.full((len(LEVELS), count), np.nan) for h in horizons}
    for step in range(split, count):
        if (step - split) % every == 0:
            cpu, begun = time.process_time(), time.perf_counter()
            forecast = ensemble.predict(max(horizons))
            timing.answers.append(time.perf_counter() - begun)
            timing.answers_cpu.append(time.process_time() - cpu)
            for h in horizons:
                if step + h - 1 < count:
                    mean[h][step + h - 1] = forecast.mean[h - 1]
                    at = [forecast.quantiles[level][h - 1] for level in LEVELS]
                    quantiles[h][:, step + h - 1] = at
        cpu = time.process_time()
        ensemble.update(float(trace.values[step]))
        timing.updates_cpu += time.process_time() - cpu
        timing.updates += 1
    return Run(mean, quantiles)


def _wape(actual: Floats, forecast: Floats) -> float:
    return float(np.abs(actual - forecast).sum() / np.abs(actual).sum())


@dataclass(frozen=True)
class Horizon:
    """A trace's figures at one horizon; errors as shares of the load."""

    steps: int
    wape: float
    baselines: dict[str, float]
    mase: float
    pinball: float
    coverage_90: float

    @property
    def best(self) -> str:
        """The best baseline."""
        return min(self.baselines, key=lambda name: self.baselines[name])

    @property
    def ratio(self) -> float:
        """Our error over that of the best baseline."""
        return self.wape / self.baselines[self.best]


def _measure(trace: Trace, every: int, timing: Timing) -> dict[str, Horizon]:
    """Return a trace's figures one step, ten steps and a pod's start ahead."""
    split = int(_SHARE * len(trace.values))
    named = {"h1": 1, "h10": 10, "pod": math.ceil(_POD_SECONDS / trace.step_seconds)}
    horizons = tuple(sorted(set(named.values())))
    ours = _run(trace, split, horizons, every, timing)
    others = {name: model(trace, split, horizons) for name, model in BASELINES.items()}
    season = round(86_400 / trace.step_seconds)
    training = filled(trace.values[:split])
    usual = float(np.abs(training[season:] - training[:-season]).mean())
    levels = np.array(LEVELS)[:, None]
    figures = {}
    for key, steps in named.items():
        where = np.isfinite(trace.values) & np.isfinite(ours.mean[steps])
        truth, quantiles = trace.values[where], ours.quantiles[steps][:, where]
        off = truth - quantiles
        figures[key] = Horizon(
            steps=steps,
            wape=_wape(truth, ours.mean[steps][where]),
            baselines={name: _wape(truth, other[steps][where]) for name, other in others.items()},
            mase=float(np.abs(truth - ours.mean[steps][where]).mean() / usual),
            pinball=float(np.maximum(levels * off, (levels - 1) * off).mean() / truth.mean()),
            coverage_90=float(((off[_LOW] >= 0) & (off[_HIGH] <= 0)).mean()),
        )
    return figures


def _written(horizons: dict[str, Horizon]) -> dict[str, report.Figure]:
    """Return a trace's figures by the names that others read."""
    figures: dict[str, report.Figure] = {
        "best_baseline": horizons["h10"].best,
        "coverage_90": horizons["h10"].coverage_90,
        "pod_horizon_steps": float(horizons["pod"].steps),
    }
    for key, at in horizons.items():
        figures |= {
            f"wape_{key}": at.wape,
            f"wape_{key}_best_baseline": at.baselines[at.best],
            f"wape_{key}_baselines": dict(at.baselines),
            f"best_baseline_{key}": at.best,
            f"mase_{key}": at.mase,
            f"pinball_{key}": at.pinball,
            f"coverage_90_{key}": at.coverage_90,
        }
    return figures


def _table(per_trace: dict[str, dict[str, Horizon]]) -> Table:
    table = Table(title="WAPE %, and the band's coverage", title_justify="left")
    for column in ("trace", "h", "tenfold", *BASELINES, "to best", "covered", "MASE", "pinball %"):
        table.add_column(column, justify="left" if column == "trace" else "right")
    for name, horizons in per_trace.items():
        for key, at in horizons.items():
            table.add_row(
                name if key == "h1" else "",
                key if key != "pod" else f"pod {at.steps}",
                f"{100 * at.wape:.1f}",
                *(f"{100 * other:.1f}" for other in at.baselines.values()),
                f"{at.ratio:.3f}",
                f"{at.coverage_90:.3f}",
                f"{at.mase:.2f}",
                f"{100 * at.pinball:.1f}",
            )
    return table


def main(
    trace: Annotated[
        list[str] | None, typer.Option(help="Only this trace; may be given several times.")
    ] = None,
    every: Annotated[
        int, typer.Option(min=1, help="Forecast at every so many steps: a quick look.")
    ] = 1,
    development: Annotated[
        bool, typer.Option(help="Use the training part only, to choose parameters on.")
    ] = False,
) -> None:
    """Measure and write out/bench/forecast.json."""
    timing = Timing()
    per_trace = {}
    for name in trace or traces.names():
        whole = traces.load(name)
        part = whole.first(_SHARE) if development else whole
        per_trace[name] = _measure(part, every, timing)
        Console().print(_table({name: per_trace[name]}))
    ratios = {
        key: [horizons[key].ratio for horizons in per_trace.values()]
        for key in ("h1", "h10", "pod")
    }
    coverages = [horizons["h10"].coverage_90 for horizons in per_trace.values()]
    answer_cpu = statistics.mean(timing.answers_cpu)
    update_cpu = timing.updates_cpu / timing.updates
    figures: dict[str, report.Figure] = {
        "wape_h1_ratio_median": statistics.median(ratios["h1"]),
        "wape_h10_ratio_median": statistics.median(ratios["h10"]),
        "wape_h10_ratio_worst": max(ratios["h10"]),
        "wape_pod_ratio_median": statistics.median(ratios["pod"]),
        "coverage_90_least": min(coverages),
        "coverage_90_most": max(coverages),
        "answer_seconds_p50": statistics.median(timing.answers),
        "answer_seconds_p99": float(np.quantile(timing.answers, 0.99)),
        # The same without what other processes took of the core meanwhile.
        "answer_cpu_seconds_p99": float(np.quantile(timing.answers_cpu, 0.99)),
        "answers_per_minute": 60.0 / answer_cpu,
        # Each with the step before it, in which all horizons are answered.
        "steps_and_answers_per_minute": 60.0 / (update_cpu + answer_cpu),
        "update_seconds_mean": update_cpu,
        "fit_seconds_mean": timing.fit / len(per_trace),
        "samples_trained_per_hour": 3600.0 * timing.samples / timing.fit,
        "seed": float(_SEED),
    }
    Console().print(_table(per_trace))
    written = {name: _written(horizons) for name, horizons in per_trace.items()}
    print(report.write("forecast", {**figures, "per_trace": written}))


if __name__ == "__main__":
    typer.run(main)
