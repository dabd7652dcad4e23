"""The provider's configuration: the options of the official provider that change what is done."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tenfold_pulumi_plugins.kubernetes import errors, kubeconfig

# What the engine puts before an option's name in a Configure request.
_PREFIX: Final = "kubernetes:config:"
_MUTABLE: Final = {
    "ConfigMap": ("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
    "Secret": ("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
}


@dataclass(frozen=True)
class Settings:
    """What a Configure request says."""

    connection: kubeconfig.Connection
    mutable_kinds: frozenset[str]
    """The kinds whose content changes in place; a change to others replaces the object."""

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> "Settings":
        """Read the request's variables; raises KubeconfigError."""
        options = {key.removeprefix(_PREFIX): value for key, value in variables.items()}
        mutable = {
            kind
            for kind, (option, variable) in _MUTABLE.items()
            if options.get(option, os.environ.get(variable)) == "true"
        }
        return cls(kubeconfig.connect(options), frozenset(mutable))


def replacing(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """The options whose change points at another cluster, where everything has to be made anew."""
    if old.get("clusterIdentifier") and new.get("clusterIdentifier"):
        changed = old["clusterIdentifier"] != new["clusterIdentifier"]
        return ["clusterIdentifier"] if changed else []
    changed_options = [
        option
        for option in ("kubeconfig", "context", "cluster")
        if old.get(option) != new.get(option)
    ]
    if not changed_options or _server(old) == _server(new):
        return []
    return changed_options


def _server(options: Mapping[str, str]) -> str | None:
    try:
        return kubeconfig.connect(dict(options)).server
    except errors.KubeconfigError:
        # Neither file need be there any more: nothing says that the cluster is another one.
        return None
