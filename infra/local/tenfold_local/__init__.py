"""A real Kubernetes of several nodes on one Debian machine.

A small launcher, not a distribution: control plane on a bridge address of this machine, each node a
network namespace with its own kubelet, containerd, kube-proxy and kube-router.
"""
