"""The cluster as a whole: every step of bringing it up, down, and telling how it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from tenfold_local import (
    containers,
    controlplane,
    images,
    kubernetes,
    layout,
    mounts,
    network,
    node,
    preflight,
    processes,
    toolchain,
)
from tenfold_local.layout import Node
from tenfold_local.shell import Failure
from tenfold_local.steps import step

NODE_READY_SECONDS = 120.0
RUNTIME_READY_SECONDS = 30.0
_SHAPE = layout.STATE / "cluster.json"


def existing_nodes() -> tuple[Node, ...]:
    """Return the nodes of the cluster that was brought up, none where there is none."""
    try:
        return layout.nodes(json.loads(_SHAPE.read_text())["nodes"])
    except FileNotFoundError:
        return ()


def find_node(name: str) -> Node:
    """Return the node of that name; Failure names the ones that exist."""
    known = {candidate.name: candidate for candidate in existing_nodes()}
    if name not in known:
        raise Failure(
            f"there is no node {name!r}; the nodes are: {', '.join(known) or 'none'}",
            hint="tenfold-local status",
        )
    return known[name]


def up(node_count: int) -> None:
    """Bring the cluster up; whatever runs already stays as it is."""
    _check_shape(node_count)
    preflight.check()
    if packages := preflight.missing_packages():
        with step(f"install Debian packages: {', '.join(packages)}"):
            preflight.install_packages(packages)
    build()
    members = layout.nodes(node_count)
    # Searchable by the controller manager, which is not root; what is private in it says so.
    layout.STATE.mkdir(parents=True, exist_ok=True, mode=0o711)
    _SHAPE.write_text(json.dumps({"nodes": node_count}))
    network.ensure_bridge()
    with step("start the control plane"):
        controlplane.start()
    with step("register the nodes"):
        kubernetes.register_nodes(members)
    _start_nodes(members, members)
    # Only now: DNS that is scheduled when one node is ready runs in one zone for ever.
    with step("apply storage class, DNS and the Gateway API"):
        kubernetes.apply([layout.SOURCE / "manifests", *toolchain.gateway_api_crds()])
    with step("wait for the cluster's DNS"):
        kubernetes.wait_for_deployment("kube-system", "coredns")


def _check_shape(node_count: int) -> None:
    existing = existing_nodes()
    if existing and len(existing) != node_count:
        raise Failure(
            f"the cluster has {len(existing)} nodes, not {node_count}",
            hint="tenfold-local down, then up with the other number",
        )


def build() -> None:
    """Build the binaries and images that the cache lacks."""
    for chain in toolchain.CLUSTER:
        if not chain.is_built():
            with step(f"build {', '.join(chain.programs)}"):
                chain.build()
    missing = images.missing()
    if missing:
        with step("make the base image from Debian packages"):
            images.build_base()
    for image in missing:
        with step(f"build image {image.reference}"):
            images.build(image)


def load_images() -> None:
    """Build what is missing and load every image into the nodes that run."""
    build()
    with step("load images into the nodes"):
        _load_into(candidate for candidate in existing_nodes() if containers.is_ready(candidate))


def _load_into(members: Iterable[Node]) -> None:
    archives = images.archives()
    _in_parallel(lambda member: containers.load_images(member, archives), members)


def _in_parallel(action: Callable[[Node], object], members: Iterable[Node]) -> None:
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(action, members):
            pass


def _start_nodes(members: tuple[Node, ...], all_nodes: tuple[Node, ...]) -> None:
    with step(f"connect {', '.join(member.name for member in members)}"):
        for member in members:
            network.ensure_node(member, all_nodes)
            node.ensure_cgroup(member)
    with step("start the container runtimes"):
        _in_parallel(_start_runtime, members)
    with step("load images into the nodes"):
        _load_into(members)
    with step("start kube-proxy, kube-router and kubelet"):
        for member in members:
            for component in node.components(member):
                processes.start(component)
    with step("wait until the nodes are ready"):
        _wait_until_ready(members)


def _wait_until_ready(members: tuple[Node, ...]) -> None:
    of_nodes = [name for member in members for name in node.component_names(member)]
    names = {member.name for member in members}
    processes.wait_for(
        [*controlplane.NAMES, *of_nodes],
        lambda: kubernetes.ready_nodes() >= names,
        seconds=NODE_READY_SECONDS,
        what=f"readiness of {', '.join(sorted(names))}",
    )


def _start_runtime(member: Node) -> None:
    runtime = node.container_runtime(member)
    processes.start(runtime)
    processes.wait_for(
        [runtime.name],
        lambda: containers.is_ready(member),
        seconds=RUNTIME_READY_SECONDS,
        what=f"{runtime.name}'s answer",
    )


def start_node(member: Node) -> None:
    """Start a node that was stopped."""
    build()
    _start_nodes((member,), existing_nodes())


def stop_node(member: Node) -> None:
    """Stop a node as a machine that loses power does: nobody drains it first.

    The kubelet goes first, or it would start again what is ended; containerd goes last, since the
    containers are ended through it. Where only containerd had died, it is started once more.
    """
    runtime, *others = node.component_names(member)
    for name in reversed(others):
        processes.stop(name, kill=True)
    if network.exists(member):
        _start_runtime(member)
        containers.end_all(member)
    processes.stop(runtime)
    mounts.unmount_below(member.state, member.run)
    network.remove_node(member)
    node.remove_cgroup(member)


def down() -> list[str]:
    """End and remove everything of ours; return what is left, in words."""
    members = existing_nodes()
    if members:
        with step(f"stop {', '.join(member.name for member in members)}"):
            _in_parallel(stop_node, members)
    with step("stop the control plane"):
        for name in reversed(controlplane.NAMES):
            processes.stop(name)
    with step("remove network, volumes and state"):
        network.remove_bridge()
        mounts.unmount_below(layout.STATE, layout.RUN)
        for folder in (layout.RUN, layout.VOLUMES, layout.STATE):
            shutil.rmtree(folder, ignore_errors=True)
    return leftovers()


def leftovers() -> list[str]:
    """List what is still there of a cluster that was brought down."""
    still_there = [
        f"{path}" for path in (layout.STATE, layout.RUN, layout.VOLUMES) if path.exists()
    ]
    still_there += [f"mount {point}" for point in mounts.below(layout.STATE, layout.RUN)]
    return still_there + network.leftovers() + node.leftovers() + processes.leftovers()


def status() -> list[tuple[str, float | None]]:
    """Return each component with the seconds since it was started, None where it is down."""
    names = list(controlplane.NAMES)
    for member in existing_nodes():
        names += node.component_names(member)
    return [(name, processes.uptime_seconds(name)) for name in names]
