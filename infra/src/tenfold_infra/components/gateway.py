"""The gateway: Traefik, driven by the Gateway API."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apps.v1 import (
    Deployment,
    DeploymentSpecArgs,
    DeploymentStrategyArgs,
    RollingUpdateDeploymentArgs,
)
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    ContainerPortArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    Service,
    ServicePortArgs,
    ServiceSpecArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs

from tenfold_infra import images, naming
from tenfold_infra.components import access, pods, traefik
from tenfold_infra.components.conditions import wait_for
from tenfold_infra.components.files import Files, roll_on_change
from tenfold_infra.components.guardrails import PLATFORM_PRIORITY
from tenfold_infra.config import Platform

GATEWAY_API = "gateway.networking.k8s.io"
_DRAIN_SECONDS = 5
_TERMINATION_SECONDS = _DRAIN_SECONDS + traefik.IN_FLIGHT_SECONDS + 5


class Gateway(pulumi.ComponentResource):
    """Traefik, the Service in front of it, and the Gateway that tenants' routes attach to."""

    deployment: Deployment
    service: Service
    gateway: CustomResource

    def __init__(self, platform: Platform) -> None:
        super().__init__("tenfold:infra:Gateway", "gateway")
        identity = self._identity(platform)
        self.deployment = self._deployment(platform, identity)
        self.service = self._service(platform)
        self._disruption_budget()
        self.gateway = self._gateway(platform)
        self.register_outputs({"service": self.service.metadata.name})

    def _identity(self, platform: Platform) -> access.Identity:
        identity = access.Identity(naming.TRAEFIK, naming.GATEWAY_NAMESPACE, self)
        identity.may_everywhere(
            [
                access.rule("", ["namespaces"], access.WATCH),
                access.rule(GATEWAY_API, ["gatewayclasses"], access.WATCH),
                access.rule(GATEWAY_API, ["gatewayclasses/status"], ["update"]),
            ]
        )
        kinds = ("gateways", "httproutes", "grpcroutes", "backendtlspolicies")
        identity.may(
            [
                # Traefik does not start serving before it has listed each of these kinds, also
                # those that no route uses. Certificates for listeners and backends are Secrets.
                access.rule("", ["services", "configmaps", "secrets"], access.WATCH),
                access.rule("discovery.k8s.io", ["endpointslices"], access.WATCH),
                access.rule(GATEWAY_API, [*kinds, "referencegrants"], access.WATCH),
                access.rule(GATEWAY_API, [f"{kind}/status" for kind in kinds], ["update"]),
            ],
            traefik.watched(platform),
        )
        return identity

    def _service(self, platform: Platform) -> Service:
        exposure = platform.gateway.service
        web = ServicePortArgs(
            name=naming.WEB_LISTENER,
            port=naming.GATEWAY_PORT,
            target_port=naming.WEB_LISTENER,
            node_port=exposure.node_port,
        )
        return Service(
            "gateway",
            metadata=ObjectMetaArgs(
                name=naming.GATEWAY_SERVICE, namespace=naming.GATEWAY_NAMESPACE
            ),
            spec=ServiceSpecArgs(
                type=exposure.type,
                selector=pods.labels(naming.TRAEFIK),
                ports=[web, *_console_ports(platform)],
            ),
            # A Service counts as ready when pods answer behind it: without them, do not wait.
            opts=ResourceOptions(parent=self, depends_on=[self.deployment]),
        )

    def _deployment(self, platform: Platform, identity: access.Identity) -> Deployment:
        config = Files.create(
            naming.TRAEFIK, naming.GATEWAY_NAMESPACE, traefik.FOLDER, traefik.files(), self
        )
        return Deployment(
            "traefik",
            metadata=ObjectMetaArgs(name=naming.TRAEFIK, namespace=naming.GATEWAY_NAMESPACE),
            spec=DeploymentSpecArgs(
                replicas=platform.gateway.replicas,
                selector=pods.selector(naming.TRAEFIK),
                strategy=DeploymentStrategyArgs(
                    type="RollingUpdate",
                    rolling_update=RollingUpdateDeploymentArgs(max_unavailable=0, max_surge=1),
                ),
                template=PodTemplateSpecArgs(
                    metadata=ObjectMetaArgs(
                        labels=pods.labels(naming.TRAEFIK), annotations=roll_on_change(config)
                    ),
                    spec=PodSpecArgs(
                        service_account_name=identity.name,
                        automount_service_account_token=True,
                        priority_class_name=PLATFORM_PRIORITY,
                        security_context=pods.pod_security(),
                        topology_spread_constraints=pods.spread(naming.TRAEFIK),
                        termination_grace_period_seconds=_TERMINATION_SECONDS,
                        containers=[self._container(platform, config)],
                        volumes=[config.volume],
                    ),
                ),
            ),
            opts=ResourceOptions(parent=self, depends_on=[*identity.granted, config.resource]),
        )

    def _container(self, platform: Platform, config: Files) -> ContainerArgs:
        return ContainerArgs(
            name=naming.TRAEFIK,
            image=images.TRAEFIK.reference,
            image_pull_policy="IfNotPresent",
            command=["traefik"],
            args=traefik.arguments(platform),
            env=traefik.go_runtime(platform.gateway.resources),
            ports=[
                *(
                    ContainerPortArgs(name=name, container_port=port)
                    for name, port in traefik.entry_points(platform).items()
                ),
                ContainerPortArgs(
                    name=naming.METRICS_PORT_NAME, container_port=naming.TRAEFIK_METRICS_PORT
                ),
            ],
            readiness_probe=pods.http_probe("/ping", naming.TRAEFIK_METRICS_PORT, period=2),
            liveness_probe=pods.http_probe(
                "/ping", naming.TRAEFIK_METRICS_PORT, period=10, failures=6
            ),
            lifecycle=pods.drain(_DRAIN_SECONDS),
            volume_mounts=[config.mount],
            resources=pods.requirements(platform.gateway.resources),
            security_context=pods.container_security(),
        )

    def _disruption_budget(self) -> None:
        PodDisruptionBudget(
            "traefik",
            metadata=ObjectMetaArgs(name=naming.TRAEFIK, namespace=naming.GATEWAY_NAMESPACE),
            spec=PodDisruptionBudgetSpecArgs(
                max_unavailable=1, selector=pods.selector(naming.TRAEFIK)
            ),
            opts=ResourceOptions(parent=self),
        )

    def _gateway(self, platform: Platform) -> CustomResource:
        gateway_class = CustomResource(
            "gateway-class",
            api_version=f"{GATEWAY_API}/v1",
            kind="GatewayClass",
            metadata=ObjectMetaArgs(name=naming.GATEWAY_NAME, annotations=wait_for("Accepted")),
            spec={"controllerName": "traefik.io/gateway-controller"},
            opts=ResourceOptions(parent=self, depends_on=[self.deployment]),
        )
        return CustomResource(
            "gateway-listeners",
            api_version=f"{GATEWAY_API}/v1",
            kind="Gateway",
            metadata=ObjectMetaArgs(
                name=naming.GATEWAY_NAME,
                namespace=naming.GATEWAY_NAMESPACE,
                annotations=wait_for("Programmed"),
            ),
            spec={"gatewayClassName": naming.GATEWAY_NAME, "listeners": _listeners(platform)},
            opts=ResourceOptions(parent=self, depends_on=[gateway_class]),
        )


def _console_ports(platform: Platform) -> list[ServicePortArgs]:
    port = platform.operator.console.gateway_port
    name = naming.CONSOLE_LISTENER
    return [ServicePortArgs(name=name, port=port, target_port=name)] if port is not None else []


def _listeners(platform: Platform) -> list[dict[str, object]]:
    """Return one listener an entry point; each takes routes of its own namespaces alone."""
    tenants = {"matchExpressions": [{"key": naming.TENANT_LABEL, "operator": "Exists"}]}
    system = {"matchLabels": {naming.NAMESPACE_NAME_LABEL: naming.SYSTEM_NAMESPACE}}
    takes = {naming.WEB_LISTENER: tenants, naming.CONSOLE_LISTENER: system}
    return [
        {
            "name": name,
            "protocol": "HTTP",
            "port": port,
            "allowedRoutes": {"namespaces": {"from": "Selector", "selector": takes[name]}},
        }
        for name, port in traefik.entry_points(platform).items()
    ]
