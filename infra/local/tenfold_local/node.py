"""One node: containerd, kubelet, kube-proxy and kube-router in a network namespace of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml

from tenfold_local import layout, pki
from tenfold_local.layout import Node
from tenfold_local.processes import Component
from tenfold_local.toolchain import KUBE_ROUTER, KUBERNETES

CGROUPS = Path("/sys/fs/cgroup")
CNI_PLUGINS = "/usr/lib/cni"
PAUSE_IMAGE = "registry.k8s.io/pause:3.10"

_CONTAINERD_CONFIG = """\
version = 2
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.devmapper"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Where root lacks CAP_SYS_RESOURCE, runc cannot lower a score and every sandbox would fail.
  restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{cni_plugins}"
  conf_dir = "{cni_config}"
"""


def _cni_config(node: Node) -> dict[str, Any]:
    bridge = {
        "type": "bridge",
        "bridge": "pods0",
        "isGateway": True,
        "hairpinMode": True,
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "dataDir": str(node.state / "cni-addresses"),
            "ranges": [[{"subnet": node.pod_subnet}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge, portmap]}


def _kubelet_config(node: Node, serving: tuple[Path, Path]) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki.Authority("cluster").certificate_file)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(serving[0]),
        "tlsPrivateKeyFile": str(serving[1]),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "containerRuntimeEndpoint": f"unix://{node.containerd_socket}",
        "clusterDNS": [layout.DNS_SERVICE],
        "clusterDomain": "cluster.local",
        # The host's own may name a resolver that the namespace cannot reach, or a loopback one.
        "resolvConf": str(_resolv_conf(node)),
        "podLogsDir": str(node.state / "pod-logs"),
        "nodeStatusUpdateFrequency": "4s",
        # Images are loaded, not pulled: one collected as unused could not come back.
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "8760h",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%"},
        "maxPods": 110,
        "serializeImagePulls": False,
        "healthzPort": 0,
    }


def _resolv_conf(node: Node) -> Path:
    return node.state / "resolv.conf"


def _kube_proxy_config() -> dict[str, Any]:
    kubeconfig = pki.component_kubeconfig("system:kube-proxy")
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": layout.POD_NETWORK,
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "conntrack": {"maxPerCore": 0},
        "nodePortAddresses": ["primary"],
    }


def _write(path: Path, content: str) -> Path:
    """Write a file where its content differs: kube-proxy ends when its configuration is touched."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != content:
        path.write_text(content)
    return path


# Three nodes share the machine's cores, and Go's threads that look for work take a part of each.
_ONE_THREAD = {"GOMAXPROCS": "1"}

# The share of one process, in cgroup v1 and v2, and as how many of them a node counts.
_CPU_SHARES = {"cpu.shares": 1024, "cpu.weight": 100}
_PROCESSES = 8


def _cgroup_hierarchies() -> list[Path]:
    """Return the roots of all hierarchies: one with cgroup v2, one a controller with v1."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    mixed = [path for path in CGROUPS.iterdir() if (path / "cgroup.procs").exists()]
    return [path for path in mixed if not (path / "cgroup.controllers").exists()]


def ensure_cgroup(node: Node) -> None:
    """Make the node's cgroup in every hierarchy; v1's cpuset starts empty and has to be filled.

    Its share of the CPU is that of a machine. By default all pods of a node together would count
    as one process beside each of the host's, and a busy host would starve them.
    """
    for hierarchy in _cgroup_hierarchies():
        cgroup = hierarchy / node.cgroup
        cgroup.mkdir(exist_ok=True)
        for setting, default in _CPU_SHARES.items():
            if (cgroup / setting).exists():
                (cgroup / setting).write_text(str(_PROCESSES * default))
        for setting in ("cpuset.cpus", "cpuset.mems"):
            inherited = hierarchy / setting
            if inherited.exists():
                (hierarchy / node.cgroup / setting).write_text(inherited.read_text())


def container_runtime(node: Node) -> Component:
    """Write containerd's configuration and return the component."""
    cni = _write(node.state / "cni" / "10-pods.conflist", json.dumps(_cni_config(node), indent=2))
    config = _write(
        node.state / "containerd.toml",
        _CONTAINERD_CONFIG.format(
            root=node.state / "containerd",
            state=node.run / "containerd",
            socket=node.containerd_socket,
            pause=PAUSE_IMAGE,
            cni_plugins=CNI_PLUGINS,
            cni_config=cni.parent,
        ),
    )
    node.run.mkdir(parents=True, exist_ok=True)
    return Component(
        f"{node.name}-containerd", ["containerd", f"--config={config}"], node.namespace
    )


def kubelet(node: Node) -> Component:
    """Write kubelet's configuration and return the component."""
    serving = pki.Authority("cluster").issue(
        f"{node.name}-serving",
        common_name=f"system:node:{node.name}",
        groups=["system:nodes"],
        addresses=[node.address],
        dns_names=[node.name],
    )
    _write(_resolv_conf(node), "# the cluster's DNS forwards nothing: no names but its own\n")
    config = _write(node.state / "kubelet.yaml", yaml.safe_dump(_kubelet_config(node, serving)))
    return Component(
        f"{node.name}-kubelet",
        [
            str(KUBERNETES.output() / "kubelet"),
            f"--config={config}",
            f"--kubeconfig={pki.node_kubeconfig(node)}",
            f"--root-dir={node.state / 'kubelet'}",
            f"--hostname-override={node.name}",
            f"--node-ip={node.address}",
            f"--node-labels=topology.kubernetes.io/zone={node.zone},"
            "topology.kubernetes.io/region=local",
            f"--cert-dir={node.state / 'kubelet-certificates'}",
        ],
        node.namespace,
        _ONE_THREAD,
    )


def proxy(node: Node) -> Component:
    """Write kube-proxy's configuration and return the component."""
    config = _write(node.state / "kube-proxy.yaml", yaml.safe_dump(_kube_proxy_config()))
    return Component(
        f"{node.name}-kube-proxy",
        [
            str(KUBERNETES.output() / "kube-proxy"),
            f"--config={config}",
            f"--hostname-override={node.name}",
        ],
        node.namespace,
    )


def network_policies(node: Node) -> Component:
    """Return kube-router, which enforces NetworkPolicies and does nothing else."""
    return Component(
        f"{node.name}-kube-router",
        [
            str(KUBE_ROUTER.output() / "kube-router"),
            "--run-firewall=true",
            "--run-router=false",
            "--run-service-proxy=false",
            f"--kubeconfig={pki.component_kubeconfig('tenfold:kube-router')}",
            f"--hostname-override={node.name}",
            f"--service-cluster-ip-range={layout.SERVICE_NETWORK}",
            "--health-port=0",
            "--metrics-port=0",
        ],
        node.namespace,
        {"NODE_NAME": node.name, **_ONE_THREAD},
    )


def components(node: Node) -> tuple[Component, ...]:
    """Return the components in the order in which they start.

    The kubelet is the last: no pod runs before its Services and policies are in force.
    """
    return (container_runtime(node), proxy(node), network_policies(node), kubelet(node))


def component_names(node: Node) -> tuple[str, ...]:
    """Return the names of a node's components in the order in which they start."""
    programs = ("containerd", "kube-proxy", "kube-router", "kubelet")
    return tuple(f"{node.name}-{program}" for program in programs)


def remove_cgroup(node: Node) -> None:
    """Remove the node's cgroups, the innermost first: a cgroup is removed by rmdir alone."""
    for top in _cgroups(node.cgroup):
        for folder, _, _ in os.walk(top, topdown=False):
            Path(folder).rmdir()


def leftovers() -> list[str]:
    """List cgroups of ours that still exist."""
    return [f"cgroup {path}" for path in _cgroups("tenfold-*")]


def _cgroups(pattern: str) -> list[Path]:
    """Every cgroup of that name, in whichever hierarchy: runc makes some that we did not."""
    return [*CGROUPS.glob(pattern), *CGROUPS.glob(f"*/{pattern}")]
