"""Names and labels that the operator's objects carry."""

from pydantic import JsonValue

from tenfold_operator.model.base import JsonObject, ObjectMeta

WORKLOAD = "tenfold.dev/workload"
REVISION = "tenfold.dev/revision"
TIER = "tenfold.dev/tier"
SHARD = "tenfold.dev/shard"
BACKUP = "tenfold.dev/backup"
RESTORE = "tenfold.dev/restore"
TRAINING = "tenfold.dev/training"
APP = "app.kubernetes.io/name"
MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "tenfold-operator"

API_VERSIONS = {
    "AnomalyDetector": "tenfold.dev/v1alpha1",
    "ConfigMap": "v1",
    "CronJob": "batch/v1",
    "Deployment": "apps/v1",
    "EndpointSlice": "discovery.k8s.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "Job": "batch/v1",
    "Node": "v1",
    "PersistentVolumeClaim": "v1",
    "Pod": "v1",
    "PodDisruptionBudget": "policy/v1",
    "RedisBackup": "tenfold.dev/v1alpha1",
    "RedisRestore": "tenfold.dev/v1alpha1",
    "RedisTier": "tenfold.dev/v1alpha1",
    "Secret": "v1",
    "Service": "v1",
    "StatefulSet": "apps/v1",
    "StorageClass": "storage.k8s.io/v1",
    "Workload": "tenfold.dev/v1alpha1",
}


def owned(
    kind: str, name: str, owner_kind: str, owner: ObjectMeta, labels: dict[str, str]
) -> JsonObject:
    """Return the head of an object that goes when its owner goes."""
    reference: JsonObject = {
        "apiVersion": API_VERSIONS[owner_kind],
        "kind": owner_kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    all_labels: dict[str, JsonValue] = {**labels, MANAGED_BY: MANAGER}
    return {
        "apiVersion": API_VERSIONS[kind],
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": owner.namespace,
            "labels": all_labels,
            "ownerReferences": [reference],
        },
    }
