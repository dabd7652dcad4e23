"""A node's containers and images: imported through containerd, ended through it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import grpc  # type: ignore[import-untyped]

from tenfold_local import layout, mounts
from tenfold_local.layout import Node
from tenfold_local.shell import Failure, run

CRI_ANSWER_SECONDS = 2.0


def _ctr(node: Node, *arguments: str | Path, log: Path | None = None) -> str:
    command = ["ctr", "--address", node.containerd_socket, "--namespace", "k8s.io", *arguments]
    return run(command, log=log)


def is_ready(node: Node) -> bool:
    """Tell whether the node's container runtime serves kubelets.

    containerd itself answers seconds before its CRI plugin does, and a kubelet that is refused
    ends: so the question is the kubelet's own first one, whose empty request needs no schema.
    """
    with grpc.insecure_channel(f"unix://{node.containerd_socket}") as channel:
        ask_version = channel.unary_unary("/runtime.v1.RuntimeService/Version")
        try:
            ask_version(b"", timeout=CRI_ANSWER_SECONDS)
        except grpc.RpcError:
            return False
    return True


def _loaded_record(node: Node) -> Path:
    return node.state / "images.json"


def load_images(node: Node, archives: dict[str, Path]) -> int:
    """Import the archives (image reference to OCI archive) the node lacks; return how many.

    An archive's name carries the digest of its inputs, so its path tells whether it is loaded.
    """
    record = _loaded_record(node)
    loaded = json.loads(record.read_text()) if record.exists() else {}
    missing = {ref: path for ref, path in archives.items() if loaded.get(ref) != str(path)}
    for reference, archive in missing.items():
        _ctr(node, "images", "import", archive, log=layout.LOGS / f"{node.name}-images.log")
        loaded[reference] = str(archive)
        record.write_text(json.dumps(loaded, indent=2))
    return len(missing)


def end_all(node: Node) -> None:
    """End and remove every container and pod network; with the kubelet stopped, none comes back.

    Killing the shims instead would orphan the containers.
    """
    identities = _ctr(node, "containers", "list", "--quiet").split()
    namespaces = {path for identity in identities for path in _network_namespaces(node, identity)}
    for task in _ctr(node, "tasks", "list", "--quiet").split():
        _quietly(node, "tasks", "kill", "--signal", "SIGKILL", task)
    for task in _ctr(node, "tasks", "list", "--quiet").split():
        _quietly(node, "tasks", "delete", "--force", task)
    if identities:
        _quietly(node, "containers", "delete", *identities)
    for path in namespaces:
        mounts.unmount(path)
        path.unlink(missing_ok=True)
    shutil.rmtree(node.state / "cni-addresses", ignore_errors=True)


def _network_namespaces(node: Node, container: str) -> list[Path]:
    spec = json.loads(_ctr(node, "containers", "info", container))["Spec"]
    paths = [space.get("path", "") for space in spec["linux"]["namespaces"]]
    return [Path(path).resolve() for path in paths if Path(path).name.startswith("cni-")]


def _quietly(node: Node, *arguments: str) -> None:
    try:
        _ctr(node, *arguments)
    except Failure as failure:
        if "not found" not in failure.what and "already finished" not in failure.what:
            raise
