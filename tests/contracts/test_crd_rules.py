"""The rules of the CRDs refuse what is wrong, with the message that says what to do.

The rules are tried with an implementation of CEL; the bounds of single fields with the models.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import celpy
import pytest
import yaml
from celpy import celtypes
from celpy.adapter import json_to_cel
from tenfold_operator.model import manifest
from tenfold_operator.model.generated import Workload

from tests.runbooks import files

ROOT = Path(__file__).parents[2]
CRD = yaml.safe_load((ROOT / "operator/crds/workloads.yaml").read_text())
SCHEMA = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
CANARY = {"strategy": "canary", "steps": [{"weight": 10}, {"weight": 50}]}
ERRORS = {"errorRatio": {"max": 0.01}}


def is_sorted(values: celtypes.ListType) -> celtypes.BoolType:
    """A function of Kubernetes' own."""
    found = [int(cast(int, each)) for each in values]
    return celtypes.BoolType(found == sorted(found))


def quantity(text: celtypes.StringType) -> celtypes.IntType:
    """A function of Kubernetes' own; here a quantity is a number of bytes."""
    return celtypes.IntType(int(cast(Decimal, manifest.quantity(str(text)))))


def compare_to(one: celtypes.IntType, other: celtypes.IntType) -> celtypes.IntType:
    """A function of Kubernetes' own, on quantities."""
    return celtypes.IntType((one > other) - (one < other))


def holds(rule: str, value: Any, old: Any = None) -> bool:
    environment = celpy.Environment()
    functions: dict[str, Callable[..., Any]] = {
        "isSorted": is_sorted,
        "quantity": quantity,
        "compareTo": compare_to,
    }
    program = environment.program(environment.compile(rule), functions=functions)
    return bool(program.evaluate({"self": json_to_cel(value), "oldSelf": json_to_cel(old)}))


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


def of_guide(page: str, file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(files(ROOT / f"docs/guides/{page}.md")[file])
    return found


def test_the_guides_resources_are_taken_and_refused_as_they_say() -> None:
    assert refused(of_guide("first-service", "shop.yaml")) == []
    (message,) = refused(of_guide("gitops", "workload.yaml"))
    assert "readinessProbe" in message
    sale = of_guide("10x-event", "sale.yaml")["spec"]
    assert refused({**workload(), "spec": {**workload()["spec"], **sale}}) == []


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


def scaled(**scaling: Any) -> dict[str, Any]:
    manifest = workload()
    manifest["spec"]["scaling"] = {"maxReplicas": 10, **scaling}
    return manifest


SALE = {"name": "sale", "start": "09:00", "end": "18:00", "minReplicas": 5}
CAMPAIGN = {
    "name": "black friday",
    "start": "2026-11-27T00:00:00+03:00",
    "end": "2026-11-30T00:00:00+03:00",
}


@pytest.mark.parametrize(
    "scaling",
    [{}, {"minReplicas": 10}, {"schedules": [SALE]}, {"forecast": {"campaigns": [CAMPAIGN]}}],
)
def test_scaling_that_is_right_is_accepted(scaling: dict[str, Any]) -> None:
    assert refused(scaled(**scaling)) == []
    assert Workload.model_validate(scaled(**scaling))


@pytest.mark.parametrize(
    ("scaling", "message"),
    [
        ({"minReplicas": 11}, "minReplicas must not be more than scaling.maxReplicas"),
        ({"schedules": [{**SALE, "minReplicas": 11}]}, "a schedule's minReplicas must not be more"),
        (
            {"forecast": {"campaigns": [{**CAMPAIGN, "end": CAMPAIGN["start"]}]}},
            "a campaign must end after its start",
        ),
    ],
)
def test_scaling_that_is_wrong_is_refused(scaling: dict[str, Any], message: str) -> None:
    (found,) = refused(scaled(**scaling))
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


@pytest.mark.parametrize(
    ("spec", "is_right"),
    [
        ({"topology": "cluster", "shards": 3}, True),
        ({"topology": "replicated"}, True),
        ({"topology": "cluster"}, False),
        ({"topology": "replicated", "shards": 3}, False),
    ],
)
def test_clusters_say_how_many_shards_they_have_and_nothing_else_does(
    spec: dict[str, Any], is_right: bool
) -> None:
    crd = yaml.safe_load((ROOT / "operator/crds/redistiers.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    rules = schema["properties"]["spec"]["x-kubernetes-validations"]
    (rule,) = [each["rule"] for each in rules if each["fieldPath"] == ".shards"]
    assert holds(rule, spec) is is_right


@pytest.mark.parametrize(
    ("suspicion", "is_right"),
    [({}, True), ({"slowMilliseconds": 50}, True), ({"detectors": ["l2-health"]}, False)],
)
def test_a_cluster_names_no_detectors(suspicion: dict[str, Any], is_right: bool) -> None:
    crd = yaml.safe_load((ROOT / "operator/crds/redistiers.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    rules = schema["properties"]["spec"]["x-kubernetes-validations"]
    (rule,) = [each["rule"] for each in rules if each["fieldPath"] == ".handover"]
    assert holds(rule, {"topology": "cluster", "handover": {"suspicion": suspicion}}) is is_right
    assert holds(rule, {"topology": "replicated", "handover": {"suspicion": suspicion}})


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ({}, {"size": "1Gi"}, []),
        ({}, {"size": "2Gi"}, []),
        ({"size": "1Gi"}, {"size": "1025Mi"}, []),
        ({"size": "1Gi"}, {"size": "1023Mi"}, [".persistence.size"]),
        ({"size": "2Gi"}, {}, [".persistence.size"]),
        ({"mode": "aof"}, {"mode": "rdb"}, [".persistence.mode"]),
        ({}, {"storageClassName": "fast"}, [".persistence.storageClassName"]),
        ({"storageClassName": "fast"}, {}, [".persistence.storageClassName"]),
        ({"storageClassName": "a"}, {"storageClassName": "b"}, [".persistence.storageClassName"]),
        ({"storageClassName": "a"}, {"storageClassName": "a", "size": "2Gi"}, []),
    ],
)
def test_volumes_of_a_tier_grow_and_nothing_else_of_its_persistence_changes(
    before: dict[str, Any], after: dict[str, Any], refused: list[str]
) -> None:
    crd = yaml.safe_load((ROOT / "operator/crds/redistiers.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    old, new = (with_defaults(schema, {"persistence": each}) for each in (before, after))
    rules = [
        each
        for each in schema["x-kubernetes-validations"]
        if each["fieldPath"].startswith(".persistence")
    ]
    assert [each["fieldPath"] for each in rules if not holds(each["rule"], new, old)] == refused


@pytest.mark.parametrize(
    ("spec", "is_right"),
    [
        ({}, True),
        ({"snapshot": "0a1b2c3d"}, True),
        ({"pointInTime": "2026-01-01T12:00:00Z"}, True),
        ({"pointInTime": "2026-01-01T12:00:00Z", "snapshot": "0a1b2c3d"}, False),
        ({"pointInTime": "2026-01-01T12:00:00Z", "schedule": "0 3 * * *"}, False),
    ],
)
def test_a_point_in_time_chooses_its_snapshot_by_itself_and_once(
    spec: dict[str, Any], is_right: bool
) -> None:
    crd = yaml.safe_load((ROOT / "operator/crds/redisrestores.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    wanted = with_defaults(schema, {"backup": "nightly", "mode": "drill", **spec})
    assert (list(refusals(schema, wanted)) == []) is is_right
