"""The Kubernetes objects of a Workload, built from its spec."""

from collections.abc import Iterable

from pydantic import JsonValue

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import Workload
from tenfold_operator.model.manifest import (
    digest,
    json_copy,
    number_at,
    object_at,
    objects_at,
    stamped,
)
from tenfold_operator.model.names import APP, REVISION, WORKLOAD, owned
from tenfold_operator.model.observed import Backend

DEFAULT_GRACE_SECONDS = 30
"""What Kubernetes gives a pod that asks for nothing else."""


def revision_of(workload: Workload) -> str:
    """Return the revision that the spec asks for: a hash of the template and the port."""
    template = workload.spec.template.to_json()
    return digest({"template": template, "port": workload.spec.port})


def object_name(workload: Workload, revision: str) -> str:
    """Return the name of the revision's Deployment and Service."""
    return f"{workload.metadata.name}-{revision}"


def selector(workload: Workload, revision: str) -> dict[str, str]:
    """Return the labels that select the revision's pods."""
    return {WORKLOAD: workload.metadata.name, REVISION: revision}


def deployment(workload: Workload) -> JsonObject:
    """Return the Deployment of the revision that the spec asks for, at full size."""
    revision = revision_of(workload)
    labels = selector(workload, revision)
    head = _head("Deployment", object_name(workload, revision), workload, labels)
    head["spec"] = {
        "replicas": workload.spec.replicas,
        "progressDeadlineSeconds": workload.spec.rollout.progress_deadline_seconds,
        "revisionHistoryLimit": 1,
        # Only for repairs of this revision: another template is another Deployment.
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"},
        },
        "selector": {"matchLabels": dict(labels)},
        "template": _pod_template(workload, labels),
    }
    return stamped(head)


def _pod_template(workload: Workload, labels: dict[str, str]) -> JsonObject:
    template = json_copy(workload.spec.template.to_json())
    metadata, spec = object_at(template, "metadata"), object_at(template, "spec")
    own = {APP: workload.metadata.name, **object_at(metadata, "labels")}
    metadata["labels"] = {**own, **labels}
    drain = workload.spec.rollout.drain_seconds
    grace = number_at(spec, "terminationGracePeriodSeconds") or DEFAULT_GRACE_SECONDS
    spec["terminationGracePeriodSeconds"] = drain + grace
    spec.setdefault("topologySpreadConstraints", [_zone_spread(labels)])
    for container in objects_at(spec, "containers"):
        lifecycle = object_at(container, "lifecycle")
        # New requests go elsewhere some time after the pod is told to end: it serves on till then.
        lifecycle.setdefault("preStop", {"sleep": {"seconds": drain}})
        container["lifecycle"] = lifecycle
        if _serves(container, workload.spec.port):
            _name_revision(container)
    return {"metadata": metadata, "spec": spec}


def _zone_spread(labels: dict[str, str]) -> JsonObject:
    return {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": dict(labels)},
    }


def _serves(container: JsonObject, port: int) -> bool:
    return any(each.get("containerPort") == port for each in objects_at(container, "ports"))


def _name_revision(container: JsonObject) -> None:
    environment = list(objects_at(container, "env"))
    if all(each.get("name") != "TENFOLD_REVISION" for each in environment):
        path = f"metadata.labels['{REVISION}']"
        environment.append(
            {"name": "TENFOLD_REVISION", "valueFrom": {"fieldRef": {"fieldPath": path}}}
        )
    container["env"] = [*environment]


def service(workload: Workload) -> JsonObject:
    """Return the Service of the revision that the spec asks for."""
    revision = revision_of(workload)
    labels = selector(workload, revision)
    head = _head("Service", object_name(workload, revision), workload, labels)
    port = workload.spec.port
    head["spec"] = {
        "selector": dict(labels),
        "ports": [{"name": "http", "port": port, "targetPort": port, "protocol": "TCP"}],
    }
    return stamped(head)


def route(workload: Workload, backends: Iterable[Backend]) -> JsonObject:
    """Return the HTTPRoute that sends the traffic to `backends`."""
    spec = workload.spec.route
    head = _head("HTTPRoute", workload.metadata.name, workload, {})
    hostnames: list[JsonValue] = [*spec.hostnames]
    references: list[JsonValue] = [
        {
            "kind": "Service",
            "name": object_name(workload, each.revision),
            "port": each.port,
            "weight": each.weight,
        }
        for each in backends
    ]
    path: JsonObject = {"type": "PathPrefix", "value": spec.path_prefix}
    head["spec"] = {
        "parentRefs": [{"name": spec.gateway.name, "namespace": spec.gateway.namespace}],
        **({"hostnames": hostnames} if hostnames else {}),
        "rules": [{"matches": [{"path": path}], "backendRefs": references}],
    }
    return stamped(head)


def budget(workload: Workload, revision: str) -> JsonObject:
    """Return the PodDisruptionBudget: one pod of the serving revision may be evicted at a time."""
    head = _head("PodDisruptionBudget", workload.metadata.name, workload, {})
    head["spec"] = {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": dict(selector(workload, revision))},
    }
    return stamped(head)


def _head(kind: str, name: str, workload: Workload, labels: dict[str, str]) -> JsonObject:
    meta = workload.metadata
    own = {APP: meta.name, WORKLOAD: meta.name, **labels}
    return owned(kind, name, "Workload", meta, own)
