"""The platform's services, run as Workloads."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    ContainerPortArgs,
    EnvVarArgs,
    EnvVarSourceArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    SecretKeySelectorArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from tenfold_infra import images, naming
from tenfold_infra.components import pods
from tenfold_infra.components.conditions import wait_for
from tenfold_infra.components.gateway import Gateway
from tenfold_infra.components.guardrails import SERVICE_PRIORITY
from tenfold_infra.components.operator import Operator
from tenfold_infra.components.redis import RedisTiers
from tenfold_infra.config import Platform
from tenfold_infra.config.models import Images, Tenant


class Services(pulumi.ComponentResource):
    """The gateway service of every tenant, by tenant."""

    gateways: dict[str, CustomResource]

    def __init__(
        self, platform: Platform, gateway: Gateway, operator: Operator, tiers: RedisTiers
    ) -> None:
        super().__init__("tenfold:infra:Services", "services")
        self._needed = (gateway, operator)
        self.gateways = {
            tenant.name: self._gateway(
                platform.images, tenant, tiers.tiers[tenant.name, tenant.gateway.tier]
            )
            for tenant in platform.tenants
        }
        self.register_outputs({"gateways": list(self.gateways)})

    def _gateway(self, own: Images, tenant: Tenant, tier: CustomResource) -> CustomResource:
        labels = pods.labels(naming.GATEWAY_SERVICE) | {naming.REDIS_CLIENT_LABEL: "true"}
        template = PodTemplateSpecArgs(
            metadata=ObjectMetaArgs(labels=labels),
            spec=PodSpecArgs(
                automount_service_account_token=False,
                priority_class_name=SERVICE_PRIORITY,
                security_context=pods.pod_security(),
                containers=[_container(own, tenant)],
                volumes=[pods.scratch("tmp", "64Mi")],
            ),
        )
        gateway = {"name": naming.GATEWAY_NAME, "namespace": naming.GATEWAY_NAMESPACE}
        return CustomResource(
            f"{tenant.name}-gateway",
            api_version=naming.API_VERSION,
            kind="Workload",
            metadata=ObjectMetaArgs(
                name=naming.GATEWAY_SERVICE,
                namespace=tenant.name,
                annotations=wait_for("Ready"),
            ),
            spec={
                "replicas": tenant.gateway.replicas,
                "port": naming.SERVICE_HTTP_PORT,
                "template": template,
                "route": {"gateway": gateway, "pathPrefix": "/"},
            },
            opts=ResourceOptions(
                parent=self,
                depends_on=[*self._needed, tier],
                # The number of pods is the scale subresource's from the first day on.
                ignore_changes=["spec.replicas"],
            ),
        )


def _container(own: Images, tenant: Tenant) -> ContainerArgs:
    tier = tenant.gateway.tier
    redis = naming.host(tier, tenant.name)
    password = SecretKeySelectorArgs(name=f"{tier}-auth", key="password")
    return ContainerArgs(
        name=naming.GATEWAY_SERVICE,
        image=images.GATEWAY.reference(own.registry, own.tag),
        image_pull_policy="IfNotPresent",
        command=["tenfold-gateway"],
        env=[
            EnvVarArgs(name="REDIS_URL", value=f"redis://{redis}:{naming.REDIS_PORT}/0"),
            EnvVarArgs(name="REDIS_PASSWORD", value_from=EnvVarSourceArgs(secret_key_ref=password)),
        ],
        ports=[
            ContainerPortArgs(name="http", container_port=naming.SERVICE_HTTP_PORT),
            ContainerPortArgs(
                name=naming.METRICS_PORT_NAME, container_port=naming.SERVICE_METRICS_PORT
            ),
        ],
        startup_probe=pods.http_probe("/healthz", naming.SERVICE_HTTP_PORT, period=1, failures=60),
        readiness_probe=pods.http_probe("/readyz", naming.SERVICE_HTTP_PORT, period=2),
        liveness_probe=pods.http_probe("/healthz", naming.SERVICE_HTTP_PORT, period=10, failures=6),
        resources=pods.requirements(tenant.gateway.resources),
        security_context=pods.container_security(),
        volume_mounts=[VolumeMountArgs(name="tmp", mount_path="/tmp")],  # noqa: S108
    )
