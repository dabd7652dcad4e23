"""The embedded cluster's Prometheus discovers targets as upstream's does."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tenfold_local.layout import SOURCE

PROGRAM = runpy.run_path(str(SOURCE / "images" / "prometheus" / "prometheus.py"))
Groups = Callable[[dict[str, Any]], Iterator[dict[str, Any]]]

POD: dict[str, Any] = {
    "metadata": {
        "name": "l2-0",
        "namespace": "marketplace",
        "labels": {"app.kubernetes.io/name": "redis"},
    },
    "spec": {
        "nodeName": "node-1",
        "containers": [
            {"name": "redis", "ports": [{"name": "redis", "containerPort": 6379}]},
            {"name": "exporter", "ports": [{"name": "metrics", "containerPort": 9121}]},
            {"name": "sidecar"},
        ],
    },
    "status": {"podIP": "10.244.1.7", "phase": "Running"},
}


def test_kubernetes_discovery_is_asked_of_the_program_and_all_else_is_kept() -> None:
    own = {"job_name": "prometheus", "static_configs": [{"targets": ["localhost:9090"]}]}
    discovery = {"role": "pod", "namespaces": {"names": ["a", "b"]}}
    pods = {"job_name": "pods", "kubernetes_sd_configs": [discovery], "relabel_configs": []}
    config = {"rule_files": ["*.yaml"], "scrape_configs": [own, pods]}
    assert PROGRAM["translated"](config) == {
        "rule_files": ["*.yaml"],
        "scrape_configs": [
            own,
            {
                "job_name": "pods",
                "relabel_configs": [],
                "http_sd_configs": [
                    {
                        "url": "http://127.0.0.1:9099/pod?namespace=a&namespace=b",
                        "refresh_interval": "5s",
                    }
                ],
            },
        ],
    }


def test_a_pod_is_a_target_for_each_port_with_upstreams_labels() -> None:
    pod_groups: Groups = PROGRAM["pod_groups"]
    redis, exporter = pod_groups(POD)
    assert redis["targets"] == ["10.244.1.7:6379"]
    assert exporter == {
        "targets": ["10.244.1.7:9121"],
        "labels": {
            "__meta_kubernetes_namespace": "marketplace",
            "__meta_kubernetes_pod_name": "l2-0",
            "__meta_kubernetes_pod_node_name": "node-1",
            "__meta_kubernetes_pod_phase": "Running",
            "__meta_kubernetes_pod_container_name": "exporter",
            "__meta_kubernetes_pod_container_port_name": "metrics",
            "__meta_kubernetes_pod_label_app_kubernetes_io_name": "redis",
        },
    }


def test_a_pod_without_an_address_is_no_target_yet() -> None:
    pod_groups: Groups = PROGRAM["pod_groups"]
    assert list(pod_groups(POD | {"status": {"phase": "Pending"}})) == []


def test_a_node_is_a_target_at_its_kubelet() -> None:
    node_groups: Groups = PROGRAM["node_groups"]
    node = {
        "metadata": {"name": "node-1", "labels": {"topology.kubernetes.io/zone": "zone-a"}},
        "status": {
            "addresses": [
                {"type": "Hostname", "address": "node-1"},
                {"type": "InternalIP", "address": "10.99.0.11"},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        },
    }
    assert list(node_groups(node)) == [
        {
            "targets": ["10.99.0.11:10250"],
            "labels": {
                "instance": "node-1",
                "__meta_kubernetes_node_name": "node-1",
                "__meta_kubernetes_node_label_topology_kubernetes_io_zone": "zone-a",
            },
        }
    ]


@pytest.mark.parametrize("endpoints", [None, []])
def test_a_slice_without_endpoints_is_no_target(endpoints: list[Any] | None) -> None:
    endpointslice_groups: Groups = PROGRAM["endpointslice_groups"]
    document = {
        "metadata": {"name": "kubernetes", "namespace": "default"},
        "ports": [{"name": "https", "port": 6443}],
        "endpoints": endpoints,
    }
    assert list(endpointslice_groups(document)) == []


def test_an_endpoint_is_a_target_at_each_port() -> None:
    endpointslice_groups: Groups = PROGRAM["endpointslice_groups"]
    document = {
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "ports": [{"name": "https", "port": 6443}],
        "endpoints": [{"addresses": ["10.99.0.1"]}],
    }
    (group,) = endpointslice_groups(document)
    assert group["targets"] == ["10.99.0.1:6443"]
    assert group["labels"]["__meta_kubernetes_service_name"] == "kubernetes"
    assert group["labels"]["__meta_kubernetes_endpointslice_port_name"] == "https"
