"""What the launcher asks of the cluster's API, through its own kubectl."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from tenfold_local import pki
from tenfold_local.shell import run
from tenfold_local.toolchain import KUBERNETES

_ROLLOUT_SECONDS = 180


def kubectl(*arguments: str | Path, stdin: str | None = None) -> str:
    """Run kubectl as the cluster's administrator and return its output."""
    environment = {**os.environ, "KUBECONFIG": str(pki.admin_kubeconfig())}
    command = [KUBERNETES.output() / "kubectl", *arguments]
    return run(command, environment=environment, stdin=stdin, hint="tenfold-local status")


def _apply(*source: str | Path, stdin: str | None = None) -> None:
    kubectl(
        "apply", "--server-side", "--force-conflicts", "--field-manager=tenfold-local", *source,
        stdin=stdin,
    )  # fmt: skip


def apply(objects: str, *paths: Path) -> None:
    """Apply objects given as YAML, then files and folders of them."""
    _apply("--filename=-", stdin=objects)
    apply_files(paths)


def apply_files(paths: Sequence[Path]) -> None:
    """Apply files and folders of objects."""
    _apply(*(f"--filename={path}" for path in paths))


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
