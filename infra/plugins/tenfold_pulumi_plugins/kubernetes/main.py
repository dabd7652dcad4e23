"""The program `tenfold-pulumi-resource-kubernetes`."""

import sys

from pulumi.runtime.proto import provider_pb2_grpc

from tenfold_pulumi_plugins import serving
from tenfold_pulumi_plugins.kubernetes.engine import Engine
from tenfold_pulumi_plugins.kubernetes.provider import KubernetesProvider

# One thread for each resource that is waited for; the engine sets how many those are at once.
_WORKERS = 256


def main() -> None:
    """Serve the engine that started this process."""
    provider = KubernetesProvider(Engine(serving.engine_address(sys.argv[1:])))
    serving.serve(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server),
        workers=_WORKERS,
    )
    provider.cancel()
