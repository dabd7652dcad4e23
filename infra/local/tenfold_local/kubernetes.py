"""What the launcher asks of the cluster's API, through its own kubectl."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import yaml

from tenfold_local import pki
from tenfold_local.layout import Node
from tenfold_local.shell import run
from tenfold_local.toolchain import KUBERNETES

_ROLLOUT_SECONDS = 180


def kubectl(*arguments: str | Path, stdin: str | None = None) -> str:
    """Run kubectl as the cluster's administrator and return its output."""
    environment = {**os.environ, "KUBECONFIG": str(pki.admin_kubeconfig())}
    command = [KUBERNETES.output() / "kubectl", *arguments]
    return run(command, environment=environment, stdin=stdin, hint="tenfold-local status")


def _apply(*arguments: str, stdin: str | None = None) -> None:
    manager = ["--server-side", "--force-conflicts", "--field-manager=tenfold-local"]
    kubectl("apply", *manager, *arguments, stdin=stdin)


def apply(paths: Sequence[Path]) -> None:
    """Apply files and folders of objects."""
    _apply(*(f"--filename={path}" for path in paths))


def register_nodes(members: Sequence[Node]) -> None:
    """Register nodes before their kubelets start.

    Their pod subnets are ours to say, not a controller's; and kube-router, which starts before the
    kubelet, needs the address.
    """
    objects, states = [], []
    for member in members:
        identity = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": member.name}}
        spec = {"podCIDR": member.pod_subnet, "podCIDRs": [member.pod_subnet]}
        objects.append({**identity, "spec": spec})
        addresses = [{"type": "InternalIP", "address": member.address}]
        states.append({**identity, "status": {"addresses": addresses}})
    _apply("--filename=-", stdin=yaml.safe_dump_all(objects))
    _apply("--filename=-", "--subresource=status", stdin=yaml.safe_dump_all(states))


def ready_nodes() -> set[str]:
    """Return the names of the nodes that are ready."""
    items = json.loads(kubectl("get", "nodes", "--output=json"))["items"]
    return {
        item["metadata"]["name"]
        for item in items
        for condition in item.get("status", {}).get("conditions", [])
        if condition["type"] == "Ready" and condition["status"] == "True"
    }


def wait_for_deployment(namespace: str, name: str) -> None:
    """Wait until a Deployment has rolled out."""
    kubectl(
        "rollout", "status", f"deployment/{name}", f"--namespace={namespace}",
        f"--timeout={_ROLLOUT_SECONDS}s",
    )  # fmt: skip
