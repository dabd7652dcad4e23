"""Alertmanager: one replica; Prometheus repeats what a restart forgets."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    ContainerPortArgs,
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
from tenfold_infra.components.guardrails import PLATFORM_PRIORITY
from tenfold_infra.components.monitoring.alerting import alertmanager_yaml
from tenfold_infra.config.models import Alertmanager

_NAMESPACE = naming.MONITORING_NAMESPACE
_USER = 65534  # `nobody`, as the upstream image runs
_DATA = "/alertmanager"


def deploy(section: Alertmanager, parent: pulumi.Resource) -> Deployment:
    """Make Alertmanager, its configuration and its Service."""
    config = Files.create(
        "alertmanager-config",
        _NAMESPACE,
        "/etc/alertmanager",
        {"alertmanager.yml": alertmanager_yaml(section.receivers)},
        parent,
    )
    template = PodTemplateSpecArgs(
        metadata=ObjectMetaArgs(
            labels=pods.labels(naming.ALERTMANAGER), annotations=roll_on_change(config)
        ),
        spec=PodSpecArgs(
            automount_service_account_token=False,
            priority_class_name=PLATFORM_PRIORITY,
            security_context=pods.pod_security(_USER),
            containers=[_container(section, config)],
            volumes=[config.volume, pods.scratch("data", "256Mi")],
        ),
    )
    deployment = Deployment(
        "alertmanager",
        metadata=ObjectMetaArgs(name=naming.ALERTMANAGER, namespace=_NAMESPACE),
        spec=DeploymentSpecArgs(
            replicas=1, selector=pods.selector(naming.ALERTMANAGER), template=template
        ),
        opts=ResourceOptions(parent=parent, depends_on=[config.resource]),
    )
    Service(
        "alertmanager",
        metadata=ObjectMetaArgs(name=naming.ALERTMANAGER, namespace=_NAMESPACE),
        spec=ServiceSpecArgs(
            selector=pods.labels(naming.ALERTMANAGER),
            ports=[ServicePortArgs(name="http", port=naming.ALERTMANAGER_PORT, target_port="http")],
        ),
        opts=ResourceOptions(parent=parent, depends_on=[deployment]),
    )
    return deployment


def _container(section: Alertmanager, config: Files) -> ContainerArgs:
    return ContainerArgs(
        name=naming.ALERTMANAGER,
        image=images.ALERTMANAGER.reference,
        image_pull_policy="IfNotPresent",
        command=["alertmanager"],
        args=[
            "--config.file=/etc/alertmanager/alertmanager.yml",
            f"--storage.path={_DATA}",
            f"--web.listen-address=:{naming.ALERTMANAGER_PORT}",
            "--cluster.listen-address=",  # alone: there is nobody to gossip with
        ],
        ports=[ContainerPortArgs(name="http", container_port=naming.ALERTMANAGER_PORT)],
        readiness_probe=pods.http_probe("/-/ready", naming.ALERTMANAGER_PORT, period=5),
        liveness_probe=pods.http_probe(
            "/-/healthy", naming.ALERTMANAGER_PORT, period=10, failures=6
        ),
        resources=pods.requirements(section.resources),
        security_context=pods.container_security(),
        volume_mounts=[config.mount, VolumeMountArgs(name="data", mount_path=_DATA)],
    )
