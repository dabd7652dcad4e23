"""The pods of a RedisTier's servers and Sentinels, and what goes with them."""

from typing import NamedTuple

from pydantic import JsonValue

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import object_at, stamped
from tenfold_operator.model.names import APP, MANAGED_BY, MANAGER, SHARD, TIER, owned
from tenfold_operator.model.tier_tls import FOLDER, Certificate
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan import restricted
from tenfold_operator.plan.redis_config import config_hash, memory_bytes


class PodSet(NamedTuple):
    """What tells the StatefulSets of a tier apart: servers, Sentinels, the shards of a cluster."""

    name: str
    service: str
    app: str
    size: int
    shard: int | None = None
    """Of a cluster: its replicas keep off each other's nodes."""

    def labels(self, tier: RedisTier) -> dict[str, str]:
        """Return the labels that its pods have and no others."""
        shard = {} if self.shard is None else {SHARD: str(self.shard)}
        return {APP: self.app, TIER: tier.metadata.name, **shard}


def head(tier: RedisTier, kind: str, name: str, app: str) -> JsonObject:
    """Return the head of an object that goes when the tier goes."""
    labels = {APP: app, TIER: tier.metadata.name}
    return owned(kind, name, "RedisTier", tier.metadata, labels)


def servers(
    tier: RedisTier, own: PodSet, volume: str, certificate: Certificate | None
) -> JsonObject:
    """Return the StatefulSet of Redis servers with volumes of this size, each with its exporter.

    They restart for another authority: one that runs does not say whom it trusts.
    """
    redis = container(tier, own, "start-redis.sh", _redis_resources(tier))
    redis["ports"] = [{"name": "redis", "containerPort": names.REDIS_PORT}]
    redis.update(_probes(names.REDIS_PORT))
    redis["lifecycle"] = {"preStop": {"exec": {"command": ["sh", "/config/leave.sh"]}}}
    pods = stateful_set(tier, own, [redis, _exporter(tier)], volume)
    if certificate:
        annotations(pods)["tenfold.dev/authority"] = certificate.authority
    # The operator restarts the servers itself: the StatefulSet's order knows no primary.
    object_at(pods, "spec")["updateStrategy"] = {"type": "OnDelete"}
    return stamped(pods)


def stateful_set(
    tier: RedisTier, own: PodSet, containers: list[JsonValue], volume: str
) -> JsonObject:
    """Return the StatefulSet of these containers, with volumes of this size."""
    labels: JsonObject = {**own.labels(tier)}
    manifest = head(tier, "StatefulSet", own.name, own.app)
    manifest["spec"] = {
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
                "securityContext": restricted.OF_POD,
                "topologySpreadConstraints": [
                    _spread("topology.kubernetes.io/zone", labels),
                    _spread("kubernetes.io/hostname", labels, is_must=own.shard is not None),
                ],
                "containers": containers,
                "volumes": _volumes(tier),
            },
        },
        "volumeClaimTemplates": [_claim(tier, volume)],
    }
    return manifest


def annotations(stateful_set: JsonObject) -> JsonObject:
    """Return the annotations of its pods: they restart for another value."""
    return object_at(stateful_set, "spec", "template", "metadata", "annotations")


def _spread(key: str, labels: JsonObject, *, is_must: bool = False) -> JsonObject:
    spread: JsonObject = {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule" if is_must else "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels},
    }
    # A node that is gone has none of them, and must not keep the others from having more.
    return {**spread, "nodeTaintsPolicy": "Honor"} if is_must else spread


def container(tier: RedisTier, own: PodSet, script: str, resources: JsonObject) -> JsonObject:
    """Return the container that runs a start script; it is called like the program."""
    return {
        "name": script.removeprefix("start-").removesuffix(".sh"),
        "image": tier.spec.images.redis,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", f"/config/{script}"],
        "env": [
            {"name": "TIER", "value": tier.metadata.name},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "NODES", "value": names.domain(tier, names.nodes(tier))},
            *_surroundings(tier, own),
        ],
        "volumeMounts": [
            {"name": "config", "mountPath": "/config", "readOnly": True},
            {"name": "auth", "mountPath": "/auth", "readOnly": True},
            {"name": names.VOLUME, "mountPath": "/data"},
            *tls_mounts(tier),
        ],
        "resources": resources,
        "securityContext": restricted.OF_CONTAINER,
    }


def _surroundings(tier: RedisTier, own: PodSet) -> tuple[JsonObject, ...]:
    if own.shard is None:
        sentinels = names.domain(tier, names.sentinel(tier))
        return ({"name": "SENTINELS", "value": sentinels},)
    address: JsonObject = {"fieldRef": {"fieldPath": "status.podIP"}}
    return (
        {"name": "SHARD", "value": names.shard(tier, own.shard)},
        {"name": "ADDRESS", "valueFrom": address},
    )


def liveness(port: int) -> JsonObject:
    """Probe the port alone: a process for each probe would cost more than the server itself."""
    return {"tcpSocket": {"port": port}, "periodSeconds": 10, "failureThreshold": 6}


def _probes(port: int) -> JsonObject:
    ready: JsonObject = {"exec": {"command": ["sh", "/config/ready.sh"]}, "timeoutSeconds": 3}
    return {
        # Asked often until it is ready for the first time, and seldom from then on. A server may
        # hold its start back, load a large data set or wait for a primary: it is left to do so.
        "startupProbe": {**ready, "periodSeconds": 2, "failureThreshold": 24 * 60 * 60},
        "readinessProbe": {**ready, "periodSeconds": 30, "failureThreshold": 1},
        "livenessProbe": liveness(port),
    }


def _exporter(tier: RedisTier) -> JsonObject:
    key: JsonObject = {"secretKeyRef": {"name": names.secret(tier), "key": "password"}}
    scheme, unverified = "redis", list[JsonValue]()
    if tier.spec.tls:
        # Certificates are for the names of pods and Services, not for the pod's own loopback.
        scheme = "rediss"
        unverified = [{"name": "REDIS_EXPORTER_SKIP_TLS_VERIFICATION", "value": "true"}]
    return {
        "name": "exporter",
        "image": tier.spec.images.exporter,
        "imagePullPolicy": "IfNotPresent",
        "command": ["redis_exporter"],
        "env": [
            {"name": "REDIS_ADDR", "value": f"{scheme}://127.0.0.1:{names.REDIS_PORT}"},
            {"name": "REDIS_PASSWORD", "valueFrom": key},
            *unverified,
        ],
        "ports": [{"name": "metrics", "containerPort": 9121}],
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "200m", "memory": "64Mi"},
        },
        "securityContext": restricted.OF_CONTAINER,
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
        *tls_volumes(tier),
    ]


def tls_mounts(tier: RedisTier) -> tuple[JsonObject, ...]:
    """Return where a container that speaks with the tier has its certificates."""
    mount: JsonObject = {"name": "tls", "mountPath": FOLDER, "readOnly": True}
    return (mount,) if tier.spec.tls else ()


def tls_volumes(tier: RedisTier) -> tuple[JsonObject, ...]:
    """Return the volume of the tier's certificates."""
    if tier.spec.tls is None:
        return ()
    source: JsonObject = {"secretName": tier.spec.tls.secret_name, "defaultMode": 0o440}
    return ({"name": "tls", "secret": source},)


def _claim(tier: RedisTier, size: str) -> JsonObject:
    spec: JsonObject = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
    }
    if storage_class := tier.spec.persistence.storage_class_name:
        spec["storageClassName"] = storage_class
    return {"metadata": {"name": names.VOLUME}, "spec": spec}


def headless(tier: RedisTier, own: PodSet, port_name: str, port: int) -> JsonObject:
    """Return the Service that gives each pod a name, whether it is ready or not."""
    manifest = head(tier, "Service", own.service, own.app)
    manifest["spec"] = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": {APP: own.app, TIER: tier.metadata.name},
        "ports": [{"name": port_name, "port": port, "targetPort": port}],
    }
    return stamped(manifest)


def budget(tier: RedisTier, own: PodSet) -> JsonObject:
    """Return the budget by which at most one of the pods is drained at a time."""
    manifest = head(tier, "PodDisruptionBudget", own.name, own.app)
    manifest["spec"] = {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": {**own.labels(tier)}},
    }
    return stamped(manifest)
