"""Who may talk to whom: every flow of the platform in one table.

Policies match what a packet looks like after the Service's address was translated: the pod's or
the API server's own address and port. Probes come from the pod's own node, which every network
plugin lets through. Traffic to a NodePort arrives from a node's address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, LabelSelectorRequirementArgs
from pulumi_kubernetes.networking.v1 import (
    IPBlockArgs,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)
from pydantic import IPvAnyNetwork

from tenfold_infra import naming
from tenfold_infra.config import Platform
from tenfold_infra.config.models import Cluster, Tenant

Ports = Sequence[NetworkPolicyPortArgs]
ANYWHERE: tuple[NetworkPolicyPeerArgs, ...] = ()
EVERY_POD = LabelSelectorArgs()
_HTTPS_PORT = 443


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One NetworkPolicy. Whatever direction it names is denied but for its rules."""

    name: str
    namespace: str
    pods: LabelSelectorArgs = EVERY_POD
    directions: tuple[Literal["Ingress", "Egress"], ...]
    ingress: tuple[NetworkPolicyIngressRuleArgs, ...] = field(default=())
    egress: tuple[NetworkPolicyEgressRuleArgs, ...] = field(default=())

    def spec(self) -> NetworkPolicySpecArgs:
        """Return the policy as Kubernetes takes it."""
        return NetworkPolicySpecArgs(
            pod_selector=self.pods,
            policy_types=list(self.directions),
            ingress=list(self.ingress) or None,
            egress=list(self.egress) or None,
        )


def policies(platform: Platform) -> Iterator[Policy]:
    """Yield every policy of the platform."""
    for namespace in platform.namespaces:
        yield from _of_every_namespace(namespace)
    yield from _of_operator(platform)
    yield from _of_gateway(platform)
    yield from _of_monitoring(platform)
    for tenant in platform.tenants:
        yield from _of_tenant(tenant)


def _of_every_namespace(namespace: str) -> Iterator[Policy]:
    yield Policy(name="default-deny", namespace=namespace, directions=("Ingress", "Egress"))
    if namespace == naming.TRAINING_NAMESPACE:
        # A training's lesson comes by the kubelet, and its model goes by it.
        return
    dns = _pods({"k8s-app": "kube-dns"}, "kube-system")
    yield Policy(
        name="allow-dns",
        namespace=namespace,
        directions=("Egress",),
        # Which port the pods behind the DNS Service listen on differs between clusters.
        egress=(_to([dns], ()),),
    )
    yield Policy(
        name="allow-scrape",
        namespace=namespace,
        directions=("Ingress",),
        ingress=(_from([_prometheus()], _tcp(naming.METRICS_PORT_NAME)),),
    )


def _of_operator(platform: Platform) -> Iterator[Policy]:
    redis = [
        NetworkPolicyPeerArgs(
            namespace_selector=_has(naming.TENANT_LABEL), pod_selector=_has(naming.TIER_LABEL)
        )
    ]
    yield Policy(
        name="operator",
        namespace=naming.SYSTEM_NAMESPACE,
        pods=_named(naming.OPERATOR),
        directions=("Ingress", "Egress"),
        ingress=(_from(_visitors(platform), _tcp(naming.OPERATOR_CONSOLE_PORT)),),
        egress=(
            _to_api_server(platform.cluster),
            _to([_prometheus()], _tcp(naming.PROMETHEUS_PORT)),
            _to(redis, _tcp(naming.REDIS_PORT, naming.SENTINEL_PORT)),
        ),
    )
    yield Policy(
        name="guard",
        namespace=naming.SYSTEM_NAMESPACE,
        pods=_named(naming.GUARD),
        directions=("Ingress", "Egress"),
        egress=(
            _to_api_server(platform.cluster),
            _to(_blocks(platform.cluster.nodes), _tcp(naming.KUBELET_PORT)),
        ),
    )


def _visitors(platform: Platform) -> list[NetworkPolicyPeerArgs]:
    """Return who reaches the console: the nodes, and the gateway where it leads there."""
    nodes = _blocks(platform.cluster.nodes)
    if platform.operator.console.gateway_port is None:
        return nodes
    return [*nodes, _pods_named(naming.TRAEFIK, naming.GATEWAY_NAMESPACE)]


def _of_gateway(platform: Platform) -> Iterator[Policy]:
    workloads = [
        NetworkPolicyPeerArgs(
            namespace_selector=_has(naming.TENANT_LABEL), pod_selector=_has(naming.WORKLOAD_LABEL)
        )
    ]
    ports, ways = [naming.TRAEFIK_WEB_PORT], [_to(workloads, ())]
    if platform.operator.console.gateway_port is not None:
        operator = _pods_named(naming.OPERATOR, naming.SYSTEM_NAMESPACE)
        ports.append(naming.TRAEFIK_CONSOLE_PORT)
        ways.append(_to([operator], _tcp(naming.OPERATOR_CONSOLE_PORT)))
    yield Policy(
        name="traefik",
        namespace=naming.GATEWAY_NAMESPACE,
        pods=_named(naming.TRAEFIK),
        directions=("Ingress", "Egress"),
        ingress=(_from(ANYWHERE, _tcp(*ports)),),
        egress=(_to_api_server(platform.cluster), *ways),
    )


def _of_monitoring(platform: Platform) -> Iterator[Policy]:
    namespace = naming.MONITORING_NAMESPACE
    scraped = [NetworkPolicyPeerArgs(namespace_selector=_platform_namespaces())]
    readers = [_pods_named(naming.OPERATOR, naming.SYSTEM_NAMESPACE)]
    if platform.monitoring.grafana is not None:
        readers.append(_pods_named(naming.GRAFANA, namespace))
    yield Policy(
        name="prometheus",
        namespace=namespace,
        pods=_named(naming.PROMETHEUS),
        directions=("Ingress", "Egress"),
        ingress=(
            _from([*readers, *_blocks(platform.cluster.nodes)], _tcp(naming.PROMETHEUS_PORT)),
        ),
        egress=(
            _to_api_server(platform.cluster),
            _to(_blocks(platform.cluster.nodes), _tcp(naming.KUBELET_PORT)),
            # Which of their ports may be reached is said by each scraped pod's own policy.
            _to(scraped, ()),
        ),
    )
    receivers = platform.monitoring.alertmanager.receivers
    webhooks = [url.port for url in (receivers.critical, receivers.warning) if url and url.port]
    yield Policy(
        name="alertmanager",
        namespace=namespace,
        pods=_named(naming.ALERTMANAGER),
        directions=("Ingress", "Egress"),
        ingress=(_from([_prometheus()], _tcp(naming.ALERTMANAGER_PORT)),),
        egress=(_to(ANYWHERE, _tcp(*sorted(set(webhooks)))),) if webhooks else (),
    )
    if platform.monitoring.grafana is not None:
        yield Policy(
            name="grafana",
            namespace=namespace,
            pods=_named(naming.GRAFANA),
            directions=("Egress",),
            egress=(_to([_prometheus()], _tcp(naming.PROMETHEUS_PORT)),),
        )


def _of_tenant(tenant: Tenant) -> Iterator[Policy]:
    yield Policy(
        name="workloads",
        namespace=tenant.name,
        pods=_has(naming.WORKLOAD_LABEL),
        directions=("Ingress",),
        ingress=(_from([_pods_named(naming.TRAEFIK, naming.GATEWAY_NAMESPACE)], ()),),
    )
    yield from _of_marketplaces(tenant)
    redis_ports = _tcp(naming.REDIS_PORT, naming.SENTINEL_PORT)
    clients = LabelSelectorArgs(match_labels={naming.REDIS_CLIENT_LABEL: "true"})
    yield Policy(
        name="redis-clients",
        namespace=tenant.name,
        pods=clients,
        directions=("Egress",),
        egress=(_to([NetworkPolicyPeerArgs(pod_selector=_has(naming.TIER_LABEL))], redis_ports),),
    )
    yield Policy(
        name="redis-backups",
        namespace=tenant.name,
        pods=_named(naming.REDIS_BACKUP),
        directions=("Egress",),
        # Repositories are wherever the RedisBackup says, by HTTPS; the tiers as redis-clients.
        egress=(_to(ANYWHERE, _tcp(naming.HTTPS_PORT)),),
    )
    for tier in tenant.tiers:
        members = LabelSelectorArgs(match_labels={naming.TIER_LABEL: tier.name})
        peers = [NetworkPolicyPeerArgs(pod_selector=members)]
        bus = _tcp(naming.REDIS_BUS_PORT) if tier.topology == "cluster" else ()
        callers = [
            NetworkPolicyPeerArgs(pod_selector=clients),
            _pods_named(naming.OPERATOR, naming.SYSTEM_NAMESPACE),
        ]
        yield Policy(
            name=f"tier-{tier.name}",
            namespace=tenant.name,
            pods=members,
            directions=("Ingress", "Egress"),
            ingress=(_from(peers, (*redis_ports, *bus)), _from(callers, redis_ports)),
            egress=(_to(peers, (*redis_ports, *bus)),),
        )


def _of_marketplaces(tenant: Tenant) -> Iterator[Policy]:
    """Let the gateway out to its marketplaces: the simulated ones, or those of the world."""
    gateway = _pods_named(naming.GATEWAY_SERVICE, tenant.name)
    simulator = _pods_named(naming.MARKETPLACES, tenant.name)
    if tenant.marketplaces is None:
        outside = _to(ANYWHERE, _tcp(_HTTPS_PORT))
    else:
        outside = _to([simulator], _tcp(naming.SERVICE_HTTP_PORT))
        yield Policy(
            name="marketplaces",
            namespace=tenant.name,
            pods=_named(naming.MARKETPLACES),
            directions=("Ingress",),
            ingress=(_from([gateway], _tcp(naming.SERVICE_HTTP_PORT)),),
        )
    yield Policy(
        name="gateway-marketplaces",
        namespace=tenant.name,
        pods=_named(naming.GATEWAY_SERVICE),
        directions=("Egress",),
        egress=(outside,),
    )


def _named(name: str) -> LabelSelectorArgs:
    return LabelSelectorArgs(match_labels={naming.NAME_LABEL: name})


def _has(label: str) -> LabelSelectorArgs:
    return LabelSelectorArgs(
        match_expressions=[LabelSelectorRequirementArgs(key=label, operator="Exists")]
    )


def _platform_namespaces() -> LabelSelectorArgs:
    return LabelSelectorArgs(match_labels={naming.PART_OF_LABEL: naming.PART_OF})


def _pods(labels: dict[str, str], namespace: str) -> NetworkPolicyPeerArgs:
    return NetworkPolicyPeerArgs(
        namespace_selector=LabelSelectorArgs(match_labels={naming.NAMESPACE_NAME_LABEL: namespace}),
        pod_selector=LabelSelectorArgs(match_labels=labels),
    )


def _pods_named(name: str, namespace: str) -> NetworkPolicyPeerArgs:
    return _pods({naming.NAME_LABEL: name}, namespace)


def _prometheus() -> NetworkPolicyPeerArgs:
    return _pods_named(naming.PROMETHEUS, naming.MONITORING_NAMESPACE)


def _blocks(networks: Iterable[IPvAnyNetwork]) -> list[NetworkPolicyPeerArgs]:
    return [NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=str(network))) for network in networks]


def _tcp(*ports: int | str) -> tuple[NetworkPolicyPortArgs, ...]:
    return tuple(NetworkPolicyPortArgs(protocol="TCP", port=port) for port in ports)


def _from(peers: Sequence[NetworkPolicyPeerArgs], ports: Ports) -> NetworkPolicyIngressRuleArgs:
    return NetworkPolicyIngressRuleArgs(from_=list(peers) or None, ports=list(ports) or None)


def _to(peers: Sequence[NetworkPolicyPeerArgs], ports: Ports) -> NetworkPolicyEgressRuleArgs:
    return NetworkPolicyEgressRuleArgs(to=list(peers) or None, ports=list(ports) or None)


def _to_api_server(cluster: Cluster) -> NetworkPolicyEgressRuleArgs:
    return _to(_blocks(cluster.api_server.networks), _tcp(cluster.api_server.port))
