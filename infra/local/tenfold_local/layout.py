"""Addresses, names and folders of the embedded cluster: the one place that fixes them."""

from __future__ import annotations

import os
import string
from dataclasses import dataclass
from pathlib import Path

KUBERNETES_VERSION = "v1.34.4"

SOURCE = Path(__file__).resolve().parents[1]
"""infra/local in the checkout: toolchains, manifests and Dockerfiles are read from there."""

REPOSITORY = SOURCE.parents[1]

STATE = Path("/var/lib/tenfold")
"""Survives a reboot: certificates, etcd's data, each node's containers and volumes."""

RUN = Path("/run/tenfold")
"""Gone with a reboot: sockets and runtime state."""

VOLUMES = Path("/tmp/hostpath_pv")  # noqa: S108 - fixed by kube-controller-manager's provisioner

LOGS = STATE / "logs"
PKI = STATE / "pki"
ADMIN_KUBECONFIG = STATE / "admin.kubeconfig"

BRIDGE = "tenfold0"
CLUSTER_ADDRESS = "10.99.0.1"
NODE_NETWORK = "10.99.0.0/16"
API_PORT = 6443
ETCD_PORT = 2379
ETCD_PEER_PORT = 2380
CONTROLLER_MANAGER_PORT = 10257
SCHEDULER_PORT = 10259
POD_NETWORK = "10.244.0.0/16"
SERVICE_NETWORK = "10.96.0.0/16"
KUBERNETES_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
MAX_NODES = 9


def cache() -> Path:
    """Return the folder of built binaries and images, outside any checkout."""
    default = Path.home() / ".cache" / "tenfold"
    return Path(os.environ.get("TENFOLD_CACHE", default))


@dataclass(frozen=True)
class Node:
    """One node; everything about it follows from its number, which starts at 1."""

    number: int

    @property
    def name(self) -> str:
        """Name in Kubernetes."""
        return f"node-{self.number}"

    @property
    def zone(self) -> str:
        """Each node is a zone of its own."""
        return f"zone-{string.ascii_lowercase[self.number - 1]}"

    @property
    def address(self) -> str:
        """Address on the cluster's bridge."""
        return f"10.99.0.{10 + self.number}"

    @property
    def pod_subnet(self) -> str:
        """Addresses of the pods on this node."""
        return f"10.244.{self.number}.0/24"

    @property
    def namespace(self) -> str:
        """Network namespace in which the node's processes run."""
        return f"tenfold-{self.name}"

    @property
    def link(self) -> str:
        """Host's end of the node's veth pair: taking it down cuts the node off."""
        return f"tenfold-{self.number}"

    @property
    def cgroup(self) -> str:
        """Cgroup below which kubelet puts the node's pods."""
        return f"tenfold-{self.name}"

    @property
    def state(self) -> Path:
        """Folder of the node's containers and volumes."""
        return STATE / "nodes" / self.name

    @property
    def run(self) -> Path:
        """Folder of the node's sockets."""
        return RUN / self.name

    @property
    def containerd_socket(self) -> Path:
        """Address of the node's container runtime."""
        return self.run / "containerd.sock"


def nodes(count: int) -> tuple[Node, ...]:
    """Return the nodes of a cluster of that size."""
    return tuple(Node(number) for number in range(1, count + 1))
