"""What Prometheus and Alertmanager are told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from tenfold_infra.components.monitoring.alerting import alertmanager_yaml
from tenfold_infra.config.models import Receivers

from tests.infra.rendering import Document, Run


def file_of(run: Run, config_map: str, name: str) -> str:
    found = run.one("ConfigMap", config_map, "tenfold-monitoring").document["data"][name]
    return str(found)


def test_prometheus_takes_its_configuration(run: Run, tmp_path: Path) -> None:
    config = yaml.safe_load(file_of(run, "prometheus-config", "prometheus.yml"))
    for job in config["scrape_configs"]:
        job.pop("kubernetes_sd_configs", None)  # Debian's promtool is built without it
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    # Certificates and tokens are there only inside the pod.
    command = ["promtool", "check", "config", "--syntax-only", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_scrapes_every_job(run: Run) -> None:
    config = yaml.safe_load(file_of(run, "prometheus-config", "prometheus.yml"))
    assert {job["job_name"] for job in config["scrape_configs"]} == {
        "pods",
        "kubelet",
        "cadvisor",
        "resource",
        "apiserver",
        "prometheus",
    }


def test_kubelets_are_trusted_by_the_clusters_authority(run: Run) -> None:
    config = yaml.safe_load(file_of(run, "prometheus-config", "prometheus.yml"))
    (kubelet,) = (job for job in config["scrape_configs"] if job["job_name"] == "kubelet")
    assert kubelet["tls_config"]["ca_file"].endswith("/ca.crt")


def test_prometheus_loads_the_rules_from_where_they_are_mounted(run: Run) -> None:
    config = yaml.safe_load(file_of(run, "prometheus-config", "prometheus.yml"))
    prometheus = run.one("StatefulSet", "prometheus", "tenfold-monitoring").document
    (container,) = prometheus["spec"]["template"]["spec"]["containers"]
    folders = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {pattern.rpartition("/")[0] for pattern in config["rule_files"]} < folders


@pytest.mark.parametrize(
    ("webhooks", "routes"),
    [
        ({}, []),
        ({"critical": "https://pager.example/x"}, ["critical"]),
        (
            {"critical": "https://pager.example/x", "warning": "http://chat.example:8080/y"},
            ["critical", "warning"],
        ),
    ],
)
def test_alerts_go_where_their_severity_says(webhooks: dict[str, str], routes: list[str]) -> None:
    document: Document = yaml.safe_load(alertmanager_yaml(Receivers.model_validate(webhooks)))
    assert document["route"]["receiver"] == "nowhere"
    assert [route["receiver"] for route in document["route"]["routes"]] == routes
    receivers = {entry["name"]: entry for entry in document["receivers"]}
    assert receivers.keys() == {"nowhere", *routes}
    for severity, url in webhooks.items():
        assert receivers[severity]["webhook_configs"] == [{"url": url}]
