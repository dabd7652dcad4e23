"""When an object counts as being as it should be."""

import pytest
from pydantic import JsonValue
from tenfold_operator.model.manifest import covers, digest, stamped


@pytest.mark.parametrize(
    ("observed", "wanted"),
    [
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"cpu": "1"}, {"cpu": "1000m"}),
        ({"cpu": "500m"}, {"cpu": 0.5}),
        ({"memory": "1Gi"}, {"memory": "1024Mi"}),
        ({}, {"value": ""}),
        ({"env": [{"name": "B"}, {"name": "A"}]}, {"env": [{"name": "A"}, {"name": "B"}]}),
        ({"weight": 0}, {"weight": 0}),
    ],
)
def test_defaults_and_other_spellings_are_no_difference(
    observed: JsonValue, wanted: JsonValue
) -> None:
    assert covers(observed, wanted)


@pytest.mark.parametrize(
    ("observed", "wanted"),
    [
        ({"a": 1}, {"a": 2}),
        ({}, {"a": 1}),
        ({"list": [1, 2]}, {"list": [1]}),
        ({"env": [{"name": "A"}, {"name": "B"}]}, {"env": [{"name": "A"}]}),
        ({"image": "web:1"}, {"image": "web:2"}),
        ({"weight": 7}, {"weight": 0}),
        ({"a": "x"}, {"a": {"b": 1}}),
    ],
)
def test_a_difference_is_seen(observed: JsonValue, wanted: JsonValue) -> None:
    assert not covers(observed, wanted)


def test_a_field_that_is_no_longer_wanted_shows_in_the_hash() -> None:
    before = stamped({"metadata": {"name": "x"}, "spec": {"a": 1, "b": 2}})
    after = stamped({"metadata": {"name": "x"}, "spec": {"a": 1}})
    assert not covers(before, after)


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
