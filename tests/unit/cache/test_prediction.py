from __future__ import annotations

import random
from collections import Counter

from tenfold_cache.prediction import Predictor, judge


def test_keys_of_every_interval_are_expected_first() -> None:
    predictor = Predictor(0.873, most_keys=1000)
    for interval in range(30):
        always = Counter({f"always-{number}": 5 for number in range(50)})
        once = Counter({f"once-{interval}-{number}": 1 for number in range(50)})
        predictor.observe(always + once)
    expected = predictor.predict()
    assert set(expected[:50]) == {f"always-{number}" for number in range(50)}
    # The accuracy asked for leaves room for a few guesses.
    assert len(expected) <= 50 / 0.873 + 1


def test_a_key_with_a_rhythm_is_expected_when_it_is_due() -> None:
    predictor = Predictor(0.873, most_keys=1000)
    for interval in range(60):
        due = {f"every-fourth-{number}": 1 for number in range(40) if interval % 4 == 0}
        noise = {f"noise-{interval}-{number}": 1 for number in range(10)}
        predictor.observe(due | noise)
        expected = {key for key in predictor.predict() if key.startswith("every-fourth")}
        if interval > 30:
            assert len(expected) == (40 if interval % 4 == 3 else 0)


def test_the_accuracy_is_at_least_the_one_that_was_asked_for() -> None:
    draw = random.Random(1)
    predictor = Predictor(0.8, most_keys=10_000)
    accuracies = []
    for interval in range(60):
        asked = Counter(key for key in range(500) if draw.random() < 1 / (1 + key / 50))
        counts = {str(key): 1 for key in asked}
        if interval > 20:
            accuracy = judge(predictor.predict(), counts).accuracy
            accuracies += [accuracy] if accuracy is not None else []
        predictor.observe(counts)
    assert len(accuracies) > 20
    assert sum(accuracies) / len(accuracies) > 0.78


def test_no_more_keys_are_expected_than_there_is_room_for() -> None:
    predictor = Predictor(0.5, most_keys=3)
    for _ in range(20):
        predictor.observe({str(number): 1 for number in range(10)})
    assert len(predictor.predict()) == 3


def test_nothing_is_expected_before_anything_was_seen() -> None:
    assert Predictor(0.873, most_keys=3).predict() == []


def test_a_prediction_is_judged_by_both_shares() -> None:
    outcome = judge(["a", "b", "c", "d"], ["a", "b", "e"])
    assert outcome.accuracy == 0.5
    assert outcome.coverage == 2 / 3
    assert judge([], ["a"]).accuracy is None
    assert judge(["a"], []).coverage is None
