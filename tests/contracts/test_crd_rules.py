"""The rules of the CRDs refuse what is wrong, with the message that says what to do.

The rules are tried with an implementation of CEL; the bounds of single fields with the models.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import celpy
import pytest
import yaml
from celpy import celtypes
from celpy.adapter import json_to_cel
from tenfold_operator.model.generated import Workload

ROOT = Path(__file__).parents[2]
CRD = yaml.safe_load((ROOT / "operator/crds/workloads.yaml").read_text())
SCHEMA = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
CANARY = {"strategy": "canary", "steps": [{"weight": 10}, {"weight": 50}]}
ERRORS = {"errorRatio": {"max": 0.01}}


def is_sorted(values: celtypes.ListType) -> celtypes.BoolType:
    """A function of Kubernetes' own."""
    found = [int(cast(int, each)) for each in values]
    return celtypes.BoolType(found == sorted(found))


def holds(rule: str, value: Any) -> bool:
    environment = celpy.Environment()
    functions: dict[str, Callable[..., Any]] = {"isSorted": is_sorted}
    program = environment.program(environment.compile(rule), functions=functions)
    return bool(program.evaluate({"self": json_to_cel(value)}))


def refusals(schema: dict[str, Any], value: Any) -> Iterator[str]:
    """Yield the messages of the rules that do not hold, at any depth."""
    if isinstance(value, list):
        for each in value:
            yield from refusals(schema.get("items", {}), each)
    if isinstance(value, dict):
        for name, each in value.items():
            yield from refusals(schema.get("properties", {}).get(name, {}), each)
    for each in schema.get("x-kubernetes-validations", ()):
        if not holds(each["rule"], value):
            yield each["message"]


def with_defaults(schema: dict[str, Any], value: Any) -> Any:
    """Fill defaults in, as the API server does before it looks at the rules."""
    if isinstance(value, list):
        return [with_defaults(schema.get("items", {}), each) for each in value]
    if not isinstance(value, dict):
        return value
    known = schema.get("properties", {})
    added = {name: each["default"] for name, each in known.items() if "default" in each}
    return {
        name: with_defaults(known.get(name, {}), each) for name, each in {**added, **value}.items()
    }


def workload(**rollout: Any) -> dict[str, Any]:
    container = {
        "name": "web",
        "image": "example.com/web:1",
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
    }
    return {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"port": 8080, "template": {"spec": {"containers": [container]}}}
        | ({"rollout": rollout} if rollout else {}),
    }


def refused(manifest: dict[str, Any]) -> list[str]:
    return list(refusals(SCHEMA, with_defaults(SCHEMA, manifest)))


QUERY = {"name": "orders", "query": "sum(x)"}


@pytest.mark.parametrize(
    "rollout",
    [
        {},
        CANARY,
        {"strategy": "canary", "steps": [{"weight": 0}, {"weight": 0}, {"weight": 100}]},
        {"strategy": "blueGreen", "keepSeconds": 60},
        {**CANARY, "preview": {"header": "X-Preview"}},
        {**CANARY, "preview": {"cookie": "preview"}},
        {**CANARY, "analysis": ERRORS},
        {**CANARY, "analysis": {"queries": [{**QUERY, "min": 1, "max": 1}]}},
    ],
)
def test_what_is_right_is_accepted(rollout: dict[str, Any]) -> None:
    assert refused(workload(**rollout)) == []
    assert Workload.model_validate(workload(**rollout))


@pytest.mark.parametrize(
    ("rollout", "message"),
    [
        (
            {"strategy": "canary", "steps": [{"weight": 50}, {"weight": 10}]},
            "weights of rollout.steps must not fall",
        ),
        ({"strategy": "canary"}, "canary needs them"),
        ({"strategy": "immediate", "steps": [{"weight": 10}]}, "steps belong to strategy canary"),
        ({"steps": [{"weight": 10}]}, "steps belong to strategy canary"),
        ({**CANARY, "keepSeconds": 5}, "keepSeconds belongs to strategy blueGreen"),
        ({**CANARY, "preview": {"header": "X", "cookie": "x"}}, "either header or cookie"),
        ({**CANARY, "preview": {"value": "x"}}, "either header or cookie"),
        ({**CANARY, "analysis": {}}, "needs errorRatio, latency, comparison, errorBudget or"),
        ({**CANARY, "analysis": {"queries": [QUERY]}}, "a query needs min, max or both"),
        (
            {**CANARY, "analysis": {"queries": [{**QUERY, "min": 2, "max": 1}]}},
            "min must not be above max",
        ),
        (
            {**CANARY, "analysis": {"queries": [{**QUERY, "name": "latency", "max": 1}]}},
            "the names of other metrics",
        ),
        (
            {"drainSeconds": 60, "progressDeadlineSeconds": 60},
            "drainSeconds must be less than rollout.progressDeadlineSeconds",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_what_to_do(rollout: dict[str, Any], message: str) -> None:
    (found,) = refused(workload(**rollout))
    assert message in found


def test_a_port_that_no_container_has_is_refused() -> None:
    manifest = workload()
    manifest["spec"]["port"] = 9090
    (found,) = refused(manifest)
    assert "must be the containerPort" in found


def test_a_container_without_a_readiness_probe_is_refused() -> None:
    manifest = workload()
    del manifest["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    (found,) = refused(manifest)
    assert "needs a readinessProbe" in found


@pytest.mark.parametrize("name", ["1web", "web-", "a" * 51])
def test_a_name_that_services_cannot_have_is_refused(name: str) -> None:
    manifest = workload()
    manifest["metadata"]["name"] = name
    (found,) = refused(manifest)
    assert "must begin with a letter" in found


@pytest.mark.parametrize(
    ("rollout", "field"),
    [
        ({"strategy": "canary", "steps": [{"weight": 101}]}, "weight"),
        ({"strategy": "canary", "steps": [{"weight": -1}]}, "weight"),
        ({"strategy": "rolling"}, "strategy"),
        ({**CANARY, "analysis": {"errorRatio": {"max": 1.5}}}, "errorRatio"),
        ({**CANARY, "analysis": {"latency": {"quantile": 1, "maxSeconds": 1}}}, "quantile"),
    ],
)
def test_a_value_out_of_bounds_is_refused(rollout: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Workload.model_validate(workload(**rollout))
