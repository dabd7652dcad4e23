"""What is done to objects in the cluster: preview, create, read, update, delete."""

import copy
import threading
from collections.abc import Callable
from typing import Final

from tenfold_pulumi_plugins.kubernetes import (
    cluster,
    engine,
    errors,
    inputs,
    objects,
    paths,
    settings,
    values,
    waiting,
)
from tenfold_pulumi_plugins.kubernetes.change import Change
from tenfold_pulumi_plugins.kubernetes.values import JsonObject

_DEFINITION: Final = "CustomResourceDefinition"
# How long a new object waits for the namespace or definition it needs, made beside it.
_PREREQUISITE_SECONDS: Final = 30.0
_PROPAGATION: Final = {"orphan": "Orphan", "background": "Background"}


class Operations:
    """Acts on the cluster of one provider configuration."""

    def __init__(self, configured: settings.Settings, cancelled: threading.Event) -> None:
        self.settings = configured
        self._api = cluster.Cluster(configured.connection)
        self._api.probe()
        self._waiter = waiting.Waiter(self._api, cancelled)
        self.namespaces = inputs.Namespaces(
            self._api.is_namespaced, configured.connection.namespace
        )

    def preview_create(self, urn: str, wanted: JsonObject, report: engine.Reporter) -> JsonObject:
        """What creating would give, as far as it can be told; raises ApiError if refused."""
        change = Change(urn, wanted, {})

        def attempt(plain: JsonObject) -> JsonObject:
            return self._api.validate_new(plain, change.manager, warn=report.warn)

        return objects.not_assigned_yet(self._preview(change, attempt))

    def create(
        self, urn: str, wanted: JsonObject, timeout: float, report: engine.Reporter
    ) -> tuple[str, JsonObject]:
        """Create the object and wait for it; returns its id and state."""
        plain = values.plain(wanted)
        reference = cluster.Reference.of(plain)
        change = Change(urn, wanted, {})

        def attempt() -> JsonObject:
            self._refuse_existing(urn, reference)
            return self._apply(plain, change, report)

        live = self._waiter.until_applied(attempt, _PREREQUISITE_SECONDS, report.status)
        return reference.identifier, self._ready(change, live, timeout, report)

    def read(
        self, urn: str, identifier: str, known: JsonObject, state: JsonObject
    ) -> tuple[JsonObject, JsonObject] | None:
        """The object's state and inputs as the cluster has them; None where it is gone."""
        token = objects.TypeToken.of(urn)
        api_version = known.get("apiVersion") or state.get("apiVersion") or token.api_version
        try:
            live = self._api.get(self._reference(api_version, token.kind, identifier))
        except errors.UnknownKindError:
            return None
        if live is None:
            return None
        known = objects.with_dashes(known)
        observed = objects.observed_inputs(known, live) if known else objects.adopted_inputs(live)
        manager = objects.manager_of(state, urn)
        initial = objects.initial_api_version(state, observed)
        observed = values.mark_secrets(observed, known)
        return objects.to_state(observed, live, manager, initial), observed

    def preview_update(self, change: Change, report: engine.Reporter) -> JsonObject:
        """What updating would give, as far as it can be told; raises ApiError if refused."""

        def attempt(plain: JsonObject) -> JsonObject:
            return self._api.apply(
                self._without_ignored(change, plain),
                change.manager,
                dry_run=True,
                warn=report.warn,
            )

        return self._preview(change, attempt)

    def update(self, change: Change, timeout: float, report: engine.Reporter) -> JsonObject:
        """Apply the inputs and wait for the object; returns its state."""
        plain = self._without_ignored(change, values.plain(change.wanted))
        live = self._apply(plain, change, report)
        return self._ready(change, live, timeout, report)

    def delete(
        self, urn: str, identifier: str, state: JsonObject, timeout: float, report: engine.Reporter
    ) -> None:
        """Delete the object, and what it owns before it, and wait until it is gone."""
        token = objects.TypeToken.of(urn)
        plain = values.plain(state)
        api_version = plain.get("apiVersion", token.api_version)
        try:
            reference = self._reference(api_version, token.kind, identifier)
            live = self._api.get(reference)
        except errors.UnknownKindError:
            # Its definition is gone, and all its objects with it.
            return
        if live is None:
            return
        made_by = objects.inputs_of(plain)
        policy = waiting.annotation(made_by, waiting.DELETION_PROPAGATION).lower()
        self._api.delete(reference, _PROPAGATION.get(policy, "Foreground"))
        seconds = waiting.timeout_seconds(timeout, made_by)
        self._waiter.until_gone(reference, live["metadata"]["uid"], seconds, report.status)
        if token.kind == _DEFINITION:
            self._api.forget_kinds()

    def _preview(self, change: Change, attempt: Callable[[JsonObject], JsonObject]) -> JsonObject:
        if values.has_unknown(change.wanted):
            return change.wanted
        try:
            live = attempt(values.plain(change.wanted))
        except errors.UnknownKindError:
            return change.wanted
        except errors.ApiError as error:
            # What it needs (404) may be created, what stands in its way (409) deleted before it
            # comes to that, and rights or quota (403) may change; all else is wrong in any case.
            if error.status in (403, 404, 409) or "does not support dry run" in str(error):
                return change.wanted
            raise
        live.pop("status", None)
        return change.to_state(live)

    def _apply(self, plain: JsonObject, change: Change, report: engine.Reporter) -> JsonObject:
        return self._api.apply(plain, change.manager, dry_run=False, warn=report.warn)

    def _ready(
        self, change: Change, live: JsonObject, timeout: float, report: engine.Reporter
    ) -> JsonObject:
        plain = values.plain(change.wanted)
        seconds = waiting.timeout_seconds(timeout, plain)
        try:
            ready = self._waiter.until_ready(plain, live, seconds, report.status)
        except errors.ProviderError as error:
            # Whatever kept us from seeing it ready, the object is there.
            found = error.obj if isinstance(error, errors.NotReadyError) else live
            identifier = cluster.Reference.of(live).identifier
            raise errors.PartialError(str(error), identifier, change.to_state(found)) from error
        if live["kind"] == _DEFINITION:
            self._api.forget_kinds()
        return change.to_state(ready)

    def _refuse_existing(self, urn: str, reference: cluster.Reference) -> None:
        if self._api.get(reference) is None:
            return
        token = urn.split("::", 3)[2].rpartition("$")[2]
        name = objects.TypeToken.of(urn).name
        connection = self._api.connection
        raise errors.RefusedError(
            f"{reference} exists already on {connection.server} ({connection.source}) and this "
            "stack did not make it, so it is left alone. To take it over:\n"
            f"    pulumi import --generate-code=false '{token}' '{name}' '{reference.identifier}'\n"
            "or delete it, or give the resource another metadata.name."
        )

    def _without_ignored(self, change: Change, plain: JsonObject) -> JsonObject:
        """The inputs with what ignore_changes names as the cluster has it, not as it once was."""
        if not change.ignored:
            return plain
        live = self._api.get(cluster.Reference.of(plain))
        adjusted = copy.deepcopy(plain)
        for pattern in change.ignored if live else []:
            paths.copy_values(pattern, live, adjusted)
        return adjusted

    def _reference(self, api_version: str, kind: str, identifier: str) -> cluster.Reference:
        namespace, _, name = identifier.rpartition("/")
        default = self.namespaces.of(api_version, kind)
        return cluster.Reference(api_version, kind, namespace or default or "", name)
