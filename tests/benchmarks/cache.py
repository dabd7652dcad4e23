"""The cache beside other eviction policies and the optimum; its latency, hit ratio and warmer.

Policies see every trace of TENFOLD_DATA/cache, all objects of one size, with room for 10% and for
1% of its keys. The platform's own profile runs through the library over a real Redis.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import pathlib
import tempfile
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from tenfold_cache import warmer
from tenfold_cache.prediction import Predictor, judge

from tests.benchmarks import cache_platform, cache_policies, report
from tests.benchmarks.cache_policies import Keys
from tests.cache.servers import Server

_DATA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"
# As in the baselines of the data's README.
_MOST_REQUESTS = 2_000_000
_QUICK_REQUESTS = 100_000
# Twelve minutes at 10x. Shorter runs mostly count the first request for each product: 98.5% of
# 200,000 and 95.4% of 100,000 are hits, with nothing else changed.
_PLATFORM_REQUESTS = 600_000
# Capacity over the number of keys, and the key of cache.json that it goes under.
_SHARES = {"per_trace": 0.1, "per_trace_at_1pct": 0.01}
# Of a trace, for the warmer: a minute at 10x in the long ones, a minute at the expected traffic in
# the short ones, roughly.
_INTERVALS = 20
_SEED = 7


def main(
    quick: Annotated[
        bool, typer.Option("--quick", help="The first 100,000 requests of each trace: a minute.")
    ] = False,
) -> None:
    """Measure and write out/bench/cache.json."""
    traces = _read_traces(_QUICK_REQUESTS if quick else _MOST_REQUESTS)
    per_trace = {name: _hit_ratios(traces, share) for name, share in _SHARES.items()}
    warming = {trace: _warm(keys) for trace, keys in traces.items()}
    figures: dict[str, report.Figure] = {
        **per_trace,
        "worst_difference_to_best": _worst(per_trace["per_trace"]),
        "worst_difference_to_best_at_1pct": _worst(per_trace["per_trace_at_1pct"]),
        "warmer": warming,
        "warm_accuracy_median": _median([each["accuracy"] for each in warming.values()]),
        **asyncio.run(_platform(traces, _QUICK_REQUESTS if quick else _PLATFORM_REQUESTS)),
        "seed": _SEED,
    }
    print(report.write("cache", figures))


def _read_traces(most_requests: int) -> dict[str, Keys]:
    folder = pathlib.Path(os.environ.get("TENFOLD_DATA", _DATA)) / "cache"
    files = sorted(folder.glob("*.csv.gz"))
    if not files:
        raise typer.BadParameter(f"no traces in {folder}: set TENFOLD_DATA to the data's folder")
    return {file.name.removesuffix(".csv.gz"): _read(file, most_requests) for file in files}


def _read(file: pathlib.Path, most_requests: int) -> Keys:
    with gzip.open(file, "rt") as lines:
        return np.loadtxt(lines, dtype=np.int64, skiprows=1, max_rows=most_requests)


def _hit_ratios(traces: dict[str, Keys], share: float) -> dict[str, dict[str, float]]:
    table = Table("trace", *cache_policies.POLICIES, title=f"hit ratio %, room for {share:.0%}")
    ratios = {}
    for trace, keys in traces.items():
        ratios[trace] = cache_policies.hit_ratios(keys, max(1, int(share * len(np.unique(keys)))))
        cells = [f"{100 * ratios[trace][name]:.2f}" for name in cache_policies.POLICIES]
        table.add_row(trace, *cells)
        print(f"{share:.0%} of {trace}:", *cells, flush=True)
    Console().print(table)
    return ratios


async def _platform(traces: dict[str, Keys], requests: int) -> dict[str, float]:
    # Product pages are what the platform's users browse.
    pages = [keys for name, keys in traces.items() if "web" in name] or list(traces.values())
    with tempfile.TemporaryDirectory() as folder:
        server = Server(pathlib.Path(folder)).start()
        try:
            l1, l2 = await cache_platform.latencies(server.url)
            ratio = await cache_platform.hit_ratio(server.url, pages[-1], requests, _SEED)
        finally:
            server.kill()
    return {
        "l1_get_seconds_p50": l1.p50_seconds,
        "l1_get_seconds_p99": l1.p99_seconds,
        "l2_get_seconds_p50": l2.p50_seconds,
        "l2_get_seconds_p99": l2.p99_seconds,
        "platform_hit_ratio": ratio,
    }


def _warm(keys: Keys) -> dict[str, float | None]:
    """Predict each interval of the second half of a trace; return the means over them."""
    predictor = Predictor(warmer.GOAL, most_keys=len(keys))
    length = len(keys) // _INTERVALS
    outcomes = []
    intervals = [
        Counter(map(str, keys[start : start + length].tolist()))
        for start in range(0, length * _INTERVALS, length)
    ]
    for number, counts in enumerate(intervals):
        if number >= _INTERVALS // 2:
            outcomes.append(judge(predictor.predict(), counts))
        predictor.observe(counts)
    accuracies = [each.accuracy for each in outcomes if each.accuracy is not None]
    coverages = [each.coverage for each in outcomes if each.coverage is not None]
    return {
        "accuracy": float(np.mean(accuracies)) if accuracies else None,
        "coverage": float(np.mean(coverages)) if coverages else None,
    }


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None


def _worst(per_trace: dict[str, dict[str, float]]) -> float:
    return min(
        ratios["tenfold"] - max(ratios[peer] for peer in cache_policies.PEERS)
        for ratios in per_trace.values()
    )


if __name__ == "__main__":
    typer.run(main)
