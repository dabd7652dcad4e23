"""Grafana, reading Prometheus; people reach it by `kubectl port-forward`."""

from __future__ import annotations

import pulumi
import yaml
from pulumi import ResourceOptions
from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    ContainerPortArgs,
    EnvVarArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    Service,
    ServicePortArgs,
    ServiceSpecArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from tenfold_dashboards.files import board_files

from tenfold_infra import images, naming
from tenfold_infra.components import pods
from tenfold_infra.components.files import Files, roll_on_change
from tenfold_infra.components.monitoring.scraping import SCRAPE_INTERVAL
from tenfold_infra.config.models import Grafana

_NAMESPACE = naming.MONITORING_NAMESPACE
_USER = 472  # fixed by the upstream image
_DATA = "/var/lib/grafana"
_PROVISIONING = "/etc/grafana/provisioning"
_BOARDS = "/etc/grafana/boards"


def deploy(section: Grafana, parent: pulumi.Resource) -> Deployment:
    """Make Grafana with Prometheus as its data source and our boards."""
    files = (
        Files.create(
            "grafana-datasources",
            _NAMESPACE,
            f"{_PROVISIONING}/datasources",
            {"prometheus.yaml": _data_sources()},
            parent,
        ),
        Files.create(
            "grafana-providers",
            _NAMESPACE,
            f"{_PROVISIONING}/dashboards",
            {"tenfold.yaml": _providers()},
            parent,
        ),
        Files.create("grafana-boards", _NAMESPACE, _BOARDS, board_files(), parent),
    )
    template = PodTemplateSpecArgs(
        metadata=ObjectMetaArgs(
            labels=pods.labels(naming.GRAFANA), annotations=roll_on_change(*files)
        ),
        spec=PodSpecArgs(
            automount_service_account_token=False,
            security_context=pods.pod_security(_USER),
            containers=[_container(section, files)],
            volumes=[
                *(each.volume for each in files),
                pods.scratch("data", "1Gi"),
                pods.scratch("tmp", "64Mi"),
            ],
        ),
    )
    deployment = Deployment(
        "grafana",
        metadata=ObjectMetaArgs(name=naming.GRAFANA, namespace=_NAMESPACE),
        spec=DeploymentSpecArgs(
            replicas=1, selector=pods.selector(naming.GRAFANA), template=template
        ),
        opts=ResourceOptions(parent=parent, depends_on=[each.resource for each in files]),
    )
    Service(
        "grafana",
        metadata=ObjectMetaArgs(name=naming.GRAFANA, namespace=_NAMESPACE),
        spec=ServiceSpecArgs(
            selector=pods.labels(naming.GRAFANA),
            ports=[ServicePortArgs(name="http", port=naming.GRAFANA_PORT, target_port="http")],
        ),
        opts=ResourceOptions(parent=parent, depends_on=[deployment]),
    )
    return deployment


def _data_sources() -> str:
    prometheus = {
        "name": "Prometheus",
        "type": "prometheus",
        "access": "proxy",
        "isDefault": True,
        "url": naming.url(naming.PROMETHEUS, _NAMESPACE, naming.PROMETHEUS_PORT),
        # So wide a window always holds the samples that a rate needs.
        "jsonData": {"timeInterval": SCRAPE_INTERVAL},
    }
    return yaml.safe_dump({"apiVersion": 1, "datasources": [prometheus]}, sort_keys=False)


def _providers() -> str:
    provider = {
        "name": "tenfold",
        "folder": "Tenfold",
        "type": "file",
        "allowUiUpdates": False,
        "options": {"path": _BOARDS},
    }
    return yaml.safe_dump({"apiVersion": 1, "providers": [provider]}, sort_keys=False)


def _container(section: Grafana, files: tuple[Files, ...]) -> ContainerArgs:
    settings = {
        "GF_PATHS_DATA": _DATA,
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        # Only port-forward reaches it, which asks for rights on the namespace already.
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
    }
    return ContainerArgs(
        name=naming.GRAFANA,
        image=images.GRAFANA.reference,
        image_pull_policy="IfNotPresent",
        env=[EnvVarArgs(name=name, value=value) for name, value in settings.items()],
        ports=[ContainerPortArgs(name="http", container_port=naming.GRAFANA_PORT)],
        readiness_probe=pods.http_probe("/api/health", naming.GRAFANA_PORT, period=5),
        liveness_probe=pods.http_probe("/api/health", naming.GRAFANA_PORT, period=10, failures=6),
        resources=pods.requirements(section.resources),
        security_context=pods.container_security(),
        volume_mounts=[
            *(each.mount for each in files),
            VolumeMountArgs(name="data", mount_path=_DATA),
            VolumeMountArgs(name="tmp", mount_path="/tmp"),  # noqa: S108 - a volume of its own
        ],
    )
