"""Which fields of which kinds Kubernetes refuses to change: a change replaces the object."""

from typing import Final

from tenfold_pulumi_plugins.kubernetes import paths
from tenfold_pulumi_plugins.kubernetes.values import JsonObject

_ALWAYS: Final = ("metadata.name", "metadata.namespace")
_LABEL_SELECTOR: Final = ("spec.selector",)
_ROLE_BINDING: Final = ("roleRef",)

# By API group and kind. The official provider's list decides where Kubernetes leaves a choice
# (a Job's parallelism, a StatefulSet's history limit), so that both plan the same.
_FIELDS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("apps", "DaemonSet"): _LABEL_SELECTOR,
    ("apps", "Deployment"): _LABEL_SELECTOR,
    ("apps", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _ROLE_BINDING,
    ("rbac.authorization.k8s.io", "RoleBinding"): _ROLE_BINDING,
    ("scheduling.k8s.io", "PriorityClass"): ("value", "preemptionPolicy"),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
    ("", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    ("", "Pod"): ("spec",),
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Secret"): ("type",),
    ("", "Service"): ("spec.clusterIP",),
}
_CONTENT: Final = {"ConfigMap": ("binaryData", "data"), "Secret": ("stringData", "data")}


def patterns(obj: JsonObject, *, mutable_kinds: frozenset[str]) -> list[paths.Path]:
    """The paths of the object whose change needs a new object.

    The official provider replaces a ConfigMap or Secret whose content changes unless its
    configuration says that they are mutable; `mutable_kinds` names those.
    """
    group = obj["apiVersion"].rpartition("/")[0]
    kind = obj["kind"]
    fields = _ALWAYS + _FIELDS.get((group, kind), ())
    if group == "" and kind in _CONTENT and (kind not in mutable_kinds or obj.get("immutable")):
        fields += _CONTENT[kind]
    return [paths.parse(field) for field in fields]
