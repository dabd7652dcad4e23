"""Several series: they are anomalous when they do not go together as they used to."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from tenfold_operator.anomaly import joint
from tenfold_operator.anomaly.forest import grow

Rows = NDArray[np.float64]


def fleet(rows: int, seed: int = 0) -> Rows:
    """Load, and what follows from it: CPU, latency, bytes."""
    random = np.random.default_rng(seed)
    load = 100.0 + 50.0 * np.sin(np.arange(rows) / 30.0) + random.normal(0, 3, rows)
    cpu, latency = load * 0.01, 20.0 + load * 0.1
    table = np.column_stack([load, cpu, latency, load * 1e6])
    return table * (1.0 + random.normal(0, 0.01, table.shape))


MODEL = joint.fit(fleet(2000))


def test_values_that_are_common_alone_but_never_met_are_anomalous() -> None:
    rows = fleet(300, seed=1)
    rows[200:220, 1] = 2.5 - rows[200:220, 1]
    scores = joint.score_rows(MODEL, rows)
    assert scores[200:220].max() > 1.0
    assert scores[50:200].max() <= 1.0


def test_shares_name_the_series_that_is_off() -> None:
    detector = joint.JointDetector(MODEL)
    row = fleet(1, seed=2)[0]
    row[1] *= 2.0
    detector.update(row)
    assert int(detector.shares.argmax()) == 1
    assert detector.shares.sum() == pytest.approx(1.0)


def test_calm_rows_are_hardly_ever_called() -> None:
    assert (joint.score_rows(MODEL, fleet(3000, seed=3)) > 1.0).mean() < 0.02


def test_a_lasting_change_becomes_usual() -> None:
    rows = fleet(4000, seed=4)
    rows[500:, 2] += 20.0
    scores = joint.score_rows(MODEL, rows)
    assert scores[505:600].min() > 1.0
    assert scores[-200:].max() < 1.0


def test_row_by_row_is_as_in_one_go() -> None:
    rows = fleet(300, seed=5)
    rows[100:110, 2] = math.nan
    detector = joint.JointDetector(MODEL)
    online = [detector.update(row) for row in rows]
    assert online == pytest.approx(list(joint.score_rows(MODEL, rows)), rel=1e-9)
    assert len(set(online[99:110])) == 1


def test_the_same_seed_gives_the_same_model() -> None:
    rows = fleet(400, seed=6)
    one, other = joint.fit(fleet(500), seed=7), joint.fit(fleet(500), seed=7)
    assert np.array_equal(joint.score_rows(one, rows), joint.score_rows(other, rows))


def test_too_few_rows_are_refused_and_incomplete_ones_do_not_count() -> None:
    rows = fleet(joint.FEWEST_ROWS)
    joint.fit(rows)
    rows[0, 0] = math.nan
    with pytest.raises(ValueError, match="199 complete rows are too few"):
        joint.fit(rows)
    with pytest.raises(ValueError, match="several series"):
        joint.fit(fleet(500)[:, :1])
    with pytest.raises(ValueError, match="sensitivity"):
        joint.fit(fleet(500), sensitivity=0.0)


def test_the_forest_answers_as_the_one_that_grew_it() -> None:
    rows = fleet(600).astype(np.float32).astype(np.float64)
    theirs = IsolationForest(n_estimators=100, max_samples=256, random_state=3).fit(
        rows.astype(np.float32)
    )
    assert grow(rows, 3).scores(rows[:50]) == pytest.approx(-theirs.score_samples(rows[:50]))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.floats(width=64), min_size=4, max_size=4),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_comes_in_no_nan_comes_out(rows: list[list[float]]) -> None:
    detector = joint.JointDetector(MODEL)
    for row in rows:
        score = detector.update(np.array(row))
        assert math.isfinite(score)
        assert score >= 0.0


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 5), st.sampled_from([0.0, 1.0, 1e9]), st.integers(0, 3))
def test_constant_and_sparse_series_can_be_learned(width: int, level: float, seed: int) -> None:
    rows = np.full((250, width), level)
    rows[:, 0] += np.random.default_rng(seed).random(250) > 0.95
    scores = joint.score_rows(joint.fit(rows), rows)
    assert np.isfinite(scores).all()
