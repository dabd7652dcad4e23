"""Prometheus' configuration: what is scraped and how each target is trusted."""

from __future__ import annotations

import yaml
from tenfold_dashboards import metrics

from tenfold_infra import naming
from tenfold_infra.config import Platform

RULES_FOLDER = "/etc/prometheus-rules"
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
SCRAPE_INTERVAL = "10s"
# A bad revision fails requests until the gateway's series tell of it.
_GATEWAY_INTERVAL = "2s"

_KEPT = "__tmp_kept"

Job = dict[str, object]


def prometheus_yaml(platform: Platform) -> str:
    """Return prometheus.yml for the stack."""
    document = {
        # Rollouts and failover are decided from these series: a minute would be an age.
        "global": {"scrape_interval": SCRAPE_INTERVAL, "evaluation_interval": SCRAPE_INTERVAL},
        "rule_files": [f"{RULES_FOLDER}/*.yaml"],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [_alertmanager()]}]}],
        },
        "scrape_configs": [
            _own(),
            _pods(platform),
            _node_job(platform, metrics.JOB_KUBELET, "/metrics"),
            _node_job(platform, metrics.JOB_CADVISOR, "/metrics/cadvisor"),
            _node_job(platform, metrics.JOB_RESOURCE, "/metrics/resource"),
            _api_server(),
        ],
    }
    return yaml.safe_dump(document, sort_keys=False)


def _alertmanager() -> str:
    host = naming.host(naming.ALERTMANAGER, naming.MONITORING_NAMESPACE)
    return f"{host}:{naming.ALERTMANAGER_PORT}"


def _own() -> Job:
    target = f"localhost:{naming.PROMETHEUS_PORT}"
    return {"job_name": metrics.JOB_PROMETHEUS, "static_configs": [{"targets": [target]}]}


def _pods(platform: Platform) -> Job:
    def copy(source: str, target: str) -> dict[str, object]:
        return {"source_labels": [f"__meta_kubernetes_{source}"], "target_label": target}

    return {
        "job_name": metrics.JOB_PODS,
        "kubernetes_sd_configs": [
            {"role": "pod", "namespaces": {"names": list(platform.namespaces)}}
        ],
        "relabel_configs": [
            {
                "source_labels": ["__meta_kubernetes_pod_container_port_name"],
                "regex": naming.METRICS_PORT_NAME,
                "action": "keep",
            },
            {
                # A pod that has ended answers no more, and is no target that is down.
                "source_labels": ["__meta_kubernetes_pod_phase"],
                "regex": "Succeeded|Failed",
                "action": "drop",
            },
            *(
                {
                    "source_labels": ["__meta_kubernetes_pod_label_app_kubernetes_io_name"],
                    "regex": naming.TRAEFIK,
                    "target_label": setting,
                    "replacement": _GATEWAY_INTERVAL,
                }
                for setting in ("__scrape_interval__", "__scrape_timeout__")
            ),
            copy("namespace", "namespace"),
            copy("pod_name", "pod"),
            copy("pod_node_name", "node"),
            copy("pod_label_app_kubernetes_io_name", "app"),
            copy("pod_label_tenfold_dev_tier", "tier"),
            copy("pod_label_tenfold_dev_workload", "workload"),
            copy("pod_label_tenfold_dev_revision", "revision"),
        ],
        "metric_relabel_configs": [
            {
                # The operator tells of objects in tenants' namespaces; only it is believed.
                "source_labels": ["namespace", "exported_namespace"],
                "regex": f"{naming.SYSTEM_NAMESPACE};(.+)",
                "target_label": "namespace",
            }
        ],
    }


def _node_job(platform: Platform, name: str, path: str) -> Job:
    return {
        "job_name": name,
        "scheme": "https",
        "metrics_path": path,
        "authorization": {"credentials_file": f"{_ACCOUNT}/token"},
        "tls_config": _kubelet_tls(platform),
        "kubernetes_sd_configs": [{"role": "node"}],
        "relabel_configs": [
            {"source_labels": ["__meta_kubernetes_node_name"], "target_label": "node"},
            {
                "source_labels": ["__meta_kubernetes_node_label_topology_kubernetes_io_zone"],
                "target_label": "zone",
            },
        ],
    }


def _kubelet_tls(platform: Platform) -> dict[str, object]:
    if platform.cluster.kubelet_certificates == "cluster-ca":
        return {"ca_file": f"{_ACCOUNT}/ca.crt"}
    # A kubelet that was given no serving certificate makes its own, which no authority signed.
    # Only the nodes' network can be reached on that port, by the NetworkPolicy of Prometheus.
    return {"insecure_skip_verify": True}


def _api_server() -> Job:
    meta = "__meta_kubernetes_"
    return {
        "job_name": metrics.JOB_APISERVER,
        "scheme": "https",
        "authorization": {"credentials_file": f"{_ACCOUNT}/token"},
        "tls_config": {
            "ca_file": f"{_ACCOUNT}/ca.crt",
            "server_name": naming.host("kubernetes", "default"),
        },
        "kubernetes_sd_configs": [{"role": "endpointslice", "namespaces": {"names": ["default"]}}],
        "relabel_configs": [
            {
                "source_labels": [f"{meta}service_name", f"{meta}endpointslice_port_name"],
                "regex": "kubernetes;https",
                "action": "keep",
            }
        ],
        # Histograms by verb, resource and bucket are most of what an API server tells, and only
        # the one that tells of certificates is read.
        "metric_relabel_configs": [
            {
                "source_labels": ["__name__"],
                "regex": f"{metrics.CLIENT_CERTIFICATE_SECONDS}_bucket",
                "target_label": _KEPT,
                "replacement": "yes",
            },
            {
                "source_labels": [_KEPT, "__name__"],
                "regex": ";(apiserver|etcd|workqueue|rest_client)_.*_bucket",
                "action": "drop",
            },
            {"regex": _KEPT, "action": "labeldrop"},
        ],
    }
