"""What a machine has to offer, checked before anything is started; all shortcomings at once."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import psutil

from tenfold_local import layout, processes
from tenfold_local.shell import Failure, run
from tenfold_local.toolchain import CLUSTER, go_version

DEBIAN_PACKAGES = {
    "buildah": "buildah",
    "conntrack": "conntrack",
    "containerd": "containerd",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iproute2": "ip",
    "ipset": "ipset",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "nftables": "nft",
    "procps": "sysctl",
    "runc": "runc",
    "util-linux": "nsenter",
}
"""Packages, each with the program that shows that it is there."""

MINIMUM_GO = (1, 26, 7)
MINIMUM_MEMORY_GIB = 4.0
MINIMUM_CACHED_DISK_GIB = 6.0
MINIMUM_COLD_DISK_GIB = 20.0
_GIB = 1024**3
_PORTS = {
    ("127.0.0.1", layout.ETCD_PORT): "etcd",
    ("127.0.0.1", layout.ETCD_PEER_PORT): "etcd",
    ("127.0.0.1", layout.CONTROLLER_MANAGER_PORT): "kube-controller-manager",
    ("127.0.0.1", layout.SCHEDULER_PORT): "kube-scheduler",
    ("", layout.API_PORT): "kube-apiserver",
}


def missing_packages() -> list[str]:
    """Return the Debian packages that still have to be installed."""
    return [name for name, program in DEBIAN_PACKAGES.items() if shutil.which(program) is None]


def install_packages(packages: list[str]) -> None:
    """Install Debian packages without starting the services that some of them bring."""
    log = layout.cache() / "logs" / "apt.log"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    run(["apt-get", "update"], log=log, environment=environment)
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    run(command, log=log, environment=environment)


def _existing_parent(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _free_gib(path: Path) -> float:
    return shutil.disk_usage(_existing_parent(path)).free / _GIB


def _go_version() -> tuple[int, ...] | None:
    if shutil.which("go") is None:
        return None
    version = go_version().split()[2].removeprefix("go")
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _taken_ports() -> list[str]:
    taken = []
    for (address, port), component in _PORTS.items():
        if processes.process(component) is not None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                taken.append(
                    f"port {port}, which {component} needs, is taken: "
                    f"find its owner with `ss -ltnp 'sport = :{port}'`"
                )
    return taken


def _resources(cold: bool) -> list[str]:
    found = []
    memory = psutil.virtual_memory().available / _GIB
    running = any(processes.process(name) for name in processes.recorded())
    if memory < MINIMUM_MEMORY_GIB and not running:
        found.append(f"{memory:.1f} GiB of memory are free, {MINIMUM_MEMORY_GIB:.0f} are needed")
    needed = MINIMUM_COLD_DISK_GIB if cold else MINIMUM_CACHED_DISK_GIB
    for folder in (layout.cache(), layout.STATE):
        if (free := _free_gib(folder)) < needed:
            found.append(f"{free:.1f} GiB are free at {folder}, {needed:.0f} are needed")
    return found


def check() -> None:
    """Raise Failure that lists everything which stands in the way."""
    problems = []
    if os.geteuid() != 0:
        problems.append("not root: network namespaces, mounts and cgroups need it")
    if not Path("/etc/debian_version").exists():
        problems.append("not Debian: the container runtime and images come from its packages")
    go = _go_version()
    if go is None or go < MINIMUM_GO:
        wanted = ".".join(map(str, MINIMUM_GO))
        problems.append(f"Go {wanted} or newer is not on PATH: see https://go.dev/doc/install")
    cold = go is None or not all(chain.is_built() for chain in CLUSTER)
    problems += _resources(cold) + _taken_ports()
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise Failure(
            f"this machine cannot run the embedded cluster yet:\n{listed}",
            hint="mend these, or set KUBECONFIG to use a cluster that exists",
        )
