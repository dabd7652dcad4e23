"""What Prometheus and Alertmanager are told."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path

import pytest
import yaml
from tenfold_infra.components.monitoring.alerting import alertmanager_yaml
from tenfold_infra.config.models import Receivers
from tenfold_infra.images import REPOSITORY

from tests.infra.rendering import Document, Run

DEBIAN_PROMETHEUS = REPOSITORY / "infra" / "local" / "images" / "prometheus" / "prometheus.py"


def file_of(run: Run, config_map: str, name: str) -> str:
    found = run.one("ConfigMap", config_map, "tenfold-monitoring").document["data"][name]
    return str(found)


def check(tool: str, command: str, path: Path) -> None:
    done = subprocess.run([tool, *command.split(), str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_its_configuration(run: Run, tmp_path: Path) -> None:
    config = yaml.safe_load(file_of(run, "prometheus-config", "prometheus.yml"))
    # Debian's promtool knows no Kubernetes discovery; its checker is given what Debian's
    # Prometheus is given. Certificates and tokens are there only inside the pod.
    translated = runpy.run_path(str(DEBIAN_PROMETHEUS))["translated"]
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(translated(config)))
    check("promtool", "check config --syntax-only", path)


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


def test_alertmanager_takes_its_configuration(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "alertmanager.yml"
    path.write_text(file_of(run, "alertmanager-config", "alertmanager.yml"))
    check("amtool", "check-config", path)


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
def test_alerts_go_where_their_severity_says(
    webhooks: dict[str, str], routes: list[str], tmp_path: Path
) -> None:
    text = alertmanager_yaml(Receivers.model_validate(webhooks))
    document: Document = yaml.safe_load(text)
    assert document["route"]["receiver"] == "nowhere"
    assert [route["receiver"] for route in document["route"]["routes"]] == routes
    path = tmp_path / "alertmanager.yml"
    path.write_text(text)
    check("amtool", "check-config", path)
