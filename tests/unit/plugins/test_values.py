"""Property values keep their integers, their secrets and what is unknown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tenfold_pulumi_plugins.kubernetes import values
from tenfold_pulumi_plugins.kubernetes.values import UNKNOWN, Json, Secret

_LEAVES = (
    st.booleans() | st.integers(min_value=-(2**53), max_value=2**53) | st.text() | st.just(UNKNOWN)
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | inner.map(Secret),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), _JSON))
def test_values_survive_the_wire(properties: dict[str, Json]) -> None:
    assert values.decode(values.encode(properties)) == properties


def test_nulls_in_objects_are_left_out() -> None:
    struct = values.encode({"kept": [None], "left": None, "inner": {"left": None}})
    assert values.decode(struct) == {"kept": [None], "inner": {}}


def test_a_secret_list_or_leaf_is_marked_where_the_inputs_have_it() -> None:
    inputs = {"a": {"b": Secret("x"), "c": "y"}, "list": [{"d": Secret("z")}]}
    live = {"a": {"b": "x", "c": "y", "new": 1}, "list": [{"d": "z", "e": 2}], "other": 3}
    assert values.mark_secrets(live, inputs) == {
        "a": {"b": Secret("x"), "c": "y", "new": 1},
        "list": Secret([{"d": "z", "e": 2}]),
        "other": 3,
    }


def test_the_data_of_a_secret_is_secret_whatever_the_inputs_say() -> None:
    live = {"kind": "Secret", "data": {"a": "eA=="}, "metadata": {"name": "s"}}
    marked = values.mark_secrets(live, live)
    assert marked["data"] == Secret({"a": "eA=="})
    assert marked["metadata"] == {"name": "s"}


@given(st.dictionaries(st.text(), _JSON), st.text(min_size=1))
def test_plain_values_have_no_secret_left(properties: dict[str, Json], text: str) -> None:
    assert values.secret_texts(values.plain(properties | {"s": Secret(text)})) == set()
    assert text in values.secret_texts(properties | {"s": Secret(text)})


def test_a_message_is_redacted_longest_secret_first() -> None:
    assert values.redact("a pass and a password", {"pass", "password"}) == (
        "a [secret] and a [secret]"
    )
