"""make bench-autoscale: pod-hours at equal violation on real traces, beside other autoscalers.

docs/scaling.md says what is simulated and what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.benchmarks import autoscale_forecasts as forecasts
from tests.benchmarks import autoscale_plot as plot
from tests.benchmarks import autoscale_policies as policies
from tests.benchmarks import autoscale_traces as judged
from tests.benchmarks import report, traces
from tests.benchmarks.autoscale_score import Counts, Point, cost_at, score, ticks_of
from tests.benchmarks.autoscale_traces import Trace

STARTS = (10, 60, 300)
DAYS = 5.0
LEVELS = {"1pct": 0.01, "0_1pct": 0.001}

Curves = dict[str, tuple[Point, ...]]
Figures = Mapping[str, float | None]


def curves(trace: Trace, start: int, made: forecasts.Forecasts) -> Curves:
    """Run every policy over its sweep."""
    pods = {
        "hpa": policies.hpa(trace),
        "keda": policies.keda(trace),
        "seasonal_naive": policies.seasonal_naive(trace, start),
        "tenfold": policies.tenfold(trace, made, start),
        "oracle": policies.oracle(trace, start),
        "oracle_without_window": policies.oracle(trace, start, window=False),
    }
    return {name: _curve(name, counts, trace, start) for name, counts in pods.items()}


def _curve(name: str, counts: Counts, trace: Trace, start: int) -> tuple[Point, ...]:
    settings = (
        [float(quantile) for _, quantile in policies.SWEEP]
        if name == "tenfold"
        else policies.TARGETS
    )
    demand, least = trace.demand, trace.least_pod_hours
    return tuple(
        score(setting, counts[:, column], demand, ticks_of(start), least)
        for column, setting in enumerate(settings)
    )


def compared(found: Curves, violation: float, oracle: str = "oracle") -> Figures:
    """Compare Tenfold with the HPA and the oracle at a share of violating minutes.

    Where the HPA does not get down to it at any target, all are compared at the least that it
    does get down to.
    """
    level = max(violation, min(each.violation_ratio for each in found["hpa"]))
    hpa, ours, best = (cost_at(found[name], level) for name in ("hpa", "tenfold", oracle))
    gap: float | None = None
    if hpa is not None and best is not None and hpa > best:
        # Where Tenfold does not get down to the violation, nothing is closed.
        gap = 0.0 if ours is None else (hpa - ours) / (hpa - best)
    return {
        "violation_ratio": level,
        "gap_closed": gap,
        "ratio_to_hpa": None if hpa is None or ours is None else ours / hpa,
    }


def summary(all_curves: Mapping[str, Mapping[int, Curves]]) -> Figures:
    """The figures over all traces."""
    figures: dict[str, float | None] = {}
    for start in STARTS:
        for key, violation in LEVELS.items():
            for oracle in ("oracle", "oracle_without_window"):
                found = [
                    compared(each[start], violation, oracle)["gap_closed"]
                    for each in all_curves.values()
                ]
                # There is no gap where the HPA needs no more than the oracle.
                gaps = [each for each in found if each is not None]
                name = f"gap_closed_median_{start}s"
                name += "" if key == "1pct" else f"_at_{key}"
                name += "" if oracle == "oracle" else "_to_oracle_without_window"
                figures[name] = median(gaps) if gaps else None
    ratios = [
        compared(each[start], LEVELS["1pct"])["ratio_to_hpa"]
        for each in all_curves.values()
        for start in STARTS
    ]
    known = [each for each in ratios if each is not None]
    figures["worst_ratio_to_hpa"] = max(known) if len(known) == len(ratios) else None
    return figures


def as_json(found: Curves) -> Mapping[str, report.Figure]:
    """One trace at one pod start, as autoscale.json has it."""
    policies_of = {
        name: {
            **{f"pod_hours_ratio_at_{key}": cost_at(curve, at) for key, at in LEVELS.items()},
            "curve": {f"{each.setting:g}": _point(each) for each in curve},
        }
        for name, curve in found.items()
    }
    at = {f"compared_at_{key}": compared(found, level) for key, level in LEVELS.items()}
    return {**policies_of, **at}


def _point(each: Point) -> Mapping[str, float]:
    return {
        "pod_hours_ratio": each.pod_hours_ratio,
        "violation_ratio": each.violation_ratio,
        "under_served_ratio": each.under_served_ratio,
        "changes_per_hour": each.changes_per_hour,
    }


def table(all_curves: Mapping[str, Mapping[int, Curves]]) -> Table:
    """Pod-hours over the least, at 1% of minutes violated."""
    names = ("hpa", "keda", "seasonal_naive", "tenfold", "oracle", "oracle_without_window")
    columns = ("trace", "start", *names, "at violation", "gap closed", "of HPA")
    result = Table(*columns, title="pod-hours ratio at equal violation", title_justify="left")
    for trace, by_start in all_curves.items():
        for start, found in by_start.items():
            figures = compared(found, LEVELS["1pct"])
            level = figures["violation_ratio"] or 0.0
            costs = [_text(cost_at(found[name], level)) for name in names]
            last = [f"{level:.2%}", _text(figures["gap_closed"]), _text(figures["ratio_to_hpa"])]
            result.add_row(trace, f"{start} s", *costs, *last)
    return result


def _text(value: float | None) -> str:
    return "not reached" if value is None else f"{value:.3f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.autoscale", description=__doc__
    )
    parser.add_argument(
        "--days", type=float, default=DAYS, help="days of each trace that are judged at most (5)"
    )
    parser.add_argument(
        "--trace", action="append", default=[], help="only traces with this in the name"
    )
    parser.add_argument(
        "--on-training",
        action="store_true",
        help="judge the last quarter of the training part, for choosing parameters; writes nothing",
    )
    options = parser.parse_args(arguments)
    chosen = [
        name
        for name in traces.names()
        if not options.trace or any(part in name for part in options.trace)
    ]
    if not chosen:
        parser.error(f"no trace of {traces.folder()} has {options.trace} in its name")
    console = Console(width=200)
    all_curves: dict[str, dict[int, Curves]] = {}
    begun = time.monotonic()
    for name in chosen:
        trace = judged.load(name, options.days, on_training=options.on_training)
        made = forecasts.of(trace)
        all_curves[trace.name] = {start: curves(trace, start, made) for start in STARTS}
        console.print(table({trace.name: all_curves[trace.name]}))
        console.print(f"{len(all_curves)} of {len(chosen)}, {time.monotonic() - begun:.0f} s")
    figures = summary(all_curves)
    if options.on_training:
        console.print_json(json.dumps(dict(figures)))
        return
    details: dict[str, report.Figure] = {
        "per_trace": {
            name: {str(start): as_json(found) for start, found in by_start.items()}
            for name, by_start in all_curves.items()
        },
        "judged_days_most": options.days,
        "seed": 0.0,
    }
    report.write("autoscale", {**figures, **details})
    for name, by_start in all_curves.items():
        plot.draw(name, by_start)


if __name__ == "__main__":
    main()
