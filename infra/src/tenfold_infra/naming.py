"""Names that the parts of the platform agree on: namespaces, labels, ports, groups of people."""

from __future__ import annotations

SYSTEM_NAMESPACE = "tenfold-system"
GATEWAY_NAMESPACE = "tenfold-gateway"
MONITORING_NAMESPACE = "tenfold-monitoring"
PLATFORM_NAMESPACES = (SYSTEM_NAMESPACE, GATEWAY_NAMESPACE, MONITORING_NAMESPACE)
TRAINING_NAMESPACE = "tenfold-training"
"""There where forecasts are fitted by Jobs. Whoever may make Jobs in a namespace may run pods as
any of its accounts and with any of its Secrets: this one has none."""

API_GROUP = "tenfold.dev"
API_VERSION = f"{API_GROUP}/v1alpha1"

NAME_LABEL = "app.kubernetes.io/name"
PART_OF_LABEL = "app.kubernetes.io/part-of"
NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"
TENANT_LABEL = f"{API_GROUP}/tenant"
TIER_LABEL = f"{API_GROUP}/tier"
REDIS_CLIENT_LABEL = f"{API_GROUP}/redis-client"
"""A pod that carries this label with the value `true` may reach its tenant's Redis tiers."""
WORKLOAD_LABEL = f"{API_GROUP}/workload"
"""The operator labels the pods of a Workload with its name."""

PART_OF = "tenfold"

METRICS_PORT_NAME = "metrics"
OPERATOR_METRICS_PORT = 9090
OPERATOR_HEALTH_PORT = 8080
OPERATOR_CONSOLE_PORT = 8081
GATEWAY_PORT = 80
"""Where customers reach the gateway."""
TRAEFIK_WEB_PORT = 8000
TRAEFIK_CONSOLE_PORT = 8001
TRAEFIK_METRICS_PORT = 9100
PROMETHEUS_PORT = 9090
ALERTMANAGER_PORT = 9093
GRAFANA_PORT = 3000
KUBELET_PORT = 10250
REDIS_PORT = 6379
REDIS_BUS_PORT = 16379
"""Where the servers of a Redis Cluster speak with each other."""
HTTPS_PORT = 443
SENTINEL_PORT = 26379
SERVICE_HTTP_PORT = 8080
SERVICE_METRICS_PORT = 9090

OPERATOR = "operator"
GUARD = "guard"
REDIS_BACKUP = "redis-backup"
"""The operator names the pods of backups and restores so."""
TRAEFIK = "traefik"
PROMETHEUS = "prometheus"
ALERTMANAGER = "alertmanager"
GRAFANA = "grafana"
WEBHOOKS = "webhooks"
MARKETPLACES = "marketplaces"
"""The simulator's Deployment and Service, and the Secret with what a tenant has of marketplaces:
`upstreams` (addresses and credentials, for the gateway) and `webhooks` (what they sign with)."""
GATEWAY_SERVICE = "gateway"
"""Both the tenant's service and the Service in front of Traefik are called so."""
GATEWAY_NAME = "tenfold"
WEB_LISTENER = "web"
CONSOLE_LISTENER = "console"
"""A listener of the Gateway is called as the entry point of Traefik and the port of its Service."""

ADMIN_GROUP = "tenfold:platform-admin"


def tenant_group(tenant: str, persona: str) -> str:
    """Return the group whose members have that persona in that tenant's namespace."""
    return f"tenfold:{tenant}:{persona}"


def host(service: str, namespace: str) -> str:
    """Return a Service's name as pods in any namespace resolve it."""
    return f"{service}.{namespace}.svc"


def url(service: str, namespace: str, port: int) -> str:
    """Return a Service's HTTP address inside the cluster."""
    return f"http://{host(service, namespace)}:{port}"
