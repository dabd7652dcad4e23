"""The benchmark's own scorers give the published figures."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.benchmarks import nab
from tests.benchmarks.anomaly import data_folder, event_f1
from tests.benchmarks.vus import vus_pr


@pytest.fixture(scope="module")
def folder() -> Path:
    found = data_folder() / "nab"
    if not found.exists():
        pytest.skip(f"{found} is missing: point TENFOLD_DATA to the folder that holds nab/")
    return found


@pytest.mark.parametrize(
    ("detector", "threshold", "published"),
    [("windowedGaussian", 1.0, 35.5), ("numenta", 0.5422, 71.9)],
)
def test_nab_gives_published_detectors_their_scores(
    folder: Path, detector: str, threshold: float, published: float
) -> None:
    series = nab.read_all(folder)
    alarms = {each.name: nab.read_reference(folder, detector, each) >= threshold for each in series}
    found = nab.score(series, alarms, nab.read_weights(folder)["standard"])
    assert round(found, 1) == published


def test_nab_gives_silence_nothing(folder: Path) -> None:
    series = nab.read_all(folder)
    silent = {each.name: np.zeros(len(each.values), dtype=bool) for each in series}
    assert nab.score(series, silent, nab.read_weights(folder)["standard"]) == 0.0


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="TENFOLD_DATA"):
        nab.read_all(tmp_path)


# TSB-AD 1.5, generate_curve(labels, scores, 100, "opt", 250), on the data of `drawn`.
@pytest.mark.parametrize(
    ("seed", "expected"),
    [(0, 0.5566081027727664), (1, 0.6941973059472226), (3, 0.7103086492039712)],
)
def test_vus_pr_is_that_of_its_authors(seed: int, expected: float) -> None:
    labels, scores = drawn(seed)
    assert vus_pr(labels, scores) == pytest.approx(expected, abs=1e-12)


def drawn(seed: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    random, rows = np.random.default_rng(seed), 1500
    labels = np.zeros(rows, dtype=int)
    for _ in range(4):
        first = random.integers(0, rows - 60)
        labels[first : first + random.integers(1, 60)] = 1
    if seed == 3:
        labels[:5] = 1
    noise = random.normal(size=rows)
    return labels.astype(bool), np.round(noise + 2 * labels, 1 if seed % 2 else 6)


def test_calling_everything_is_no_good_event_f1() -> None:
    labels = np.zeros(100, dtype=bool)
    labels[10:15] = True
    assert event_f1(labels, np.ones(100, dtype=bool)) < 0.1
    assert event_f1(labels, labels) == 1.0
    assert event_f1(labels, np.zeros(100, dtype=bool)) == 0.0
