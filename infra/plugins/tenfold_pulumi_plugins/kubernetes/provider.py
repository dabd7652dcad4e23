"""The provider's gRPC service: what the engine asks of it, resource by resource."""

# ruff: noqa: N802, D102 - names and meaning of the methods are the protocol's

import importlib.metadata
import threading
from typing import TYPE_CHECKING, Final

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tenfold_pulumi_plugins.kubernetes import (
    difference,
    engine,
    errors,
    immutable,
    inputs,
    objects,
    paths,
    values,
)
from tenfold_pulumi_plugins.kubernetes.answers import answered
from tenfold_pulumi_plugins.kubernetes.change import Change

if TYPE_CHECKING:
    from tenfold_pulumi_plugins.kubernetes.operations import Operations

_KINDS: Final = {
    difference.Change.ADD: (
        provider_pb2.PropertyDiff.ADD,
        provider_pb2.PropertyDiff.ADD_REPLACE,
    ),
    difference.Change.DELETE: (
        provider_pb2.PropertyDiff.DELETE,
        provider_pb2.PropertyDiff.DELETE_REPLACE,
    ),
    difference.Change.UPDATE: (
        provider_pb2.PropertyDiff.UPDATE,
        provider_pb2.PropertyDiff.UPDATE_REPLACE,
    ),
}


class KubernetesProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one engine; Configure comes before anything that needs the cluster."""

    def __init__(self, engine_: engine.Engine) -> None:
        self._engine = engine_
        self._cancelled = threading.Event()
        self._configured: Operations | None = None

    @answered
    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest
    ) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, supports_autonaming_configuration=True
        )

    @answered
    def GetPluginInfo(self, request: empty_pb2.Empty) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi-kubernetes"))

    @answered
    def GetSchema(self, request: provider_pb2.GetSchemaRequest) -> provider_pb2.GetSchemaResponse:
        raise errors.RefusedError(
            "this provider stands in for the official one and has no schema to generate code "
            "from; `pulumi import` works with --generate-code=false"
        )

    @answered
    def CheckConfig(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        given = values.decode(request.news)
        # A kubeconfig that is no path has credentials in it.
        if "\n" in str(values.plain(given.get("kubeconfig", ""))):
            given["kubeconfig"] = values.Secret(values.plain(given["kubeconfig"]))
        return provider_pb2.CheckResponse(inputs=values.encode(given))

    @answered
    def DiffConfig(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        old, new = values.decode(request.olds), values.decode(request.news)
        changes = difference.compare(old, new)
        if not changes:
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
        if values.has_unknown(new):
            replaces: list[str] = []
        else:
            from tenfold_pulumi_plugins.kubernetes import settings

            replaces = settings.replacing(values.plain(old), values.plain(new))
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME,
            diffs=[paths.render(path) for path in changes],
            replaces=replaces,
        )

    @answered
    def Configure(self, request: provider_pb2.ConfigureRequest) -> provider_pb2.ConfigureResponse:
        # Loading the Kubernetes client takes a second, and half of the processes that the engine
        # starts are never configured.
        from tenfold_pulumi_plugins.kubernetes import operations, settings

        self._configured = operations.Operations(
            settings.Settings.of(request.variables), self._cancelled
        )
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    @answered
    def Check(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        checked = inputs.check(request, self._operations.namespaces)
        return provider_pb2.CheckResponse(inputs=values.encode(checked))

    @answered
    def Diff(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        old = values.decode(request.old_inputs) or objects.inputs_of(values.decode(request.olds))
        new = values.decode(request.news)
        ignored = [paths.parse(path) for path in request.ignoreChanges]
        changes = {
            path: change
            for path, change in difference.compare(objects.with_dashes(old), new).items()
            if not any(paths.covers(pattern, path) for pattern in ignored)
        }
        fixed = immutable.patterns(
            values.plain(new), mutable_kinds=self._operations.settings.mutable_kinds
        )
        replaces = {
            path for path in changes if any(paths.overlaps(pattern, path) for pattern in fixed)
        }
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME
            if changes
            else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=[paths.render(path) for path in replaces],
            deleteBeforeReplace=bool(replaces) and _keeps_its_place(old, new),
            detailedDiff={
                paths.render(path): provider_pb2.PropertyDiff(
                    kind=_KINDS[change][path in replaces], inputDiff=True
                )
                for path, change in changes.items()
            },
            hasDetailedDiff=True,
        )

    @answered
    def Create(self, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
        wanted = values.decode(request.properties)
        report = self._engine.reporter(request.urn, wanted)
        if request.preview:
            state = self._operations.preview_create(request.urn, wanted, report)
            return provider_pb2.CreateResponse(properties=values.encode(state))
        identifier, state = self._operations.create(request.urn, wanted, request.timeout, report)
        return provider_pb2.CreateResponse(id=identifier, properties=values.encode(state))

    @answered
    def Read(self, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
        found = self._operations.read(
            request.urn,
            request.id,
            values.decode(request.inputs),
            values.decode(request.properties),
        )
        if found is None:
            # No id says that the object is gone.
            return provider_pb2.ReadResponse()
        state, observed = found
        return provider_pb2.ReadResponse(
            id=request.id, properties=values.encode(state), inputs=values.encode(observed)
        )

    @answered
    def Update(self, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
        wanted = values.decode(request.news)
        report = self._engine.reporter(request.urn, wanted)
        change = Change(
            request.urn,
            wanted,
            values.decode(request.olds),
            tuple(paths.parse(path) for path in request.ignoreChanges),
        )
        if request.preview:
            state = self._operations.preview_update(change, report)
        else:
            state = self._operations.update(change, request.timeout, report)
        return provider_pb2.UpdateResponse(properties=values.encode(state))

    @answered
    def Delete(self, request: provider_pb2.DeleteRequest) -> empty_pb2.Empty:
        state = values.decode(request.properties)
        report = self._engine.reporter(request.urn, state)
        self._operations.delete(request.urn, request.id, state, request.timeout, report)
        return empty_pb2.Empty()

    @answered
    def Invoke(self, request: provider_pb2.InvokeRequest) -> provider_pb2.InvokeResponse:
        raise errors.RefusedError(f"{request.tok} is not supported here: write the resources out")

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        self.cancel()
        return empty_pb2.Empty()

    def cancel(self) -> None:
        """End every wait: what is under way answers with what it has."""
        self._cancelled.set()

    @property
    def _operations(self) -> "Operations":
        if self._configured is None:
            raise errors.RefusedError("the engine has not configured the provider")
        return self._configured


def _keeps_its_place(old: values.JsonObject, new: values.JsonObject) -> bool:
    """Whether the new object takes the old one's name, so that the old one has to go first."""
    old_metadata, new_metadata = (values.plain(side).get("metadata", {}) for side in (old, new))
    return (
        not objects.is_autonamed(values.plain(new))
        and not values.has_unknown(new_metadata)
        and all(old_metadata.get(key) == new_metadata.get(key) for key in ("name", "namespace"))
    )
