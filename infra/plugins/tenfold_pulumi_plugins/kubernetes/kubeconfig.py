"""Which cluster, as whom: what the official provider reads, in the order in which it reads it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config
from kubernetes.config import kube_config

from tenfold_pulumi_plugins.kubernetes.errors import KubeconfigError


@dataclass(frozen=True)
class Connection:
    """How to reach the API server."""

    configuration: client.Configuration
    source: str
    """Where the configuration came from, for messages: a path, or words."""
    namespace: str
    """The namespace of objects that name none."""

    @property
    def server(self) -> str:
        """The API server's address."""
        return str(self.configuration.host)


def connect(options: dict[str, str]) -> Connection:
    """The connection for the provider's options (kubeconfig, context, cluster, namespace)."""
    content, source = read(options.get("kubeconfig", ""))
    configuration = client.Configuration()
    if content is None:
        return _in_cluster(configuration, source, options)
    context = _active_context(content, options, source)
    try:
        config.load_kube_config_from_dict(  # type: ignore[no-untyped-call]
            content,
            context=options.get("context") or None,
            client_configuration=configuration,
            persist_config=False,
        )
    except config.ConfigException as error:
        raise KubeconfigError(f"{source} cannot be used: {error}") from error
    namespace = options.get("namespace") or context.get("namespace") or "default"
    return Connection(configuration, source, namespace)


def read(kubeconfig: str) -> tuple[dict[str, Any] | None, str]:
    """The kubeconfig that the option means, and where it is.

    The option is a path or the content itself; without it KUBECONFIG and ~/.kube/config count.
    None where there is no file at all.
    """
    if not kubeconfig:
        paths = os.environ.get("KUBECONFIG") or "~/.kube/config"
        if not any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep)):
            return None, f"kubeconfig {paths}"
        return _merged(paths), f"kubeconfig {paths}"
    # SDKs pass KUBECONFIG on as the option; it may hold several paths.
    if Path(kubeconfig.partition(os.pathsep)[0]).expanduser().is_file():
        return _merged(kubeconfig), f"kubeconfig {kubeconfig}"
    content = _parsed(kubeconfig)
    if content is None:
        raise KubeconfigError(f"there is no kubeconfig file {kubeconfig}")
    return content, "the kubeconfig given in the provider's configuration"


def _merged(paths: str) -> dict[str, Any]:
    expanded = [str(Path(path).expanduser()) for path in paths.split(os.pathsep)]
    try:
        merged = kube_config.KubeConfigMerger(os.pathsep.join(expanded)).config  # type: ignore[no-untyped-call]
    except (yaml.YAMLError, config.ConfigException) as error:
        raise KubeconfigError(f"kubeconfig {paths} cannot be read: {error}") from error
    if merged is None:
        raise KubeconfigError(f"kubeconfig {paths} is empty")
    content: dict[str, Any] = _unwrapped(merged)
    # kubectl takes the first file's context, the Python client the last one's.
    files = [_parsed(Path(path).read_text()) or {} for path in expanded if Path(path).is_file()]
    names = [file["current-context"] for file in files if file.get("current-context")]
    return content | {"current-context": names[0] if names else ""}


def _unwrapped(node: Any) -> Any:
    if isinstance(node, kube_config.ConfigNode):
        return _unwrapped(node.value)
    if isinstance(node, dict):
        return {key: _unwrapped(member) for key, member in node.items()}
    if isinstance(node, list):
        return [_unwrapped(item) for item in node]
    return node


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return content if isinstance(content, dict) else None


def _active_context(
    content: dict[str, Any], options: dict[str, str], source: str
) -> dict[str, Any]:
    """The context in use, with the cluster that the options put in its place."""
    wanted = options.get("context") or content.get("current-context")
    for entry in content.get("contexts") or []:
        if entry["name"] == wanted:
            context: dict[str, Any] = entry["context"]
            if options.get("cluster"):
                context["cluster"] = options["cluster"]
            return context
    known = ", ".join(sorted(entry["name"] for entry in content.get("contexts") or [])) or "none"
    raise KubeconfigError(f"{source} has no context {wanted!r} (it has: {known})")


def _in_cluster(
    configuration: client.Configuration, source: str, options: dict[str, str]
) -> Connection:
    try:
        config.load_incluster_config(  # type: ignore[no-untyped-call]
            client_configuration=configuration
        )
    except config.ConfigException as error:
        raise KubeconfigError(
            f"{source} does not exist and this is no pod: set KUBECONFIG, or "
            "`pulumi config set kubernetes:kubeconfig PATH`"
        ) from error
    return Connection(
        configuration, "the pod's service account", options.get("namespace") or "default"
    )
