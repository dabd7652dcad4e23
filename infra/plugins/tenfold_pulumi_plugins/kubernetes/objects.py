"""From a resource's properties to a Kubernetes object, to what the state keeps, and back."""

import hashlib
from dataclasses import dataclass
from typing import Final

from tenfold_pulumi_plugins.kubernetes import difference, readiness, values
from tenfold_pulumi_plugins.kubernetes.values import JsonObject

_AUTONAMED: Final = "pulumi.com/autonamed"
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_INPUTS: Final = "__inputs"
_INITIAL_API_VERSION: Final = "__initialApiVersion"
_FIELD_MANAGER: Final = "__fieldManager"
_SERVER_METADATA: Final = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}
)


@dataclass(frozen=True)
class TypeToken:
    """What a resource's URN says of its kind."""

    api_version: str
    kind: str
    name: str

    @classmethod
    def of(cls, urn: str) -> "TypeToken":
        """Read `urn:pulumi:STACK::PROJECT::[PARENT$]kubernetes:GROUP/VERSION:KIND::NAME`."""
        qualified, name = urn.split("::", 3)[2:]
        _, group_version, kind = qualified.rpartition("$")[2].split(":", 2)
        return cls(group_version.removeprefix("core/"), kind, name)

    @property
    def refusal(self) -> str | None:
        """Why the provider does not serve this type; None where it does."""
        group = self.api_version.partition("/")[0]
        if self.kind.endswith("Patch"):
            return "Patch resources are not supported here: manage the object itself"
        if self.kind.endswith("List") and self.api_version != "meta/v1":
            return "lists are not objects: create the resources in them"
        if group in ("helm.sh", "yaml", "kustomize"):
            return f"{group} resources are not supported here: write the resources out"
        return None


def is_named(inputs: JsonObject) -> bool:
    """Whether the object has a name, or will have one that is not known yet."""
    metadata = inputs.get("metadata")
    return isinstance(metadata, values.Unknown) or bool((metadata or {}).get("name"))


def is_autonamed(inputs: JsonObject) -> bool:
    """Whether Pulumi chose the object's name."""
    return bool(readiness.at(inputs, "metadata", "annotations", _AUTONAMED) == "true")


def with_name(inputs: JsonObject, name: str) -> JsonObject:
    """The inputs with a name that Pulumi chose."""
    metadata = inputs.get("metadata", {})
    annotations = metadata.get("annotations", {})
    if isinstance(annotations, dict):
        annotations = annotations | {_AUTONAMED: "true"}
    return inputs | {"metadata": metadata | {"name": name, "annotations": annotations}}


def unique_name(prefix: str, seed: bytes) -> str:
    """A name for a new object; the same seed, that of a preview, gives the same name."""
    return f"{prefix}-{hashlib.sha256(seed + prefix.encode()).hexdigest()[:8]}"


def with_namespace(inputs: JsonObject, namespace: str | None) -> JsonObject:
    """The inputs with a namespace if they lack one; without any for None."""
    metadata = inputs.get("metadata", {})
    if isinstance(metadata, values.Unknown):
        return inputs
    if namespace is None:
        kept = {key: value for key, value in metadata.items() if key != "namespace"}
        return inputs | {"metadata": kept}
    return inputs | {"metadata": {"namespace": namespace} | metadata}


def with_dashes(inputs: JsonObject) -> JsonObject:
    """The inputs with x-kubernetes-* keys as Kubernetes writes them: SDK names have no dash."""
    renamed: JsonObject = values.rename_keys(
        inputs, lambda key: _exchange(key, "x_kubernetes_", "_", "-")
    )
    return renamed


def _with_underscores(properties: JsonObject) -> JsonObject:
    renamed: JsonObject = values.rename_keys(
        properties, lambda key: _exchange(key, "x-kubernetes-", "-", "_")
    )
    return renamed


def _exchange(key: str, prefix: str, old: str, new: str) -> str:
    return key.replace(old, new) if key.startswith(prefix) else key


def to_state(inputs: JsonObject, live: JsonObject, manager: str, initial: str) -> JsonObject:
    """What the state keeps of a resource: the live object, and beside it what made it."""
    kept = _with_underscores(values.mark_secrets(_without_last_applied(live), inputs))
    if live.get("kind") == "Secret" and "stringData" in inputs:
        kept["data"] = values.Secret(values.plain(kept.get("data", {})))
    return kept | {
        _INPUTS: _with_underscores(values.mark_secrets(values.plain(inputs), inputs)),
        _INITIAL_API_VERSION: initial,
        _FIELD_MANAGER: manager,
    }


def manager_of(state: JsonObject, urn: str) -> str:
    """The field manager that applied the resource, or that a new one is applied as."""
    digest = hashlib.sha256(urn.encode()).hexdigest()[:8]
    return str(state.get(_FIELD_MANAGER) or f"pulumi-kubernetes-{digest}")


def initial_api_version(state: JsonObject, inputs: JsonObject) -> str:
    """The API version that the resource was first created with."""
    return str(state.get(_INITIAL_API_VERSION) or inputs["apiVersion"])


def inputs_of(state: JsonObject) -> JsonObject:
    """The inputs that the state keeps beside the object."""
    return with_dashes(state.get(_INPUTS, {}))


def adopted_inputs(live: JsonObject) -> JsonObject:
    """The inputs of an object that is read for the first time: all but what is the server's."""
    inputs = {key: value for key, value in live.items() if key != "status"}
    return _without_last_applied(without_server_fields(inputs))


def without_server_fields(inputs: JsonObject) -> JsonObject:
    """The inputs without the metadata that the server alone writes, as manifests often have it."""
    metadata = inputs.get("metadata")
    if not isinstance(metadata, dict):
        return inputs
    kept = {key: value for key, value in metadata.items() if key not in _SERVER_METADATA}
    return inputs | {"metadata": kept}


def not_assigned_yet(state: JsonObject) -> JsonObject:
    """The state of an object that is only previewed: what the server assigns is unknown.

    A server that is asked for a dry run makes it up: a uid that no object will ever have.
    """
    metadata = state.get("metadata")
    if not isinstance(metadata, dict):
        return state
    unknown = dict.fromkeys(_SERVER_METADATA, values.UNKNOWN)
    previewed = state | {"metadata": metadata | unknown}
    spec, given = state.get("spec"), state.get(_INPUTS, state).get("spec")
    if state.get("kind") == "Service" and isinstance(spec, dict) and isinstance(given, dict):
        addresses = {"clusterIP": values.UNKNOWN, "clusterIPs": values.UNKNOWN}
        previewed["spec"] = spec | addresses | given
    return previewed


def observed_inputs(inputs: JsonObject, live: JsonObject) -> JsonObject:
    """The inputs with the values that the cluster has now; differing ones are drift."""
    observed = difference.observed_inputs(values.plain(inputs), live)
    return values.mark_secrets(observed, inputs)


def _without_last_applied(obj: JsonObject) -> JsonObject:
    # kubectl's copy of the object has a Secret's data in plain text, and is nobody's input.
    annotations = readiness.at(obj, "metadata", "annotations")
    if not annotations or _LAST_APPLIED not in annotations:
        return obj
    kept = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
    return obj | {"metadata": obj["metadata"] | {"annotations": kept}}
