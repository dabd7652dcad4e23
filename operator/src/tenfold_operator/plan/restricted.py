"""What pods of ours may do: no more than the Pod Security Standard `restricted` allows."""

from tenfold_operator.model.base import JsonObject

_USER = 65532  # neither root nor anybody that an image knows
OF_POD: JsonObject = {
    "runAsNonRoot": True,
    "runAsUser": _USER,
    "runAsGroup": _USER,
    "fsGroup": _USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""securityContext of a pod."""
OF_CONTAINER: JsonObject = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
"""securityContext of its containers."""
