"""The node guard: takes pods on a node that is cut off out of their Services within a second."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    ContainerPortArgs,
    EnvVarArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from tenfold_infra import images, naming
from tenfold_infra.components import access, pods
from tenfold_infra.components.guardrails import PLATFORM_PRIORITY
from tenfold_infra.config import Platform
from tenfold_infra.config.models import Amounts, Resources

_NAMESPACE = naming.SYSTEM_NAMESPACE
_DNS_NAMESPACE = "kube-system"
# One is always in a zone that is not cut off.
_REPLICAS = 2
_RESOURCES = Resources(
    requests=Amounts(cpu="10m", memory="64Mi"), limits=Amounts(cpu="200m", memory="192Mi")
)


class Guard(pulumi.ComponentResource):
    """The guard, and its right to say of a pod that it is not ready."""

    deployment: Deployment

    def __init__(self, platform: Platform) -> None:
        super().__init__("tenfold:infra:Guard", "guard")
        guarded = (*platform.namespaces, _DNS_NAMESPACE)
        identity = access.Identity(naming.GUARD, _NAMESPACE, self)
        identity.may_everywhere([access.rule("", ["nodes"], ["list"])])
        identity.may(
            [
                access.rule("", ["pods"], ["list"]),
                access.rule("", ["pods/status"], ["patch"]),
            ],
            guarded,
        )
        template = PodTemplateSpecArgs(
            metadata=ObjectMetaArgs(labels=pods.labels(naming.GUARD)),
            spec=PodSpecArgs(
                service_account_name=identity.name,
                automount_service_account_token=True,
                priority_class_name=PLATFORM_PRIORITY,
                security_context=pods.pod_security(),
                topology_spread_constraints=pods.spread(naming.GUARD),
                containers=[_container(platform, guarded)],
            ),
        )
        self.deployment = Deployment(
            "guard",
            metadata=ObjectMetaArgs(name=naming.GUARD, namespace=_NAMESPACE),
            spec=DeploymentSpecArgs(
                replicas=_REPLICAS, selector=pods.selector(naming.GUARD), template=template
            ),
            opts=ResourceOptions(parent=self, depends_on=identity.granted),
        )
        self.register_outputs({})


def _container(platform: Platform, guarded: tuple[str, ...]) -> ContainerArgs:
    own = platform.images
    return ContainerArgs(
        name=naming.GUARD,
        image=images.OPERATOR.reference(own.registry, own.tag),
        image_pull_policy="IfNotPresent",
        command=["tenfold-guard"],
        env=[EnvVarArgs(name="TENFOLD_NAMESPACES", value=",".join(guarded))],
        ports=[
            ContainerPortArgs(
                name=naming.METRICS_PORT_NAME, container_port=naming.OPERATOR_METRICS_PORT
            )
        ],
        readiness_probe=pods.http_probe("/metrics", naming.OPERATOR_METRICS_PORT, period=5),
        liveness_probe=pods.http_probe(
            "/metrics", naming.OPERATOR_METRICS_PORT, period=10, failures=6
        ),
        resources=pods.requirements(_RESOURCES),
        security_context=pods.container_security(),
    )
