"""From scores to verdicts and calls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_operator.anomaly.verdict import Persistence, calls, verdicts

SCORES = st.lists(st.floats(0.0, 3.0), max_size=60)


def test_a_single_spike_does_not_call() -> None:
    assert not verdicts([0, 0, 9, 0, 0, 0], Persistence(2, 3)).any()


def test_two_of_three_call_and_the_verdict_ends_when_they_have_left() -> None:
    found = verdicts([0, 9, 0, 9, 0, 0, 0], Persistence(2, 3))
    assert list(found) == [False, False, False, True, False, False, False]


@given(SCORES, st.integers(1, 5), st.integers(0, 5))
def test_a_verdict_never_comes_without_enough_anomalous_rows(
    scores: list[float], wanted: int, more: int
) -> None:
    of = wanted + more
    for row, verdict in enumerate(verdicts(scores, Persistence(wanted, of))):
        window = scores[max(0, row - of + 1) : row + 1]
        assert verdict == (sum(each > 1.0 for each in window) >= wanted)


@given(st.lists(st.booleans(), max_size=80), st.integers(0, 20))
def test_nobody_is_called_twice_within_the_repeat(flags: list[bool], repeat: int) -> None:
    anomalous = np.array(flags, dtype=bool)
    rows = np.flatnonzero(calls(anomalous, repeat))
    assert all(anomalous[rows])
    assert (np.diff(rows) > repeat).all()
    assert bool(len(rows)) == any(flags)


@pytest.mark.parametrize(("wanted", "of"), [(0, 3), (4, 3)])
def test_impossible_persistence_is_refused(wanted: int, of: int) -> None:
    with pytest.raises(ValueError, match="cannot be wanted"):
        Persistence(wanted, of)
