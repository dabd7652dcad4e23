"""What a program leaves out is completed, and what cannot be an object is refused."""

from __future__ import annotations

import pytest
from pulumi.runtime.proto import provider_pb2
from tenfold_pulumi_plugins.kubernetes import errors, inputs, values
from tenfold_pulumi_plugins.kubernetes.values import UNKNOWN, JsonObject, Secret

_CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def _is_namespaced(api_version: str, kind: str) -> bool:
    if api_version.startswith("example.com"):
        raise errors.UnknownKindError
    return kind != "ClusterRole"


def _check(
    token: str,
    news: JsonObject,
    olds: JsonObject | None = None,
    *,
    namespaces: inputs.Namespaces | None = None,
    seed: bytes = b"seed",
) -> JsonObject:
    request = provider_pb2.CheckRequest(
        urn=f"urn:pulumi:dev::project::my:Component${token}::name",
        news=values.encode(news),
        olds=values.encode(olds or {}),
        randomSeed=seed,
    )
    return inputs.check(request, namespaces or inputs.Namespaces(_is_namespaced, "standard"))


def test_kind_and_namespace_are_filled_in() -> None:
    assert _check(_CONFIG_MAP, {"metadata": {"name": "given"}}) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "given", "namespace": "standard"},
    }
    given = {"metadata": {"name": "given", "namespace": "mine"}}
    assert _check(_CONFIG_MAP, given)["metadata"]["namespace"] == "mine"
    role = _check("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", given)
    assert role["metadata"] == {"name": "given"}


def test_a_missing_name_is_chosen_once() -> None:
    first = _check(_CONFIG_MAP, {})
    name = first["metadata"]["name"]
    assert name.startswith("name-")
    assert first["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert _check(_CONFIG_MAP, {}, seed=b"other")["metadata"]["name"] != name
    assert _check(_CONFIG_MAP, {}, first, seed=b"other")["metadata"]["name"] == name


def test_a_name_that_is_taken_away_makes_a_new_object() -> None:
    old = _check(_CONFIG_MAP, {"metadata": {"name": "given"}})
    assert "name" not in _check(_CONFIG_MAP, {}, old)["metadata"]


def test_what_is_unknown_or_secret_stays_so() -> None:
    given = {"metadata": {"name": UNKNOWN, "namespace": UNKNOWN}, "data": {"key": Secret("x")}}
    checked = _check(_CONFIG_MAP, given)
    assert checked["metadata"] == {"name": UNKNOWN, "namespace": UNKNOWN}
    assert checked["data"] == {"key": Secret("x")}
    assert _check(_CONFIG_MAP, {"metadata": UNKNOWN})["metadata"] is UNKNOWN


def test_a_definition_in_the_program_tells_the_scope_of_its_kind() -> None:
    namespaces = inputs.Namespaces(_is_namespaced, "standard")
    token = "kubernetes:example.com/v1:Widget"
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    assert _check(token, widget, namespaces=namespaces)["metadata"]["namespace"] == "standard"
    spec = {"group": "example.com", "scope": "Cluster", "names": {"kind": "Widget"}}
    definition = {"metadata": {"name": "widgets.example.com"}, "spec": spec}
    crd = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
    _check(crd, definition, namespaces=namespaces)
    assert "namespace" not in _check(token, widget, namespaces=namespaces)["metadata"]


@pytest.mark.parametrize(
    ("token", "news", "message"),
    [
        ("kubernetes:core/v1:ConfigMapPatch", {}, "Patch resources are not supported"),
        ("kubernetes:core/v1:ConfigMapList", {}, "lists are not objects"),
        ("kubernetes:helm.sh/v3:Release", {}, "helm.sh resources are not supported"),
        (_CONFIG_MAP, {"metadata": {"generateName": "x-"}}, "generateName is not supported"),
    ],
)
def test_what_is_no_object_is_refused(token: str, news: JsonObject, message: str) -> None:
    with pytest.raises(errors.RefusedError, match=message):
        _check(token, news)


def test_a_wait_for_that_is_not_understood_is_refused_before_anything_is_made() -> None:
    annotations = {"pulumi.com/waitFor": "Ready"}
    with pytest.raises(ValueError, match="is neither condition=TYPE"):
        _check(_CONFIG_MAP, {"metadata": {"name": "x", "annotations": annotations}})
