"""What counts as a change, as drift, and as a reason to replace."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_pulumi_plugins.kubernetes import difference, immutable, paths
from tenfold_pulumi_plugins.kubernetes.difference import Change
from tenfold_pulumi_plugins.kubernetes.values import UNKNOWN, Json, JsonObject, Secret

_JSON = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@given(_JSON)
def test_nothing_differs_from_itself(value: Json) -> None:
    assert difference.compare(value, value) == {}
    assert difference.compare(value, Secret(value)) == {}


@given(_JSON, _JSON)
def test_equal_means_no_change(old: Json, new: Json) -> None:
    if difference.compare(old, new) == {}:
        assert old == new


def test_changes_are_named_by_path_and_kind() -> None:
    old = {"gone": 1, "same": 1, "list": [1, 2, 3], "text": "1", "unknown": "x", "flag": 1}
    new = {"same": 1.0, "list": [1, 9], "text": "2", "unknown": UNKNOWN, "added": {}, "flag": True}
    assert difference.compare(old, new) == {
        ("gone",): Change.DELETE,
        ("list", 1): Change.UPDATE,
        ("list", 2): Change.DELETE,
        ("text",): Change.UPDATE,
        ("unknown",): Change.UPDATE,
        ("added",): Change.ADD,
        ("flag",): Change.UPDATE,
    }


_DEPLOYMENT: JsonObject = {
    "kind": "Deployment",
    "spec": {
        "replicas": 2,
        "paused": False,
        "template": {
            "spec": {
                "containers": [
                    {"name": "a", "image": "a:1", "resources": {"limits": {"cpu": "1000m"}}},
                    {"name": "b", "image": "b:1", "args": ["x"], "env": []},
                ]
            }
        },
    },
}


def _live() -> JsonObject:
    return {
        "kind": "Deployment",
        "spec": {
            "replicas": 2,
            "progressDeadlineSeconds": 600,
            "template": {
                "spec": {
                    "dnsPolicy": "ClusterFirst",
                    "containers": [
                        {"name": "injected", "image": "i:1"},
                        {"name": "b", "image": "b:1", "args": ["x"], "stdin": False},
                        {"name": "a", "image": "a:1", "resources": {"limits": {"cpu": "1"}}},
                    ],
                }
            },
        },
        "status": {"replicas": 2},
    }


def test_defaults_spellings_and_the_work_of_others_are_no_drift() -> None:
    assert difference.observed_inputs(_DEPLOYMENT, _live()) == _DEPLOYMENT


def test_changed_and_missing_values_are_drift() -> None:
    live = _live()
    live["spec"]["replicas"] = 5
    live["spec"]["template"]["spec"]["containers"][1]["args"] = ["x", "y"]
    del live["spec"]["template"]["spec"]["containers"][2]
    observed = difference.observed_inputs(_DEPLOYMENT, live)
    containers = ("spec", "template", "spec", "containers")
    assert difference.compare(observed, _DEPLOYMENT).keys() >= {
        ("spec", "replicas"),
        (*containers, 1),
    }
    assert observed["spec"]["template"]["spec"]["containers"] == [
        {"name": "b", "image": "b:1", "args": ["x", "y"], "env": []}
    ]


def test_string_data_is_observed_in_the_data_that_the_server_made_of_it() -> None:
    inputs = {"kind": "Secret", "stringData": {"a": "one", "b": "two"}}
    live = {"kind": "Secret", "data": {"a": base64.b64encode(b"changed").decode()}}
    observed = difference.observed_inputs(inputs, live)
    assert observed["stringData"] == Secret({"a": "changed"})


@pytest.mark.parametrize(
    ("api_version", "kind", "path", "replaces"),
    [
        ("apps/v1", "Deployment", "spec.selector.matchLabels.app", True),
        ("apps/v1", "Deployment", "spec", True),
        ("apps/v1", "Deployment", "spec.replicas", False),
        ("apps/v1", "StatefulSet", "spec.volumeClaimTemplates[0].spec", True),
        ("batch/v1", "Job", "spec.template.spec", True),
        ("batch/v1", "Job", "spec.suspend", False),
        ("v1", "ConfigMap", "data.key", True),
        ("v1", "ConfigMap", "metadata.labels.x", False),
        ("v1", "Service", "spec.clusterIP", True),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", "roleRef.name", True),
        ("example.com/v1", "Service", "spec.clusterIP", False),
        ("example.com/v1", "Anything", "metadata.namespace", True),
    ],
)
def test_a_change_of_what_kubernetes_keeps_fixed_replaces_the_object(
    api_version: str, kind: str, path: str, replaces: bool
) -> None:
    fixed = immutable.patterns({"apiVersion": api_version, "kind": kind}, mutable_kinds=frozenset())
    assert any(paths.overlaps(pattern, paths.parse(path)) for pattern in fixed) is replaces


def test_content_changes_in_place_only_where_the_configuration_says_so() -> None:
    settings = {"apiVersion": "v1", "kind": "ConfigMap"}
    mutable = frozenset({"ConfigMap"})
    assert ("data",) not in immutable.patterns(settings, mutable_kinds=mutable)
    fixed = settings | {"immutable": True}
    assert ("data",) in immutable.patterns(fixed, mutable_kinds=mutable)
