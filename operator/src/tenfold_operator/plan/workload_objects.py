"""The Kubernetes objects of a Workload, built from its spec."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from pydantic import JsonValue

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import Workload, WorkloadRolloutPreview
from tenfold_operator.model.manifest import (
    Ref,
    digest,
    json_copy,
    number_at,
    object_at,
    objects_at,
    stamped,
    text_at,
)
from tenfold_operator.model.names import APP, MANAGED_BY, MANAGER, REVISION, WORKLOAD, owned
from tenfold_operator.model.observed import Backend

DEFAULT_GRACE_SECONDS = 30
"""What Kubernetes gives a pod that asks for nothing else."""


def revision_of(workload: Workload, config: Mapping[str, str]) -> str:
    """Return the revision that the spec asks for: a hash of the template, its port and config."""
    content: JsonObject = {
        "template": workload.spec.template.to_json(),
        "port": workload.spec.port,
    }
    if config:
        content["config"] = {**config}
    return digest(content)


def named_config(workload: Workload) -> tuple[Ref, ...]:
    """Return the ConfigMaps and Secrets that the pod template names."""
    spec = object_at(workload.spec.template.to_json(), "spec")
    volumes = objects_at(spec, "volumes")
    sources = [each for volume in volumes for each in objects_at(volume, "projected", "sources")]
    containers = (*objects_at(spec, "containers"), *objects_at(spec, "initContainers"))
    variables = [
        object_at(each, "valueFrom") for one in containers for each in objects_at(one, "env")
    ]
    wholes = [each for one in containers for each in objects_at(one, "envFrom")]
    holders = (*volumes, *sources, *variables, *wholes)
    namespace = workload.metadata.namespace
    found = {
        Ref(kind, namespace, name)
        for kind, paths in _NAMING.items()
        for holder in holders
        for path in paths
        if (name := text_at(holder, *path))
    }
    return tuple(sorted(found))


_NAMING = {
    "ConfigMap": (("configMap", "name"), ("configMapKeyRef", "name"), ("configMapRef", "name")),
    "Secret": (
        ("secret", "secretName"),  # of a volume
        ("secret", "name"),  # of a projected source
        ("secretKeyRef", "name"),
        ("secretRef", "name"),
    ),
}


def object_name(workload: Workload, revision: str) -> str:
    """Return the name of the revision's Deployment and Service."""
    return f"{workload.metadata.name}-{revision}"


def selector(workload: Workload, revision: str) -> dict[str, str]:
    """Return the labels that select the revision's pods."""
    return {WORKLOAD: workload.metadata.name, REVISION: revision}


def deployment(workload: Workload, revision: str, replicas: int) -> JsonObject:
    """Return the Deployment of the revision that the spec asks for."""
    labels = selector(workload, revision)
    head = _head("Deployment", object_name(workload, revision), workload, labels)
    head["spec"] = {
        "replicas": replicas,
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
    metadata["labels"] = {**own, **labels, MANAGED_BY: MANAGER}
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


def service(workload: Workload, revision: str) -> JsonObject:
    """Return the Service of the revision that the spec asks for."""
    labels = selector(workload, revision)
    head = _head("Service", object_name(workload, revision), workload, labels)
    port = workload.spec.port
    head["spec"] = {
        "selector": dict(labels),
        "ports": [{"name": "http", "port": port, "targetPort": port, "protocol": "TCP"}],
    }
    return stamped(head)


def route(
    workload: Workload,
    backends: Iterable[Backend],
    preview: str | None,
    keeping: Collection[str] = (),
) -> JsonObject:
    """Return the HTTPRoute that sends the traffic to `backends`.

    Requests that ask for it reach the revision `preview`, whatever its weight. Visitors of the
    revisions `keeping` stay with them where the spec asks for affinity.
    """
    spec = workload.spec.route
    head = _head("HTTPRoute", workload.metadata.name, workload, {})
    hostnames: list[JsonValue] = [*spec.hostnames]
    named = tuple(backends)
    path: JsonObject = {"path": {"type": "PathPrefix", "value": spec.path_prefix}}

    def rule(match: JsonObject, references: Iterable[Backend]) -> JsonObject:
        return {
            "matches": [{**path, **match}],
            "backendRefs": [_reference(workload, each) for each in references],
        }

    alone = {each.revision: replace(each, weight=1) for each in named}
    rules: list[JsonValue] = []
    wanted, affinity = workload.spec.rollout.preview, workload.spec.rollout.affinity
    if preview and wanted:
        rules.append(rule({"headers": [_asks_for(wanted)]}, [alone[preview]]))
    if affinity:
        rules += [
            rule({"headers": [_carries(affinity.cookie, revision)]}, [backend])
            for revision, backend in alone.items()
            if revision in keeping
        ]
    rules.append(rule({}, named))
    head["spec"] = {
        "parentRefs": [{"name": spec.gateway.name, "namespace": spec.gateway.namespace}],
        **({"hostnames": hostnames} if hostnames else {}),
        "rules": rules,
    }
    return stamped(head)


def _reference(workload: Workload, backend: Backend) -> JsonObject:
    return {
        "kind": "Service",
        "name": object_name(workload, backend.revision),
        "port": backend.port,
        "weight": backend.weight,
    }


def _asks_for(preview: WorkloadRolloutPreview) -> JsonObject:
    if preview.header:
        return {"type": "Exact", "name": preview.header, "value": preview.value}
    return _carries(preview.cookie or "", preview.value)


def _carries(cookie: str, value: str) -> JsonObject:
    # Gateway API matches no cookies, but the header that they come in.
    pattern = rf"(^|; *){cookie}={re.escape(value)}(;|$)"
    return {"type": "RegularExpression", "name": "Cookie", "value": pattern}


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
