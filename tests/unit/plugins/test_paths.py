"""Property paths as Pulumi writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_pulumi_plugins.kubernetes import paths
from tenfold_pulumi_plugins.kubernetes.values import Json

_KEYS = st.text(st.characters(exclude_characters='"'), min_size=1).filter(lambda key: key != "*")


@given(st.lists(_KEYS | st.integers(min_value=0), min_size=1).map(tuple))
def test_a_rendered_path_is_parsed_as_it_was(path: paths.Path) -> None:
    assert paths.parse(paths.render(path)) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("spec.replicas", ("spec", "replicas")),
        ("spec.containers[0].env", ("spec", "containers", 0, "env")),
        ("spec.containers[*].image", ("spec", "containers", "*", "image")),
        ('metadata.labels["a.b/c"]', ("metadata", "labels", "a.b/c")),
        ('["spec"].x', ("spec", "x")),
    ],
)
def test_paths_are_parsed(text: str, path: paths.Path) -> None:
    assert paths.parse(text) == path


def test_a_malformed_path_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a property path"):
        paths.parse("spec[replicas")


@pytest.mark.parametrize(
    ("pattern", "source", "target", "expected"),
    [
        (
            "spec.replicas",
            {"spec": {"replicas": 3}},
            {"spec": {"replicas": 1}},
            {"spec": {"replicas": 3}},
        ),
        ("spec.replicas", {"spec": {}}, {"spec": {"replicas": 1}}, {"spec": {}}),
        ("a[*].b", {"a": [{"b": 9}]}, {"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 9}, {"b": 2}]}),
        ("a.b.c", {"a": 1}, {"a": {"b": {"c": 2}}}, {"a": {"b": {"c": 2}}}),
        ("a.b", {"a": {"b": 1}}, {}, {}),
    ],
)
def test_values_at_a_path_are_copied_where_both_sides_have_a_place_for_them(
    pattern: str, source: Json, target: Json, expected: Json
) -> None:
    paths.copy_values(paths.parse(pattern), source, target)
    assert target == expected
