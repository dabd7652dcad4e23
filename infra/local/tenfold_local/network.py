"""The cluster's network: a bridge of this machine with each node's namespace on it.

Each node's pod subnet is routed by the node's address, also from the host, so no address is ever
translated on its way between pods: NetworkPolicies see who really asks.
"""

from __future__ import annotations

import json
from pathlib import Path

from tenfold_local import layout
from tenfold_local.layout import Node
from tenfold_local.shell import run

_INSIDE_LINK = "eth0"
_FORWARDING = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    # A pod that asks a Service which answers from the pod's own bridge has to come back through
    # kube-proxy's rules, and NetworkPolicies must see traffic within one bridge.
    "net/bridge/bridge-nf-call-iptables": "1",
}


def _link_exists(name: str) -> bool:
    return Path(f"/sys/class/net/{name}").exists()


def exists(node: Node) -> bool:
    """Tell whether the node's namespace exists."""
    return Path(f"/run/netns/{node.namespace}").exists()


def _inside(node: Node, *command: str) -> str:
    return run(["nsenter", f"--net=/run/netns/{node.namespace}", *command])


def ensure_bridge() -> None:
    """Make the bridge that carries the API server's address."""
    if not _link_exists(layout.BRIDGE):
        run(["ip", "link", "add", layout.BRIDGE, "type", "bridge"])
    prefix = layout.NODE_NETWORK.partition("/")[2]
    run(["ip", "address", "replace", f"{layout.CLUSTER_ADDRESS}/{prefix}", "dev", layout.BRIDGE])
    run(["ip", "link", "set", layout.BRIDGE, "up"])


def ensure_node(node: Node, peers: tuple[Node, ...]) -> None:
    """Make a node's namespace, its link to the bridge and the routes to its peers' pods."""
    if not exists(node):
        run(["ip", "netns", "add", node.namespace])
    if not _link_exists(node.link):
        peer = ["peer", "name", _INSIDE_LINK, "netns", node.namespace]
        run(["ip", "link", "add", node.link, "type", "veth", *peer])
    run(["ip", "link", "set", node.link, "master", layout.BRIDGE, "up"])
    prefix = layout.NODE_NETWORK.partition("/")[2]
    _inside(node, "ip", "link", "set", "lo", "up")
    _inside(node, "ip", "address", "replace", f"{node.address}/{prefix}", "dev", _INSIDE_LINK)
    _inside(node, "ip", "link", "set", _INSIDE_LINK, "up")
    _inside(node, "ip", "route", "replace", "default", "via", layout.CLUSTER_ADDRESS)
    for peer_node in peers:
        if peer_node != node:
            _inside(node, "ip", "route", "replace", peer_node.pod_subnet, "via", peer_node.address)
    for key, value in _FORWARDING.items():
        _inside(node, "sysctl", "-q", "-w", f"{key.replace('/', '.')}={value}")
    run(["ip", "route", "replace", node.pod_subnet, "via", node.address])


def remove_node(node: Node) -> None:
    """Remove a node's link and namespace; its rules and routes go with the namespace."""
    if _link_exists(node.link):
        run(["ip", "link", "delete", node.link])
    if exists(node):
        run(["ip", "netns", "delete", node.namespace])


def remove_bridge() -> None:
    """Remove the bridge; the host's routes to pods go with it."""
    if _link_exists(layout.BRIDGE):
        run(["ip", "link", "delete", layout.BRIDGE])


def cut(node: Node) -> None:
    """Cut a node off: its processes go on, no packet passes."""
    run(["ip", "link", "set", node.link, "down"])


def heal(node: Node) -> None:
    """Connect a node that was cut off."""
    run(["ip", "link", "set", node.link, "up"])


def is_cut(node: Node) -> bool:
    """Tell whether a node's link is administratively down."""
    if not _link_exists(node.link):
        return False
    shown = json.loads(run(["ip", "-json", "link", "show", "dev", node.link]))
    return "UP" not in shown[0]["flags"]


def leftovers() -> list[str]:
    """List links and namespaces of ours that still exist."""
    links = [p.name for p in Path("/sys/class/net").iterdir() if p.name.startswith("tenfold")]
    netns = Path("/run/netns")
    namespaces = [p.name for p in netns.glob("tenfold-*")] if netns.exists() else []
    return [f"link {name}" for name in links] + [f"network namespace {n}" for n in namespaces]
