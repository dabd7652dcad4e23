"""A tenant's simulated marketplaces: what would be outside the platform, inside it."""

from __future__ import annotations

import json

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs
from pulumi_kubernetes.core.v1 import (
    EnvVarArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    Secret,
    Service,
    ServicePortArgs,
    ServiceSpecArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from tenfold_infra import images, naming
from tenfold_infra.components import pods
from tenfold_infra.components.guardrails import SERVICE_PRIORITY
from tenfold_infra.config.models import Images, Tenant
from tenfold_infra.config.models import Simulator as Section

SIMULATED = ("trendyol", "n11", "hepsiburada", "amazon", "ebay", "ozon")
# Known to whoever reads this: a simulated marketplace has nobody to keep a secret from.
WEBHOOK_SECRETS = {name: [f"simulated-{name}"] for name in ("trendyol", "n11")}


class Simulator(pulumi.ComponentResource):
    """One pod that is six marketplaces, and the Secret that marketplaces would have given us.

    A Deployment and no Workload: nothing outside is rolled out by this platform.
    """

    def __init__(
        self, own: Images, tenant: Tenant, section: Section, parent: pulumi.Resource
    ) -> None:
        super().__init__(
            "tenfold:infra:Simulator",
            f"{tenant.name}-simulator",
            opts=ResourceOptions(parent=parent),
        )
        self._namespace = tenant.name
        opts = ResourceOptions(parent=self)
        self._secret(opts)
        deployment = self._deployment(own, section, opts)
        self._service(ResourceOptions(parent=self, depends_on=[deployment]))
        self.register_outputs({})

    def _metadata(self) -> ObjectMetaArgs:
        return ObjectMetaArgs(name=naming.MARKETPLACES, namespace=self._namespace)

    def _secret(self, opts: ResourceOptions) -> None:
        base = naming.url(naming.MARKETPLACES, self._namespace, naming.SERVICE_HTTP_PORT)
        upstreams = {name: {"url": f"{base}/{name}"} for name in SIMULATED}
        Secret(
            f"{self._namespace}-marketplaces",
            metadata=self._metadata(),
            string_data={
                "upstreams": json.dumps(upstreams),
                "webhooks": json.dumps(WEBHOOK_SECRETS),
            },
            opts=opts,
        )

    def _deployment(self, own: Images, section: Section, opts: ResourceOptions) -> Deployment:
        container = pods.service_container(
            naming.MARKETPLACES,
            images.MARKETPLACES.reference(own.registry, own.tag),
            ["tenfold-marketplaces"],
            [EnvVarArgs(name="TENFOLD_SEED", value=str(section.seed))],
            section.resources,
        )
        return Deployment(
            f"{self._namespace}-marketplaces",
            metadata=self._metadata(),
            spec=DeploymentSpecArgs(
                # Orders are kept in its memory: two would each know half of them.
                replicas=1,
                selector=pods.selector(naming.MARKETPLACES),
                template=PodTemplateSpecArgs(
                    metadata=ObjectMetaArgs(labels=pods.labels(naming.MARKETPLACES)),
                    spec=PodSpecArgs(
                        automount_service_account_token=False,
                        priority_class_name=SERVICE_PRIORITY,
                        security_context=pods.pod_security(),
                        containers=[container],
                        volumes=[pods.scratch(pods.SCRATCH, "64Mi")],
                    ),
                ),
            ),
            opts=opts,
        )

    def _service(self, opts: ResourceOptions) -> None:
        Service(
            f"{self._namespace}-marketplaces",
            metadata=self._metadata(),
            spec=ServiceSpecArgs(
                selector=pods.labels(naming.MARKETPLACES),
                ports=[
                    ServicePortArgs(name="http", port=naming.SERVICE_HTTP_PORT, target_port="http")
                ],
            ),
            opts=opts,
        )
