"""The Pulumi program: configuration in, components in their order, outputs for people."""

from __future__ import annotations

from functools import partial

import pulumi
from pulumi import ResourceOptions, ResourceTransformationArgs, ResourceTransformationResult
from pulumi.runtime import register_stack_transformation
from pulumi_kubernetes.core.v1.outputs import ServiceStatus
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from tenfold_infra import naming
from tenfold_infra.components.gateway import Gateway
from tenfold_infra.components.guard import Guard
from tenfold_infra.components.guardrails import Guardrails
from tenfold_infra.components.monitoring import Monitoring
from tenfold_infra.components.operator import Operator
from tenfold_infra.components.redis import RedisTiers
from tenfold_infra.components.services import Services
from tenfold_infra.config import Platform
from tenfold_infra.config.models import Exposure

COMMON_LABELS = {
    naming.PART_OF_LABEL: naming.PART_OF,
    "app.kubernetes.io/managed-by": "pulumi",
}


def provision(platform: Platform) -> None:
    """Register every resource of the platform with the running Pulumi deployment."""
    register_stack_transformation(_label)
    guardrails = Guardrails(platform)
    register_stack_transformation(partial(_put_inside, guardrails))
    gateway = Gateway(platform)
    Monitoring(platform)
    operator = Operator(platform)
    Guard(platform)
    tiers = RedisTiers(platform, operator)
    Services(platform, gateway, operator, tiers)
    _export(platform, gateway)


def _label(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
    """Say of every object whose it is."""
    metadata = args.props.get("metadata")
    if not isinstance(metadata, ObjectMetaArgs):
        return None
    labels = metadata.labels or {}
    if not isinstance(labels, dict):
        raise TypeError(f"labels of {args.name} must be known while the program runs")
    metadata.labels = COMMON_LABELS | labels
    return ResourceTransformationResult(props=args.props, opts=args.opts)


def _put_inside(
    guardrails: Guardrails, args: ResourceTransformationArgs
) -> ResourceTransformationResult | None:
    """Let what is put into a namespace come after its guardrails, and go before them.

    A component's dependencies are not its children's: each object needs its own.
    """
    metadata = args.props.get("metadata")
    if not isinstance(metadata, ObjectMetaArgs) or not isinstance(metadata.namespace, str):
        return None
    if not (after := guardrails.of(metadata.namespace)):
        return None
    opts = ResourceOptions.merge(args.opts, ResourceOptions(depends_on=after))
    return ResourceTransformationResult(props=args.props, opts=opts)


def _export(platform: Platform, gateway: Gateway) -> None:
    """Say where everything is: what `tenfold up` prints and what people look up."""
    monitoring, system = naming.MONITORING_NAMESPACE, naming.SYSTEM_NAMESPACE
    pulumi.export("namespaces", list(platform.namespaces))
    pulumi.export(
        "gateway",
        _place(
            naming.GATEWAY_SERVICE,
            naming.GATEWAY_NAMESPACE,
            naming.GATEWAY_PORT,
            platform.gateway.service,
        )
        | {"address": gateway.service.status.apply(_balancer_address)},
    )
    pulumi.export(
        "prometheus",
        _place(
            naming.PROMETHEUS,
            monitoring,
            naming.PROMETHEUS_PORT,
            platform.monitoring.prometheus.service,
        ),
    )
    pulumi.export(
        "console",
        _place(naming.OPERATOR, system, naming.OPERATOR_CONSOLE_PORT, platform.operator.console),
    )
    pulumi.export(
        "alertmanager",
        _place(naming.ALERTMANAGER, monitoring, naming.ALERTMANAGER_PORT, Exposure()),
    )
    if platform.monitoring.grafana is not None:
        pulumi.export(
            "grafana", _place(naming.GRAFANA, monitoring, naming.GRAFANA_PORT, Exposure())
        )
    pulumi.export(
        "tiers",
        {
            f"{tenant.name}/{tier.name}": (
                f"{naming.host(tier.name, tenant.name)}:{naming.REDIS_PORT}"
            )
            for tenant in platform.tenants
            for tier in tenant.tiers
        },
    )


def _place(service: str, namespace: str, port: int, exposure: Exposure) -> dict[str, object]:
    """Describe where a Service answers; nodePort is there only for that type."""
    place: dict[str, object] = {
        "namespace": namespace,
        "service": service,
        "type": exposure.type,
        "url": naming.url(service, namespace, port),
    }
    return place if exposure.node_port is None else place | {"nodePort": exposure.node_port}


def _balancer_address(status: ServiceStatus | None) -> str | None:
    """Return the load balancer's first address, where the Service has one."""
    ingress = (status and status.load_balancer and status.load_balancer.ingress) or []
    return next((entry.ip or entry.hostname for entry in ingress), None)
