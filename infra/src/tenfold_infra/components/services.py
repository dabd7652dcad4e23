"""The platform's services, run as Workloads."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    EnvVarArgs,
    EnvVarSourceArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    SecretKeySelectorArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from tenfold_infra import images, naming
from tenfold_infra.components import pods
from tenfold_infra.components.conditions import wait_for
from tenfold_infra.components.gateway import Gateway
from tenfold_infra.components.guardrails import SERVICE_PRIORITY
from tenfold_infra.components.operator import Operator
from tenfold_infra.components.redis import RedisTiers
from tenfold_infra.components.simulator import Simulator
from tenfold_infra.config import Platform
from tenfold_infra.config.models import GatewayService, Images, Service, Tenant


class Services(pulumi.ComponentResource):
    """The services of every tenant, by tenant."""

    gateways: dict[str, CustomResource]
    webhooks: dict[str, CustomResource]

    def __init__(
        self, platform: Platform, gateway: Gateway, operator: Operator, tiers: RedisTiers
    ) -> None:
        super().__init__("tenfold:infra:Services", "services")
        self._needed = (gateway, operator)
        self._tiers = tiers.tiers
        self.gateways, self.webhooks = {}, {}
        for tenant in platform.tenants:
            simulated: list[pulumi.Resource] = []
            if tenant.marketplaces is not None:
                simulated = [Simulator(platform.images, tenant, tenant.marketplaces, self)]
            self.gateways[tenant.name] = self._workload(
                tenant,
                naming.GATEWAY_SERVICE,
                tenant.gateway,
                _gateway(platform.images, tenant),
                "/",
                simulated,
            )
            if tenant.webhooks is not None:
                self.webhooks[tenant.name] = self._workload(
                    tenant,
                    naming.WEBHOOKS,
                    tenant.webhooks,
                    _webhooks(platform.images, tenant, tenant.webhooks),
                    "/v1/webhooks",
                    simulated,
                )
        self.register_outputs({"gateways": list(self.gateways), "webhooks": list(self.webhooks)})

    def _workload(
        self,
        tenant: Tenant,
        name: str,
        service: Service,
        container: ContainerArgs,
        path_prefix: str,
        after: Sequence[pulumi.Resource],
    ) -> CustomResource:
        labels = pods.labels(name) | {naming.REDIS_CLIENT_LABEL: "true"}
        template = PodTemplateSpecArgs(
            metadata=ObjectMetaArgs(labels=labels),
            spec=PodSpecArgs(
                automount_service_account_token=False,
                priority_class_name=SERVICE_PRIORITY,
                security_context=pods.pod_security(),
                containers=[container],
                volumes=[pods.scratch(pods.SCRATCH, "64Mi")],
            ),
        )
        gateway = {"name": naming.GATEWAY_NAME, "namespace": naming.GATEWAY_NAMESPACE}
        return CustomResource(
            f"{tenant.name}-{name}",
            api_version=naming.API_VERSION,
            kind="Workload",
            metadata=ObjectMetaArgs(
                name=name, namespace=tenant.name, annotations=wait_for("Ready")
            ),
            spec={
                "replicas": service.replicas,
                "port": naming.SERVICE_HTTP_PORT,
                "template": template,
                "route": {"gateway": gateway, "pathPrefix": path_prefix},
            },
            opts=ResourceOptions(
                parent=self,
                depends_on=[*self._needed, *self._tiers_of(tenant, service), *after],
                # The number of pods is the scale subresource's from the first day on.
                ignore_changes=["spec.replicas"],
            ),
        )

    def _tiers_of(self, tenant: Tenant, service: Service) -> list[pulumi.Resource]:
        names = service.tiers if isinstance(service, GatewayService) else (service.tier,)
        return [self._tiers[tenant.name, name] for name in names]


def _gateway(own: Images, tenant: Tenant) -> ContainerArgs:
    """Return the gateway's container: its marketplaces come from the Secret, where there is one."""
    tokens = tenant.tokens
    verified = (
        []
        if tokens is None
        else [
            EnvVarArgs(name="TENFOLD_JWKS", value=str(tokens.jwks)),
            EnvVarArgs(name="TENFOLD_ISSUER", value=tokens.issuer),
            EnvVarArgs(name="TENFOLD_AUDIENCE", value=tokens.audience),
        ]
    )
    return pods.service_container(
        naming.GATEWAY_SERVICE,
        images.GATEWAY.reference(own.registry, own.tag),
        ["tenfold-gateway"],
        [
            *_redis("REDIS_URL", "REDIS_PASSWORD", tenant.gateway.tier, tenant),
            *_other_tiers(tenant),
            _secret("TENFOLD_UPSTREAMS", naming.MARKETPLACES, "upstreams", optional=True),
            *verified,
        ],
        tenant.gateway.resources,
    )


def _webhooks(own: Images, tenant: Tenant, service: Service) -> ContainerArgs:
    """Return the webhooks' container; without the Secret it does not start, and says so."""
    return pods.service_container(
        naming.WEBHOOKS,
        images.WEBHOOKS.reference(own.registry, own.tag),
        ["tenfold-webhooks", "serve"],
        [
            *_redis("REDIS_URL", "REDIS_PASSWORD", service.tier, tenant),
            _secret("TENFOLD_SECRETS", naming.MARKETPLACES, "webhooks"),
            # What one replica of Redis has survives the primary.
            EnvVarArgs(name="TENFOLD_ACKNOWLEDGING_REPLICAS", value="1"),
        ],
        service.resources,
    )


def _other_tiers(tenant: Tenant) -> list[EnvVarArgs]:
    """Return where the gateway keeps orders' keys, and its cache's L3 and L4."""
    gateway = tenant.gateway
    tiers = {
        "TENFOLD_ORDERS": gateway.orders_tier,
        "TENFOLD_L3": gateway.predictive_tier,
        "TENFOLD_L4": gateway.distributed_tier,
    }
    clusters = {each.name for each in tenant.tiers if each.topology == "cluster"}
    is_cluster = str(gateway.distributed_tier in clusters).lower()
    return [
        *(
            variable
            for prefix, tier in tiers.items()
            if tier is not None
            for variable in _redis(f"{prefix}_URL", f"{prefix}_PASSWORD", tier, tenant)
        ),
        EnvVarArgs(name="TENFOLD_L4_CLUSTER", value=is_cluster),
    ]


def _redis(url: str, password: str, tier: str, tenant: Tenant) -> list[EnvVarArgs]:
    address = f"redis://{naming.host(tier, tenant.name)}:{naming.REDIS_PORT}/0"
    return [
        EnvVarArgs(name=url, value=address),
        _secret(password, f"{tier}-auth", "password"),
    ]


def _secret(variable: str, secret: str, key: str, *, optional: bool | None = None) -> EnvVarArgs:
    reference = SecretKeySelectorArgs(name=secret, key=key, optional=optional)
    return EnvVarArgs(name=variable, value_from=EnvVarSourceArgs(secret_key_ref=reference))
