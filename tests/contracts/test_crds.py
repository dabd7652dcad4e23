"""CRDs, generated files and examples agree."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tenfold_operator.generate import render_all
from tenfold_operator.generator.schema import Crd, Node
from tenfold_operator.model import generated

ROOT = Path(__file__).parents[2]
CRDS = [
    Crd.parse(yaml.safe_load(path.read_text()))
    for path in sorted((ROOT / "operator/crds").glob("*.yaml"))
]


def test_generated_files_are_up_to_date() -> None:
    for path, wanted in render_all(ROOT).items():
        assert path.read_text() == wanted, f"{path} is stale: run `make generate`"


def fields(node: Node, path: str) -> Any:
    for each in node.fields:
        yield f"{path}.{each.name}", each
        yield from fields(each.node.item or each.node, f"{path}.{each.name}")


@pytest.mark.parametrize("crd", CRDS, ids=lambda crd: crd.kind)
def test_every_field_says_what_it_is(crd: Crd) -> None:
    silent = [
        path
        for path, each in fields(crd.root, crd.kind)
        if not each.node.description and each.name != "metadata"
    ]
    assert silent == []


def example(crd: Crd) -> dict[str, Any]:
    document = yaml.safe_load((ROOT / f"operator/examples/{crd.singular}.yaml").read_text())
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("crd", CRDS, ids=lambda crd: crd.kind)
def test_the_example_is_valid(crd: Crd) -> None:
    model = getattr(generated, crd.kind)
    assert model.model_validate(example(crd)).metadata.name


@pytest.mark.parametrize("crd", CRDS, ids=lambda crd: crd.kind)
def test_the_example_names_no_field_that_does_not_exist(crd: Crd) -> None:
    assert list(unknown(crd.root, example(crd), crd.kind)) == []


def unknown(node: Node, value: Any, path: str) -> Any:
    if node.item and isinstance(value, list):
        for each in value:
            yield from unknown(node.item, each, path)
    if node.is_opaque or not node.fields or not isinstance(value, dict):
        return
    known = {each.name: each.node for each in node.fields}
    for name, inner in value.items():
        if name not in known:
            yield f"{path}.{name}"
        elif known[name].fields or known[name].item:
            yield from unknown(known[name], inner, f"{path}.{name}")


def test_a_default_in_the_crd_is_the_default_of_the_model() -> None:
    spec = generated.WorkloadSpec.model_validate({"port": 80, "template": {"spec": {}}})
    assert (spec.replicas, spec.rollout.drain_seconds, spec.route.gateway.name) == (2, 5, "tenfold")


def test_a_value_out_of_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="port"):
        generated.WorkloadSpec.model_validate({"port": 0, "template": {"spec": {}}})
