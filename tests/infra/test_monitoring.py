"""What Prometheus and Alertmanager are told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tenfold_dashboards.alerts import ALERTS
from tenfold_dashboards.files import board_files
from tenfold_infra.components.monitoring.alerting import alertmanager_yaml
from tenfold_infra.config import parse
from tenfold_infra.config.models import Receivers
from tenfold_local import layout

from tests.infra.rendering import Document, Run, run_program, stack_config


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


def test_prometheus_serves_the_runbooks_from_where_they_are_mounted(run: Run) -> None:
    prometheus = run.one("StatefulSet", "prometheus", "tenfold-monitoring").document
    (container,) = prometheus["spec"]["template"]["spec"]["containers"]
    (folder,) = (m["mountPath"] for m in container["volumeMounts"] if m["name"] == "runbooks")
    assert f"--web.console.templates={folder}" in container["args"]
    data = run.one("ConfigMap", "runbooks", "tenfold-monitoring").document["data"]
    assert {f"{alert.alert}.html" for alert in ALERTS} < set(data)
    assert sum(len(text) for text in data.values()) < 1024**2


def links_in(run: Run) -> list[dict[str, str]]:
    groups = yaml.safe_load(file_of(run, "prometheus-rules", "alerts.yaml"))["groups"]
    return [rule["annotations"] for group in groups for rule in group["rules"]]


class TestLinks:
    """Alerts lead a person to addresses that this person can open."""

    def test_on_the_embedded_cluster_to_its_node(self, rendered: Callable[[str], Run]) -> None:
        run = rendered("local")
        node = layout.Node(1).address
        for each in links_in(run):
            port = run.outputs["prometheus"]["nodePort"]
            assert each["runbook_url"].startswith(f"http://{node}:{port}/consoles/")
            # It has no Grafana.
            port = run.outputs["console"]["nodePort"]
            assert each["dashboard_url"].startswith(f"http://{node}:{port}/#/")

    def test_without_an_address_to_what_a_port_forward_opens(
        self, rendered: Callable[[str], Run]
    ) -> None:
        for each in links_in(rendered("production")):
            assert each["runbook_url"].startswith("http://localhost:9090/consoles/")
            assert each["dashboard_url"].startswith("http://localhost:3000/d/tenfold-")

    @pytest.mark.parametrize(
        ("links", "runbook", "board"),
        [
            (
                {"prometheus": "https://prometheus.example.com/"},
                "https://prometheus.example.com/consoles/Gateway",
                "http://localhost:3000/d/",
            ),
            (
                {"boards": "https://grafana.example.com", "runbooks": "https://wiki.example.com/r"},
                "https://wiki.example.com/r/Gateway",
                "https://grafana.example.com/d/tenfold-",
            ),
        ],
    )
    def test_to_where_the_stack_says(self, links: dict[str, str], runbook: str, board: str) -> None:
        config = stack_config("production")
        monitoring = json.loads(config["tenfold:monitoring"])
        changed = {**config, "tenfold:monitoring": json.dumps({**monitoring, "links": links})}
        (first, *_) = links_in(run_program(parse(changed), "production"))
        assert first["runbook_url"].startswith(runbook)
        assert first["dashboard_url"].startswith(board)


class TestGrafana:
    """Where the stack has it, it finds Prometheus and the boards."""

    def test_reads_the_boards_from_where_they_are_mounted(
        self, rendered: Callable[[str], Run]
    ) -> None:
        production = rendered("production")
        grafana = production.one("Deployment", "grafana", "tenfold-monitoring").document
        (container,) = grafana["spec"]["template"]["spec"]["containers"]
        folders = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        providers = yaml.safe_load(file_of(production, "grafana-providers", "tenfold.yaml"))
        (provider,) = providers["providers"]
        assert provider["options"]["path"] == folders["grafana-boards"]
        boards = production.one("ConfigMap", "grafana-boards", "tenfold-monitoring").document
        assert boards["data"] == board_files()

    def test_the_boards_fit_into_a_configmap(self) -> None:
        assert sum(len(text) for text in board_files().values()) < 1024**2


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
