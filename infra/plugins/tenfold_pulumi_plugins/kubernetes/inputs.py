"""Completes what a program gives for a resource: kind, name, namespace."""

import threading
from collections.abc import Callable
from typing import Final

from pulumi.runtime.proto import provider_pb2

from tenfold_pulumi_plugins.kubernetes import errors, objects, readiness, values, waitfor
from tenfold_pulumi_plugins.kubernetes.values import JsonObject

_AUTONAMING_DISABLED: Final = provider_pb2.CheckRequest.AutonamingOptions.DISABLE


class Namespaces:
    """Which namespace an object belongs in."""

    def __init__(self, is_namespaced: Callable[[str, str], bool], default: str) -> None:
        self._is_namespaced = is_namespaced
        self._default = default
        # The scopes of kinds that this very program defines, in a preview perhaps never served.
        self._defined: dict[tuple[str, str], bool] = {}
        self._lock = threading.Lock()

    def define(self, definition: JsonObject) -> None:
        """Take note of the kind that a CustomResourceDefinition defines."""
        spec = definition.get("spec")
        if isinstance(spec, dict) and not values.has_unknown(spec):
            key = (spec["group"], spec["names"]["kind"])
            with self._lock:
                self._defined[key] = spec["scope"] == "Namespaced"

    def of(self, api_version: str, kind: str) -> str | None:
        """The namespace of an object that names none; None where the kind has no namespaces."""
        with self._lock:
            namespaced = self._defined.get((api_version.partition("/")[0], kind))
        if namespaced is None:
            try:
                namespaced = self._is_namespaced(api_version, kind)
            except errors.UnknownKindError:
                # Somebody else's definition is still to come; most kinds have namespaces.
                namespaced = True
        return self._default if namespaced else None


def check(request: provider_pb2.CheckRequest, namespaces: Namespaces) -> JsonObject:
    """The complete inputs of a resource; raises RefusedError for what cannot be one."""
    token = objects.TypeToken.of(request.urn)
    if token.refusal:
        raise errors.RefusedError(f"{token.kind}: {token.refusal}")
    given = objects.with_dashes(values.decode(request.news))
    checked = objects.without_server_fields(values.plain(given))
    checked = {"apiVersion": token.api_version, "kind": token.kind} | checked
    checked = _named(request, token, checked)
    checked = objects.with_namespace(checked, namespaces.of(token.api_version, token.kind))
    # Refused here rather than when the object has been made.
    wait_for = readiness.at(checked, "metadata", "annotations", waitfor.ANNOTATION)
    if isinstance(wait_for, str):
        waitfor.parse(wait_for)
    if token.kind == "CustomResourceDefinition":
        namespaces.define(checked)
    return values.mark_secrets(checked, given)


def _named(
    request: provider_pb2.CheckRequest, token: objects.TypeToken, checked: JsonObject
) -> JsonObject:
    if objects.is_named(checked):
        return checked
    if checked.get("metadata", {}).get("generateName"):
        raise errors.RefusedError(
            "metadata.generateName is not supported with server-side apply: give a name, or leave "
            "it out and Pulumi chooses one"
        )
    old = values.plain(values.decode(request.olds))
    if objects.is_autonamed(old):
        return objects.with_name(checked, old["metadata"]["name"])
    if old:
        # A name that was given and is no longer makes the object a new one; Check comes again.
        return checked
    if request.HasField("autonaming"):
        if request.autonaming.mode == _AUTONAMING_DISABLED:
            raise errors.RefusedError("autonaming is disabled: metadata.name has to be set")
        return objects.with_name(checked, request.autonaming.proposed_name)
    return objects.with_name(checked, objects.unique_name(token.name, request.randomSeed))
