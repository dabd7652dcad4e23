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

from tenfold_infra import images, naming
from tenfold_infra.components import pods
from tenfold_infra.components.files import Files, roll_on_change
from tenfold_infra.config.models import Grafana

_NAMESPACE = naming.MONITORING_NAMESPACE
_USER = 472  # fixed by the upstream image
_DATA = "/var/lib/grafana"


def deploy(section: Grafana, parent: pulumi.Resource) -> Deployment:
    """Make Grafana with Prometheus as its data source."""
    sources = Files.create(
        "grafana-datasources",
        _NAMESPACE,
        "/etc/grafana/provisioning/datasources",
        {"prometheus.yaml": _data_sources()},
        parent,
    )
    template = PodTemplateSpecArgs(
        metadata=ObjectMetaArgs(
            labels=pods.labels(naming.GRAFANA), annotations=roll_on_change(sources)
        ),
        spec=PodSpecArgs(
            automount_service_account_token=False,
            security_context=pods.pod_security(_USER),
            containers=[_container(section, sources)],
            volumes=[sources.volume, pods.scratch("data", "1Gi"), pods.scratch("tmp", "64Mi")],
        ),
    )
    deployment = Deployment(
        "grafana",
        metadata=ObjectMetaArgs(name=naming.GRAFANA, namespace=_NAMESPACE),
        spec=DeploymentSpecArgs(
            replicas=1, selector=pods.selector(naming.GRAFANA), template=template
        ),
        opts=ResourceOptions(parent=parent, depends_on=[sources.resource]),
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
    }
    return yaml.safe_dump({"apiVersion": 1, "datasources": [prometheus]}, sort_keys=False)


def _container(section: Grafana, sources: Files) -> ContainerArgs:
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
            sources.mount,
            VolumeMountArgs(name="data", mount_path=_DATA),
            VolumeMountArgs(name="tmp", mount_path="/tmp"),  # noqa: S108 - a volume of its own
        ],
    )
