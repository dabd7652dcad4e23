"""How well anomalies are found: NAB's score, VUS-PR on servers, false alarms, delay and time.

The same parameters for every series. Baselines run beside: what NAB publishes for two detectors
(their scores come with the data), PCA and an isolation forest on the servers.
"""

from __future__ import annotations

import csv
import gzip
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from tenfold_operator.anomaly import joint
from tenfold_operator.anomaly.series import SeriesDetector
from tenfold_operator.anomaly.verdict import Persistence, calls, verdicts

from tests.benchmarks import nab, report
from tests.benchmarks.vus import find_events, vus_pr

REPEAT_ROWS = 100
"""Nobody is called again within so many rows."""
_DAY_SECONDS = 86400
_SEED = 0
_CALM_DISTANCE = 100
_PERSISTENCE = Persistence(3, 5)
_TIMED_ROWS = 500
_clock = time.thread_time
"""CPU seconds: what else runs on the machine must not count."""
_CANDIDATES = (0.9, 1.0, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)

Rows = NDArray[np.float64]
Flags = NDArray[np.bool_]
Fit = Callable[[Rows], Callable[[Rows], Rows]]


def data_folder() -> Path:
    """Return TENFOLD_DATA, or ../shared/data beside the repository."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    return Path(os.environ.get("TENFOLD_DATA", beside))


@dataclass(frozen=True)
class Server:
    """A machine's metrics: a calm time to learn from, and a labelled one."""

    name: str
    train: Rows
    test: Rows
    labels: Flags


def read_servers(folder: Path) -> Iterator[Server]:
    """Return the servers by name; raises SystemExit that says what is missing."""
    trains = sorted(folder.glob("*_train.csv.gz"))
    if not trains:
        raise SystemExit(f"no *_train.csv.gz in {folder}: point TENFOLD_DATA to the data's folder")
    for path in trains:
        name = path.name.removesuffix("_train.csv.gz")
        test = _read(folder / f"{name}_test.csv.gz")
        yield Server(name, _read(path), test[:, :-1], test[:, -1] > 0)


def _read(path: Path) -> Rows:
    with gzip.open(path, "rt") as lines:
        rows = csv.reader(lines)
        next(rows)
        return np.array([[float(cell) for cell in row] for row in rows])


def score_series(series: nab.LabelledSeries) -> tuple[Rows, list[float]]:
    """Return the detector's scores on a series, and the seconds of each update."""
    detector = SeriesDetector(max(2, round(_DAY_SECONDS / series.step_seconds)))
    scores, seconds = [], []
    for value in series.values.tolist():
        start = _clock()
        scores.append(detector.update(value).score)
        seconds.append(_clock() - start)
    return np.array(scores), seconds


def pca(train: Rows) -> Callable[[Rows], Rows]:
    """The baseline: squared reconstruction error from the components of 95% of the variance."""
    center, scale = train.mean(axis=0), train.std(axis=0)
    scale[scale == 0.0] = 1.0
    model = PCA(n_components=0.95, random_state=_SEED).fit((train - center) / scale)

    def score(rows: Rows) -> Rows:
        scaled = (rows - center) / scale
        error: Rows = ((scaled - model.inverse_transform(model.transform(scaled))) ** 2).sum(axis=1)
        return error

    return score


def forest(train: Rows) -> Callable[[Rows], Rows]:
    """The other baseline, with scikit-learn's defaults."""
    model = IsolationForest(random_state=_SEED).fit(train)
    return lambda rows: np.asarray(-model.score_samples(rows), dtype=np.float64)


def event_f1(labels: Flags, called: Flags) -> float:
    """Return the F1 of recall over events and precision over rows (Garg et al., 2021).

    An event is found when a row of it is called. Precision counts rows: with runs, one call of
    everything would be perfect.
    """
    events = find_events(labels)
    recall = sum(bool(called[a : b + 1].any()) for a, b in events) / len(events)
    precision = float(labels[called].mean()) if called.any() else 0.0
    return 2 * precision * recall / (precision + recall) if precision else 0.0


def frozen_f1(scores: Mapping[str, Rows], servers: Mapping[str, Server]) -> dict[str, float]:
    """Return each server's event F1, at the threshold that is best on the other servers."""
    table = {
        name: [event_f1(servers[name].labels, scores[name] > each) for each in _CANDIDATES]
        for name in scores
    }
    found = {}
    for name in scores:
        others = np.array([table[each] for each in scores if each != name])
        found[name] = table[name][int(others.mean(axis=0).argmax())]
    return found


def _calm(labels: Flags) -> Flags:
    """Rows that are not within 100 of a label."""
    near = np.convolve(labels, np.ones(2 * _CALM_DISTANCE + 1), "same") > 0.5
    return ~near


def _delays(labels: Flags, called: Flags) -> Iterator[int]:
    """Rows from the beginning of each event that was found to its first call."""
    for first, last in find_events(labels):
        rows = np.flatnonzero(called[first : last + 1])
        if len(rows):
            yield int(rows[0])


def measure_nab(folder: Path) -> tuple[dict[str, float], list[float], list[float]]:
    """Return NAB's figures, each series' share of calm rows above 1, and seconds an update."""
    series = nab.read_all(folder)
    weights = nab.read_weights(folder)
    scores, seconds, calm_shares = {}, [], []
    for each in series:
        scores[each.name], taken = score_series(each)
        seconds += taken[each.probation :]
        labels = np.zeros(len(each.values), dtype=bool)
        for first, last in each.windows:
            labels[first : last + 1] = True
        calm = ~labels
        calm[: each.probation] = False
        calm_shares.append(float((scores[each.name] > 1.0)[calm].mean()))
    called = {name: calls(each > 1.0, REPEAT_ROWS) for name, each in scores.items()}
    lasting = {
        name: calls(verdicts(each.tolist(), _PERSISTENCE), REPEAT_ROWS)
        for name, each in scores.items()
    }
    figures = {
        "nab_standard": nab.score(series, called, weights["standard"]),
        "nab_reward_low_fp": nab.score(series, called, weights["reward_low_FP_rate"]),
        "nab_reward_low_fn": nab.score(series, called, weights["reward_low_FN_rate"]),
        "nab_standard_with_persistence": nab.score(series, lasting, weights["standard"]),
    }
    for half, name in enumerate(("even", "odd")):
        chosen = series[half::2]
        figures[f"nab_standard_{name}_half"] = nab.score(chosen, called, weights["standard"])
    for name, threshold in (("numenta", 0.5422), ("windowedGaussian", 1.0)):
        theirs = {x.name: nab.read_reference(folder, name, x) >= threshold for x in series}
        figures[f"nab_standard_{name}"] = nab.score(series, theirs, weights["standard"])
    return figures, calm_shares, seconds


def measure_servers(folder: Path) -> tuple[dict[str, float], list[float], list[float]]:
    """Return the servers' figures, each one's share of calm rows above 1, and seconds an update."""
    servers = {each.name: each for each in read_servers(folder)}
    scores: dict[str, dict[str, Rows]] = {"tenfold": {}, "pca": {}, "forest": {}}
    seconds, fits = [], []
    for name, server in servers.items():
        start = _clock()
        model = joint.fit(server.train, seed=_SEED)
        fits.append(_clock() - start)
        scores["tenfold"][name] = joint.score_rows(model, server.test)
        seconds += _time_updates(joint.JointDetector(model), server.test)
        for baseline, fit in (("pca", pca), ("forest", forest)):
            score = fit(server.train)
            # Baselines have no threshold of their own: theirs are multiples of this.
            scores[baseline][name] = score(server.test) / np.quantile(score(server.train), 0.995)
    areas = {
        detector: {name: vus_pr(servers[name].labels, each) for name, each in found.items()}
        for detector, found in scores.items()
    }
    f1s = {detector: frozen_f1(scores[detector], servers) for detector in ("pca", "forest")}
    ours = scores["tenfold"]
    f1s["tenfold"] = {
        name: event_f1(servers[name].labels, each > 1.0) for name, each in ours.items()
    }
    _print_servers(areas, f1s)
    calm = [float((each > 1.0)[_calm(servers[name].labels)].mean()) for name, each in ours.items()]
    delays = [d for name, each in ours.items() for d in _delays(servers[name].labels, each > 1.0)]
    figures = {"vus_pr_servers_mean": statistics.mean(areas["tenfold"].values())}
    figures["event_f1_servers_mean"] = statistics.mean(f1s["tenfold"].values())
    like = frozen_f1(ours, servers)
    figures["event_f1_servers_mean_at_others_threshold"] = statistics.mean(like.values())
    for detector in ("pca", "forest"):
        figures[f"vus_pr_servers_mean_{detector}"] = statistics.mean(areas[detector].values())
        figures[f"event_f1_servers_mean_{detector}"] = statistics.mean(f1s[detector].values())
    figures["vus_pr_ratio_to_pca"] = (
        figures["vus_pr_servers_mean"] / figures["vus_pr_servers_mean_pca"]
    )
    figures["detection_delay_rows_p50"] = statistics.median(delays)
    figures["fit_seconds_p50"] = statistics.median(fits)
    return figures, calm, seconds


def _time_updates(detector: joint.JointDetector, rows: Rows) -> list[float]:
    seconds = []
    for row in rows[:_TIMED_ROWS]:
        start = _clock()
        detector.update(row)
        seconds.append(_clock() - start)
    return seconds


def _print_servers(
    areas: Mapping[str, Mapping[str, float]], f1s: Mapping[str, Mapping[str, float]]
) -> None:
    heads = [f"{figure} {detector}" for figure in ("VUS-PR", "event F1") for detector in areas]
    table = Table("server", *heads, title="servers", title_justify="left")
    for name in areas["tenfold"]:
        cells = [each[detector][name] for each in (areas, f1s) for detector in areas]
        table.add_row(name, *(f"{cell:.3f}" for cell in cells))
    Console().print(table)


def main() -> None:
    """Measure and write out/bench/anomaly.json."""
    folder = data_folder()
    nab_figures, nab_calm, nab_seconds = measure_nab(folder / "nab")
    server_figures, server_calm, server_seconds = measure_servers(folder / "servers")
    figures = {
        **nab_figures,
        **server_figures,
        "calm_false_positive_ratio": statistics.mean(nab_calm + server_calm),
        "calm_false_positive_ratio_nab": statistics.mean(nab_calm),
        "calm_false_positive_ratio_servers": statistics.mean(server_calm),
        "calm_false_positive_ratio_worst": max(nab_calm + server_calm),
        "point_seconds_p50": float(np.quantile(nab_seconds, 0.5)),
        "point_seconds_p99": float(np.quantile(nab_seconds + server_seconds, 0.99)),
        "joint_point_seconds_p50": float(np.quantile(server_seconds, 0.5)),
        "seed": _SEED,
    }
    print(report.write("anomaly", figures))


if __name__ == "__main__":
    main()
