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
from tenfold_infra.components import access, pods
from tenfold_infra.components.conditions import wait_for
from tenfold_infra.components.guardrails import PLATFORM_PRIORITY
from tenfold_infra.config import Platform

GATEWAY_API = "gateway.networking.k8s.io"

# The targets are stated in milliseconds: buckets around 10 and 20 ms tell them apart.
_LATENCY_BUCKETS = "0.001,0.0025,0.005,0.01,0.02,0.05,0.1,0.25,0.5,1,2.5,5,10"
_DRAIN_SECONDS = 5
_DIAL_SECONDS = 1
# How long a change of a route or of endpoints may wait for others; 2 s by default.
_THROTTLE = "250ms"
_IN_FLIGHT_SECONDS = 20


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
        self.gateway = self._gateway()
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
            (naming.GATEWAY_NAMESPACE, *platform.tenant_namespaces),
        )
        return identity

    def _service(self, platform: Platform) -> Service:
        exposure = platform.gateway.service
        return Service(
            "gateway",
            metadata=ObjectMetaArgs(
                name=naming.GATEWAY_SERVICE, namespace=naming.GATEWAY_NAMESPACE
            ),
            spec=ServiceSpecArgs(
                type=exposure.type,
                selector=pods.labels(naming.TRAEFIK),
                ports=[
                    ServicePortArgs(
                        name="web", port=80, target_port="web", node_port=exposure.node_port
                    )
                ],
            ),
            # A Service counts as ready when pods answer behind it: without them, do not wait.
            opts=ResourceOptions(parent=self, depends_on=[self.deployment]),
        )

    def _deployment(self, platform: Platform, identity: access.Identity) -> Deployment:
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
                    metadata=ObjectMetaArgs(labels=pods.labels(naming.TRAEFIK)),
                    spec=PodSpecArgs(
                        service_account_name=identity.name,
                        automount_service_account_token=True,
                        priority_class_name=PLATFORM_PRIORITY,
                        security_context=pods.pod_security(),
                        topology_spread_constraints=pods.spread(naming.TRAEFIK),
                        termination_grace_period_seconds=_DRAIN_SECONDS + _IN_FLIGHT_SECONDS + 5,
                        containers=[self._container(platform)],
                    ),
                ),
            ),
            opts=ResourceOptions(parent=self, depends_on=identity.granted),
        )

    def _container(self, platform: Platform) -> ContainerArgs:
        return ContainerArgs(
            name=naming.TRAEFIK,
            image=images.TRAEFIK.reference,
            image_pull_policy="IfNotPresent",
            command=["traefik"],
            args=_arguments(platform),
            ports=[
                ContainerPortArgs(name="web", container_port=naming.TRAEFIK_WEB_PORT),
                ContainerPortArgs(
                    name=naming.METRICS_PORT_NAME, container_port=naming.TRAEFIK_METRICS_PORT
                ),
            ],
            readiness_probe=pods.http_probe("/ping", naming.TRAEFIK_METRICS_PORT, period=2),
            liveness_probe=pods.http_probe(
                "/ping", naming.TRAEFIK_METRICS_PORT, period=10, failures=6
            ),
            lifecycle=pods.drain(_DRAIN_SECONDS),
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

    def _gateway(self) -> CustomResource:
        gateway_class = CustomResource(
            "gateway-class",
            api_version=f"{GATEWAY_API}/v1",
            kind="GatewayClass",
            metadata=ObjectMetaArgs(name=naming.GATEWAY_NAME, annotations=wait_for("Accepted")),
            spec={"controllerName": "traefik.io/gateway-controller"},
            opts=ResourceOptions(parent=self, depends_on=[self.deployment]),
        )
        tenants = {"matchExpressions": [{"key": naming.TENANT_LABEL, "operator": "Exists"}]}
        listener = {
            "name": "web",
            "protocol": "HTTP",
            "port": naming.TRAEFIK_WEB_PORT,
            "allowedRoutes": {"namespaces": {"from": "Selector", "selector": tenants}},
        }
        return CustomResource(
            "gateway-listeners",
            api_version=f"{GATEWAY_API}/v1",
            kind="Gateway",
            metadata=ObjectMetaArgs(
                name=naming.GATEWAY_NAME,
                namespace=naming.GATEWAY_NAMESPACE,
                annotations=wait_for("Programmed"),
            ),
            spec={"gatewayClassName": naming.GATEWAY_NAME, "listeners": [listener]},
            opts=ResourceOptions(parent=self, depends_on=[gateway_class]),
        )


def _arguments(platform: Platform) -> list[str]:
    watched = ",".join((naming.GATEWAY_NAMESPACE, *platform.tenant_namespaces))
    arguments = [
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
        "--log.format=json",
        f"--entrypoints.web.address=:{naming.TRAEFIK_WEB_PORT}",
        f"--entrypoints.web.transport.lifecycle.gracetimeout={_IN_FLIGHT_SECONDS}s",
        f"--entrypoints.metrics.address=:{naming.TRAEFIK_METRICS_PORT}",
        "--ping=true",
        "--ping.entrypoint=metrics",
        "--metrics.prometheus=true",
        "--metrics.prometheus.entrypoint=metrics",
        # Per-service series are what a rollout is judged by.
        "--metrics.prometheus.addserviceslabels=true",
        f"--metrics.prometheus.buckets={_LATENCY_BUCKETS}",
        # A pod whose node is gone answers no connection, and 30 s of waiting is an age.
        f"--serverstransport.forwardingtimeouts.dialtimeout={_DIAL_SECONDS}s",
        f"--providers.providersthrottleduration={_THROTTLE}",
        "--providers.kubernetesgateway=true",
        # Watched by name, so that Traefik needs no right on Secrets of other namespaces.
        f"--providers.kubernetesgateway.namespaces={watched}",
    ]
    if platform.gateway.service.type == "LoadBalancer":
        prefix = "--providers.kubernetesgateway.statusaddress.service"
        arguments += [
            f"{prefix}.name={naming.GATEWAY_SERVICE}",
            f"{prefix}.namespace={naming.GATEWAY_NAMESPACE}",
        ]
    return arguments
