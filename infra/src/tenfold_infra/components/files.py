"""Configuration files in ConfigMaps, mounted so that a change rolls the pods that read them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ConfigMapVolumeSourceArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

CHECKSUM_ANNOTATION = "tenfold.dev/files"


@dataclass(frozen=True, kw_only=True)
class Files:
    """A ConfigMap and how pods see it."""

    resource: ConfigMap
    checksum: str
    volume: VolumeArgs
    mount: VolumeMountArgs

    @classmethod
    def create(
        cls,
        name: str,
        namespace: str,
        folder: str,
        contents: Mapping[str, str],
        parent: pulumi.Resource,
    ) -> Files:
        """Make the ConfigMap `name` whose files appear in `folder`."""
        resource = ConfigMap(
            name,
            metadata=ObjectMetaArgs(name=name, namespace=namespace),
            data=dict(contents),
            opts=ResourceOptions(parent=parent),
        )
        return cls(
            resource=resource,
            checksum=_checksum(contents),
            volume=VolumeArgs(name=name, config_map=ConfigMapVolumeSourceArgs(name=name)),
            mount=VolumeMountArgs(name=name, mount_path=folder, read_only=True),
        )


def roll_on_change(*files: Files) -> dict[str, str]:
    """Return the pod annotation that changes with the files: kubelet restarts nothing by itself."""
    return {CHECKSUM_ANNOTATION: "-".join(entry.checksum for entry in files)}


def _checksum(contents: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name, text in sorted(contents.items()):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()[:16]
