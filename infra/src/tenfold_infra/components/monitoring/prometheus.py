"""Prometheus: one volume a replica, each replica scraping everything."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apps.v1 import StatefulSet, StatefulSetSpecArgs
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    ContainerPortArgs,
    PersistentVolumeClaimArgs,
    PersistentVolumeClaimSpecArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    Service,
    ServicePortArgs,
    ServiceSpecArgs,
    VolumeMountArgs,
    VolumeResourceRequirementsArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgs
from tenfold_dashboards import runbooks
from tenfold_dashboards.files import rule_files

from tenfold_infra import images, naming
from tenfold_infra.components import access, pods
from tenfold_infra.components.files import Files, roll_on_change
from tenfold_infra.components.guardrails import PLATFORM_PRIORITY
from tenfold_infra.components.monitoring import links, scraping
from tenfold_infra.config import Platform

_NAMESPACE = naming.MONITORING_NAMESPACE
_DATA = "/prometheus"
_RUNBOOKS = "/etc/prometheus-runbooks"
RUNBOOKS = images.REPOSITORY / "runbooks"
"""One page an alert, and procedures."""


def service(platform: Platform, pods_first: StatefulSet, parent: pulumi.Resource) -> Service:
    """Make the Service that people, Grafana and the operator ask.

    A caller stays with one replica, or its graphs would jump between two sets of samples.
    """
    exposure = platform.monitoring.prometheus.service
    return Service(
        "prometheus",
        metadata=ObjectMetaArgs(name=naming.PROMETHEUS, namespace=_NAMESPACE),
        spec=ServiceSpecArgs(
            type=exposure.type,
            session_affinity="ClientIP",
            selector=pods.labels(naming.PROMETHEUS),
            ports=[
                ServicePortArgs(
                    name="http",
                    port=naming.PROMETHEUS_PORT,
                    target_port="http",
                    node_port=exposure.node_port,
                )
            ],
        ),
        opts=ResourceOptions(parent=parent, depends_on=[pods_first]),
    )


def stateful_set(platform: Platform, parent: pulumi.Resource) -> StatefulSet:
    """Make Prometheus with its configuration, rules and rights."""
    config = Files.create(
        "prometheus-config",
        _NAMESPACE,
        "/etc/prometheus",
        {"prometheus.yml": scraping.prometheus_yaml(platform)},
        parent,
    )
    rules = Files.create(
        "prometheus-rules",
        _NAMESPACE,
        scraping.RULES_FOLDER,
        rule_files(links.of_alerts(platform.monitoring)),
        parent,
    )
    # Read at each request: a runbook that changes needs no restart.
    books = Files.create("runbooks", _NAMESPACE, _RUNBOOKS, runbooks.pages(RUNBOOKS), parent)
    identity = _identity(platform, parent)
    wanted = platform.monitoring.prometheus
    template = PodTemplateSpecArgs(
        metadata=ObjectMetaArgs(
            labels=pods.labels(naming.PROMETHEUS), annotations=roll_on_change(config, rules)
        ),
        spec=PodSpecArgs(
            service_account_name=identity.name,
            automount_service_account_token=True,
            priority_class_name=PLATFORM_PRIORITY,
            security_context=pods.pod_security(),
            topology_spread_constraints=pods.spread(naming.PROMETHEUS),
            containers=[_container(platform, config, rules, books)],
            volumes=[config.volume, rules.volume, books.volume],
        ),
    )
    return StatefulSet(
        "prometheus",
        metadata=ObjectMetaArgs(name=naming.PROMETHEUS, namespace=_NAMESPACE),
        spec=StatefulSetSpecArgs(
            service_name=naming.PROMETHEUS,
            replicas=wanted.replicas,
            pod_management_policy="Parallel",
            selector=pods.selector(naming.PROMETHEUS),
            template=template,
            volume_claim_templates=[_claim(platform)],
        ),
        opts=ResourceOptions(
            parent=parent,
            depends_on=[*identity.granted, config.resource, rules.resource, books.resource],
        ),
    )


def _container(platform: Platform, *files: Files) -> ContainerArgs:
    wanted = platform.monitoring.prometheus
    return ContainerArgs(
        name=naming.PROMETHEUS,
        image=images.PROMETHEUS.reference,
        image_pull_policy="IfNotPresent",
        command=["prometheus"],
        args=[
            "--config.file=/etc/prometheus/prometheus.yml",
            f"--storage.tsdb.path={_DATA}",
            f"--storage.tsdb.retention.time={wanted.retention}",
            f"--web.listen-address=:{naming.PROMETHEUS_PORT}",
            f"--web.external-url={links.of_prometheus(platform.monitoring)}",
            # Whatever the path is that people see, a proxy of theirs takes it away.
            "--web.route-prefix=/",
            f"--web.console.templates={_RUNBOOKS}",
            f"--web.console.libraries={_RUNBOOKS}",
        ],
        ports=[ContainerPortArgs(name="http", container_port=naming.PROMETHEUS_PORT)],
        # Replaying the log of a full volume takes minutes; that is no reason to start over.
        startup_probe=pods.http_probe("/-/ready", naming.PROMETHEUS_PORT, period=2, failures=300),
        readiness_probe=pods.http_probe("/-/ready", naming.PROMETHEUS_PORT, period=5),
        liveness_probe=pods.http_probe("/-/healthy", naming.PROMETHEUS_PORT, period=10, failures=6),
        resources=pods.requirements(wanted.resources),
        security_context=pods.container_security(),
        volume_mounts=[
            *(each.mount for each in files),
            VolumeMountArgs(name="data", mount_path=_DATA),
        ],
    )


def _claim(platform: Platform) -> PersistentVolumeClaimArgs:
    return PersistentVolumeClaimArgs(
        metadata=ObjectMetaArgs(name="data"),
        spec=PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteOnce"],
            storage_class_name=platform.cluster.storage_class,
            resources=VolumeResourceRequirementsArgs(
                requests={"storage": platform.monitoring.prometheus.storage}
            ),
        ),
    )


def _identity(platform: Platform, parent: pulumi.Resource) -> access.Identity:
    identity = access.Identity(naming.PROMETHEUS, _NAMESPACE, parent)
    identity.may_everywhere(
        [
            access.rule("", ["nodes"], access.READ),
            access.rule("", ["nodes/metrics"], ["get"]),
            PolicyRuleArgs(non_resource_urls=["/metrics"], verbs=["get"]),
        ]
    )
    identity.may([access.rule("", ["pods"], access.READ)], platform.namespaces)
    identity.may(
        [
            access.rule("", ["services", "pods"], access.READ),
            access.rule("discovery.k8s.io", ["endpointslices"], access.READ),
        ],
        ["default"],  # where the API server publishes its own endpoints
    )
    return identity
