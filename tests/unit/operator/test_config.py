"""ConfigMaps and Secrets that a template names."""

from typing import Any

import pytest
from tenfold_operator.handlers.config import read_config
from tenfold_operator.model.generated import Workload
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.workload_objects import named_config, revision_of

from tests.unit.operator.world import NAMESPACE, World, template


def workload(pod: dict[str, Any] | None = None, **container: Any) -> Workload:
    spec = template("v1")["spec"]
    spec["containers"][0] |= container
    return Workload.model_validate(
        {
            "metadata": {"name": "web", "namespace": NAMESPACE},
            "spec": {"port": 8080, "template": {"spec": {**spec, **(pod or {})}}},
        }
    )


def env(source: str) -> dict[str, Any]:
    return {"env": [{"name": "A", "valueFrom": {source: {"name": "it", "key": "a"}}}]}


def volume(**source: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "v", **source}]}


def projected(kind: str) -> dict[str, Any]:
    return volume(projected={"sources": [{kind: {"name": "it"}}]})


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (workload(**env("configMapKeyRef")), "ConfigMap"),
        (workload(**env("secretKeyRef")), "Secret"),
        (workload(envFrom=[{"configMapRef": {"name": "it"}}]), "ConfigMap"),
        (workload(envFrom=[{"secretRef": {"name": "it"}}]), "Secret"),
        (workload(volume(configMap={"name": "it"})), "ConfigMap"),
        (workload(volume(secret={"secretName": "it"})), "Secret"),
        (workload(projected("configMap")), "ConfigMap"),
        (workload(projected("secret")), "Secret"),
        (workload({"initContainers": [{"name": "i", **env("secretKeyRef")}]}), "Secret"),
    ],
)
def test_every_way_to_name_one_is_known(found: Workload, kind: str) -> None:
    assert named_config(found) == (Ref(kind, NAMESPACE, "it"),)


def test_a_template_that_names_none_has_none() -> None:
    assert named_config(workload()) == ()
    assert named_config(workload(env=[{"name": "A", "value": "b"}])) == ()


def put(world: World, kind: str, data: dict[str, str]) -> None:
    world.objects[Ref(kind, NAMESPACE, "it")] = {"kind": kind, "data": data}


def test_the_digest_tells_a_changed_content_and_an_absent_object() -> None:
    world, spec = World(), workload(**env("secretKeyRef"))
    seen = [read_config(world, spec)]
    for data in ({"a": "1"}, {"a": "2"}):
        put(world, "Secret", data)
        seen.append(read_config(world, spec))
    assert seen[0] == {"Secret/it": "absent"}
    assert len({revision_of(spec, each) for each in seen}) == 3
    put(world, "Secret", {"a": "1"})
    assert read_config(world, spec) == seen[1]


def test_the_digest_does_not_hold_the_secret() -> None:
    world, spec = World(), workload(**env("secretKeyRef"))
    put(world, "Secret", {"a": "aHVzaA=="})
    assert "aHVzaA==" not in str(read_config(world, spec))


def test_labels_of_a_config_map_make_no_revision() -> None:
    world, spec = World(), workload(**env("configMapKeyRef"))
    put(world, "ConfigMap", {"a": "1"})
    before = read_config(world, spec)
    world.objects[Ref("ConfigMap", NAMESPACE, "it")]["metadata"] = {"labels": {"x": "y"}}
    assert read_config(world, spec) == before
