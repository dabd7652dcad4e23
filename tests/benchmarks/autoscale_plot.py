"""The curves as pictures: pod-hours against violating minutes."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.benchmarks import report
from tests.benchmarks.autoscale_score import Point

_LEAST = 1e-4
_COLOURS = {
    "hpa": "tab:red",
    "keda": "tab:orange",
    "seasonal_naive": "tab:purple",
    "tenfold": "tab:blue",
    "oracle": "tab:green",
    "oracle_without_window": "tab:olive",
}


def draw(trace: str, by_start: Mapping[int, Mapping[str, tuple[Point, ...]]]) -> None:
    """Write out/bench/autoscale-TRACE.png, a panel for each pod start."""
    mpl.use("agg")
    figure = Figure(figsize=(5 * len(by_start), 4.5), layout="constrained")
    panels = figure.subplots(1, len(by_start), sharey=True, squeeze=False)[0]
    for panel, (start, found) in zip(panels, by_start.items(), strict=True):
        for name, curve in found.items():
            minutes = [max(_LEAST, each.violation_ratio) for each in curve]
            hours = [each.pod_hours_ratio for each in curve]
            panel.plot(minutes, hours, marker=".", label=name, color=_COLOURS[name])
        panel.set_xscale("log")
        panel.set_ylim(1, 4)
        panel.axvline(0.01, color="grey", linewidth=0.5)
        panel.set_title(f"{trace}, pods start in {start} s")
        panel.set_xlabel("share of minutes violated")
    panels[0].set_ylabel("pod-hours over the least")
    panels[-1].legend()
    report.OUT.mkdir(parents=True, exist_ok=True)
    figure.savefig(report.OUT / f"autoscale-{trace}.png", dpi=100)
