"""The control plane: etcd, API server, controller manager and scheduler on this machine."""

from __future__ import annotations

import os
import shutil
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from tenfold_local import layout, pki, processes
from tenfold_local.layout import STATE
from tenfold_local.processes import Component
from tenfold_local.toolchain import KUBERNETES

NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
"""The components in the order in which they start."""

API_READY_SECONDS = 90.0

VOLUME_OWNER = 65532
"""User of the pods that keep data (`nonroot` by convention).

The host-path provisioner makes its folders for the user that it runs as, mode 0750. Restricted
pods are no root, so the controller manager runs as the user that they run as.
"""


def _etcd() -> Component:
    authority = pki.Authority("etcd")
    certificate, key = authority.issue(
        "etcd-server", common_name="etcd", addresses=["127.0.0.1"], dns_names=["localhost"]
    )
    client, peer = (
        f"https://127.0.0.1:{port}" for port in (layout.ETCD_PORT, layout.ETCD_PEER_PORT)
    )
    return Component(
        "etcd",
        [
            _binary("etcd"),
            f"--data-dir={STATE / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--client-cert-auth",
            "--peer-client-cert-auth",
            f"--trusted-ca-file={authority.certificate_file}",
            f"--peer-trusted-ca-file={authority.certificate_file}",
            f"--cert-file={certificate}",
            f"--key-file={key}",
            f"--peer-cert-file={certificate}",
            f"--peer-key-file={key}",
            # The cluster is made anew in a minute: speed is worth more than surviving a power cut.
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
    )


def _api_server() -> Component:
    cluster, etcd, front = (pki.Authority(name) for name in ("cluster", "etcd", "front-proxy"))
    serving, serving_key = cluster.issue(
        "kube-apiserver",
        common_name="kube-apiserver",
        addresses=[layout.CLUSTER_ADDRESS, layout.KUBERNETES_SERVICE],
        dns_names=[
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ],
    )
    etcd_client, etcd_client_key = etcd.issue("etcd-client", common_name="kube-apiserver")
    kubelet_client, kubelet_client_key = cluster.issue(
        "kubelet-client", common_name="kube-apiserver-kubelet-client", groups=["system:masters"]
    )
    proxy_client, proxy_client_key = front.issue("front-proxy-client", common_name="front-proxy")
    return Component(
        "kube-apiserver",
        [
            _binary("kube-apiserver"),
            f"--bind-address={layout.CLUSTER_ADDRESS}",
            f"--advertise-address={layout.CLUSTER_ADDRESS}",
            f"--secure-port={layout.API_PORT}",
            f"--etcd-servers=https://127.0.0.1:{layout.ETCD_PORT}",
            f"--etcd-cafile={etcd.certificate_file}",
            f"--etcd-certfile={etcd_client}",
            f"--etcd-keyfile={etcd_client_key}",
            f"--client-ca-file={cluster.certificate_file}",
            f"--tls-cert-file={serving}",
            f"--tls-private-key-file={serving_key}",
            f"--kubelet-certificate-authority={cluster.certificate_file}",
            f"--kubelet-client-certificate={kubelet_client}",
            f"--kubelet-client-key={kubelet_client_key}",
            # Without it, exec and logs look the node's name up in DNS.
            "--kubelet-preferred-address-types=InternalIP",
            f"--requestheader-client-ca-file={front.certificate_file}",
            "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={proxy_client}",
            f"--proxy-client-key-file={proxy_client_key}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--profiling=false",
            f"--service-cluster-ip-range={layout.SERVICE_NETWORK}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki.service_account_key()}",
            f"--service-account-signing-key-file={pki.service_account_key()}",
        ],
    )


def _controller_manager() -> Component:
    layout.VOLUMES.mkdir(mode=0o711, exist_ok=True)
    os.chown(layout.VOLUMES, VOLUME_OWNER, VOLUME_OWNER)
    kubeconfig = _for_volume_owner(pki.component_kubeconfig("system:kube-controller-manager"))
    return Component(
        "kube-controller-manager",
        [
            "setpriv",
            f"--reuid={VOLUME_OWNER}",
            f"--regid={VOLUME_OWNER}",
            "--clear-groups",
            str(_for_volume_owner(Path(_binary("kube-controller-manager")), mode=0o500)),
            "--bind-address=127.0.0.1",
            f"--secure-port={layout.CONTROLLER_MANAGER_PORT}",
            *_credentials(kubeconfig),
            f"--root-ca-file={_for_volume_owner(_cluster_ca())}",
            f"--service-account-private-key-file={_for_volume_owner(pki.service_account_key())}",
            f"--cert-dir={kubeconfig.parent}",
            "--use-service-account-credentials=true",
            "--controllers=*,-nodeipam,-cloud-node-lifecycle,-service-lb-controller",
            "--enable-hostpath-provisioner=true",
            "--node-monitor-period=2s",
            "--node-monitor-grace-period=12s",
            "--leader-elect=false",
            "--profiling=false",
        ],
    )


def _scheduler() -> Component:
    kubeconfig = pki.component_kubeconfig("system:kube-scheduler")
    return Component(
        "kube-scheduler",
        [
            _binary("kube-scheduler"),
            "--bind-address=127.0.0.1",
            f"--secure-port={layout.SCHEDULER_PORT}",
            *_credentials(kubeconfig),
            "--leader-elect=false",
            "--profiling=false",
        ],
    )


def _binary(name: str) -> str:
    return str(KUBERNETES.output() / name)


def _cluster_ca() -> Path:
    return pki.Authority("cluster").certificate_file


def _credentials(kubeconfig: Path) -> list[str]:
    return [
        f"--{purpose}kubeconfig={kubeconfig}"
        for purpose in ("", "authentication-", "authorization-")
    ]


def _for_volume_owner(file: Path, *, mode: int = 0o400) -> Path:
    """Copy a file of root's to where the one process that runs as VOLUME_OWNER can use it."""
    copy = STATE / "controller-manager" / file.name
    copy.parent.mkdir(mode=0o700, exist_ok=True)
    os.chown(copy.parent, VOLUME_OWNER, VOLUME_OWNER)
    if not copy.exists():
        temporary = copy.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)
        shutil.copyfile(file, temporary)
        os.chown(temporary, VOLUME_OWNER, VOLUME_OWNER)
        temporary.chmod(mode)
        temporary.rename(copy)
    return copy


def start() -> None:
    """Start what is not running, and wait until the API server is ready.

    The controllers come after it: one that starts before its roles exist ends at once.
    """
    store = (_etcd(), _api_server())
    for component in store:
        processes.start(component)
    processes.wait_for(
        [component.name for component in store],
        api_is_ready,
        seconds=API_READY_SECONDS,
        what="the API server's readiness",
    )
    for component in (_controller_manager(), _scheduler()):
        processes.start(component)


def api_is_ready() -> bool:
    """Tell whether the API server says that it is ready."""
    context = ssl.create_default_context(cafile=str(_cluster_ca()))
    url = f"https://{layout.CLUSTER_ADDRESS}:{layout.API_PORT}/readyz"
    try:
        with urllib.request.urlopen(url, context=context, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
