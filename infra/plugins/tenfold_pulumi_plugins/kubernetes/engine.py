"""The engine's side of the conversation: messages about a resource."""

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from tenfold_pulumi_plugins import serving
from tenfold_pulumi_plugins.kubernetes import values


class Engine:
    """The Pulumi engine that started this plugin."""

    def __init__(self, address: str) -> None:
        channel = grpc.insecure_channel(address, options=serving.CHANNEL_OPTIONS)
        self._stub = engine_pb2_grpc.EngineStub(channel)

    def reporter(self, urn: str, inputs: values.JsonObject) -> "Reporter":
        """Who speaks about one resource."""
        return Reporter(self._stub, urn, values.secret_texts(inputs))


class Reporter:
    """Speaks about one resource, without its secrets."""

    def __init__(self, stub: engine_pb2_grpc.EngineStub, urn: str, secrets: set[str]) -> None:
        self._stub = stub
        self._urn = urn
        self._secrets = secrets

    def status(self, message: str) -> None:
        """Say what is going on; the next status takes its place."""
        self._log(message, engine_pb2.INFO, ephemeral=True)

    def warn(self, message: str) -> None:
        """Say what the user should look at."""
        self._log(message, engine_pb2.WARNING, ephemeral=False)

    def _log(
        self, message: str, severity: "engine_pb2.LogSeverity.ValueType", *, ephemeral: bool
    ) -> None:
        self._stub.Log(
            engine_pb2.LogRequest(
                severity=severity,
                message=values.redact(message, self._secrets),
                urn=self._urn,
                ephemeral=ephemeral,
            )
        )
