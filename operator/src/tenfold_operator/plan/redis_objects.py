"""The Kubernetes objects of a RedisTier, built from its spec."""

from typing import NamedTuple

from pydantic import JsonValue

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import object_at, stamped
from tenfold_operator.model.names import APP, MANAGED_BY, MANAGER, TIER, owned
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan.redis_config import config_hash, config_map, memory_bytes

POD_NAME = "statefulset.kubernetes.io/pod-name"
_USER = 65532
_SENTINEL_VOLUME = "64Mi"
_RESTRICTED: JsonObject = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


class _Set(NamedTuple):
    """What tells the servers' StatefulSet and the Sentinels' apart."""

    name: str
    service: str
    app: str
    size: int


def servers(tier: RedisTier, size: int) -> tuple[JsonObject, ...]:
    """Return the objects of the Redis servers, `size` of them."""
    own = _Set(tier.metadata.name, names.nodes(tier), "redis", size)
    redis = _container(tier, "redis", "start-redis.sh", _redis_resources(tier))
    redis["ports"] = [{"name": "redis", "containerPort": names.REDIS_PORT}]
    redis["readinessProbe"] = {
        "exec": {"command": ["sh", "/config/ready.sh"]},
        "periodSeconds": 5,
        "timeoutSeconds": 3,
    }
    _add_port_probes(redis, names.REDIS_PORT)
    redis["lifecycle"] = {"preStop": {"exec": {"command": ["sh", "/config/leave.sh"]}}}
    claim = _claim(tier, tier.spec.persistence.size)
    pods = _stateful_set(tier, own, [redis, _exporter(tier)], claim)
    # The operator restarts the servers itself: the StatefulSet's order knows no primary.
    object_at(pods, "spec")["updateStrategy"] = {"type": "OnDelete"}
    return (
        config_map(tier),
        _headless(tier, own, "redis", names.REDIS_PORT),
        stamped(pods),
        _budget(tier, own),
    )


def sentinels(tier: RedisTier) -> tuple[JsonObject, ...]:
    """Return the objects of the three Sentinels."""
    own = _Set(names.sentinel(tier), names.sentinel(tier), "redis-sentinel", names.SENTINELS)
    resources: JsonObject = {
        "requests": {"cpu": "20m", "memory": "32Mi"},
        "limits": {"cpu": "500m", "memory": "64Mi"},
    }
    sentinel = _container(tier, "sentinel", "start-sentinel.sh", resources)
    sentinel["ports"] = [{"name": "sentinel", "containerPort": names.SENTINEL_PORT}]
    sentinel["readinessProbe"] = {
        "tcpSocket": {"port": names.SENTINEL_PORT},
        "periodSeconds": 2,
    }
    _add_port_probes(sentinel, names.SENTINEL_PORT)
    # What a Sentinel has learnt must outlive its pod: one that began anew while the primary moves
    # would know neither the servers nor the other Sentinels.
    claim = _claim(tier, _SENTINEL_VOLUME)
    return (
        _headless(tier, own, "sentinel", names.SENTINEL_PORT),
        stamped(_stateful_set(tier, own, [sentinel], claim)),
        _budget(tier, own),
    )


def primary_service(tier: RedisTier, primary: str) -> JsonObject:
    """Return the Service that leads to the pod `primary` and to no other.

    It gives the address out even when the pod is not ready: who is primary is the Sentinels' word,
    and a probe that has not noticed a promotion yet would only delay the clients.
    """
    meta = tier.metadata
    head = _head(tier, "Service", meta.name, "redis")
    head["spec"] = {
        "selector": {TIER: meta.name, POD_NAME: primary},
        "publishNotReadyAddresses": True,
        "ports": [
            {"name": "redis", "port": names.REDIS_PORT, "targetPort": names.REDIS_PORT},
        ],
    }
    return stamped(head)


def auth_secret(tier: RedisTier) -> JsonObject:
    """Return the Secret for the password, without it."""
    return _head(tier, "Secret", names.secret(tier), "redis")


def _head(tier: RedisTier, kind: str, name: str, app: str) -> JsonObject:
    labels = {APP: app, TIER: tier.metadata.name}
    return owned(kind, name, "RedisTier", tier.metadata, labels)


def _labels(tier: RedisTier, app: str) -> JsonObject:
    return {APP: app, TIER: tier.metadata.name}


def _stateful_set(
    tier: RedisTier, own: _Set, containers: list[JsonValue], claim: JsonObject
) -> JsonObject:
    labels = _labels(tier, own.app)
    head = _head(tier, "StatefulSet", own.name, own.app)
    head["spec"] = {
        "serviceName": own.service,
        "replicas": own.size,
        # Time for the Sentinels to take notice of one before the next one restarts.
        "minReadySeconds": 5,
        # Servers wait for a primary and Sentinels for the servers: none may hold the others up.
        "podManagementPolicy": "Parallel",
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {
                "labels": {**labels, MANAGED_BY: MANAGER},
                "annotations": {"tenfold.dev/config": config_hash(tier, own.app)},
            },
            "spec": {
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "terminationGracePeriodSeconds": 30,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": _USER,
                    "runAsGroup": _USER,
                    "fsGroup": _USER,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "topologySpreadConstraints": [
                    _spread("topology.kubernetes.io/zone", labels),
                    _spread("kubernetes.io/hostname", labels),
                ],
                "containers": containers,
                "volumes": _volumes(tier),
            },
        },
        "volumeClaimTemplates": [claim],
    }
    return head


def _spread(key: str, labels: JsonObject) -> JsonObject:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels},
    }


def _container(tier: RedisTier, name: str, script: str, resources: JsonObject) -> JsonObject:
    pod_name: JsonObject = {"fieldRef": {"fieldPath": "metadata.name"}}
    return {
        "name": name,
        "image": tier.spec.images.redis,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", f"/config/{script}"],
        "env": [
            {"name": "TIER", "value": tier.metadata.name},
            {"name": "POD", "valueFrom": pod_name},
            {"name": "NODES", "value": names.domain(tier, names.nodes(tier))},
            {"name": "SENTINELS", "value": names.domain(tier, names.sentinel(tier))},
        ],
        "volumeMounts": [
            {"name": "config", "mountPath": "/config", "readOnly": True},
            {"name": "auth", "mountPath": "/auth", "readOnly": True},
            {"name": "data", "mountPath": "/data"},
        ],
        "resources": resources,
        "securityContext": _RESTRICTED,
    }


def _add_port_probes(container: JsonObject, port: int) -> None:
    """Probe the port alone: a process for each probe would cost more than the server itself."""
    # A server may hold its start back for a failover, or load a large data set.
    container["startupProbe"] = {
        "tcpSocket": {"port": port},
        "periodSeconds": 2,
        "failureThreshold": 600,
    }
    container["livenessProbe"] = {
        "tcpSocket": {"port": port},
        "periodSeconds": 10,
        "failureThreshold": 6,
    }


def _exporter(tier: RedisTier) -> JsonObject:
    key: JsonObject = {"secretKeyRef": {"name": names.secret(tier), "key": "password"}}
    return {
        "name": "exporter",
        "image": tier.spec.images.exporter,
        "imagePullPolicy": "IfNotPresent",
        "command": ["redis_exporter"],
        "env": [
            {"name": "REDIS_ADDR", "value": f"redis://127.0.0.1:{names.REDIS_PORT}"},
            {"name": "REDIS_PASSWORD", "valueFrom": key},
        ],
        "ports": [{"name": "metrics", "containerPort": 9121}],
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "200m", "memory": "64Mi"},
        },
        "securityContext": _RESTRICTED,
    }


def _redis_resources(tier: RedisTier) -> JsonObject:
    if tier.spec.resources:
        return tier.spec.resources.to_json()
    mebibytes = -(-memory_bytes(tier) // 2**20)
    # A snapshot's copy-on-write may double the data; buffers and the server come on top.
    return {
        "requests": {"cpu": "100m", "memory": f"{mebibytes + 64}Mi"},
        "limits": {"cpu": "1", "memory": f"{2 * mebibytes + 128}Mi"},
    }


def _volumes(tier: RedisTier) -> list[JsonValue]:
    return [
        {"name": "config", "configMap": {"name": f"{tier.metadata.name}-config"}},
        {"name": "auth", "secret": {"secretName": names.secret(tier), "defaultMode": 0o440}},
    ]


def _claim(tier: RedisTier, size: str) -> JsonObject:
    spec: JsonObject = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
    }
    if storage_class := tier.spec.persistence.storage_class_name:
        spec["storageClassName"] = storage_class
    return {"metadata": {"name": "data"}, "spec": spec}


def _headless(tier: RedisTier, own: _Set, port_name: str, port: int) -> JsonObject:
    head = _head(tier, "Service", own.service, own.app)
    head["spec"] = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": _labels(tier, own.app),
        "ports": [{"name": port_name, "port": port, "targetPort": port}],
    }
    return stamped(head)


def _budget(tier: RedisTier, own: _Set) -> JsonObject:
    head = _head(tier, "PodDisruptionBudget", own.name, own.app)
    head["spec"] = {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": _labels(tier, own.app)},
    }
    return stamped(head)
