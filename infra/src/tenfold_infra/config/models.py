"""What a stack says about the platform: frozen, typed, checked before anything is created."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    IPvAnyNetwork,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel

from tenfold_infra import naming
from tenfold_infra.config.quantity import Quantity, base_units

Name = Annotated[str, StringConstraints(pattern=r"^[a-z]([-a-z0-9]{0,40}[a-z0-9])?$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._:/-]*[a-z0-9]$")]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")]
BinaryQuantity = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(Mi|Gi)$")]
"""The spelling that the RedisTier resource takes for memory and volumes."""
PromDuration = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(m|h|d|w|y)$")]
_Item = TypeVar("_Item")

Replicas = Annotated[int, Field(ge=1, le=100)]
NodePort = Annotated[int, Field(ge=30000, le=32767)]


def _not_latest(tag: str) -> str:
    if tag == "latest":
        raise ValueError("`latest` names no version; use `source` or a released tag")
    return tag


def _not_empty(items: tuple[_Item, ...]) -> tuple[_Item, ...]:
    if not items:
        raise ValueError("needs at least one entry")
    return items


Networks = Annotated[tuple[IPvAnyNetwork, ...], AfterValidator(_not_empty)]


class Section(BaseModel):
    """Base of all sections: immutable, camelCase in YAML, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class Images(Section):
    """Where our own images come from."""

    registry: Reference = "docker.io/tenfold"
    tag: Annotated[Tag, AfterValidator(_not_latest)] = "source"


class ApiServer(Section):
    """The API server's real endpoints, as NetworkPolicies see them behind the Service."""

    networks: Networks
    port: Annotated[int, Field(ge=1, le=65535)] = 6443


class Cluster(Section):
    """What the stack has to know about the cluster that it is put on."""

    api_server: ApiServer
    nodes: Networks
    """Networks of the nodes' addresses: kubelets answer there, NodePort traffic comes from it."""
    kubelet_certificates: Literal["self-signed", "cluster-ca"] = "self-signed"
    storage_class: Name | None = None


class Amounts(Section):
    """CPU and memory."""

    cpu: Quantity
    memory: Quantity


class Resources(Section):
    """Requests and limits of one container."""

    requests: Amounts
    limits: Amounts

    @model_validator(mode="after")
    def _requests_fit(self) -> Self:
        for field in ("cpu", "memory"):
            request, limit = getattr(self.requests, field), getattr(self.limits, field)
            if base_units(request) > base_units(limit):
                raise ValueError(f"requests.{field} {request} exceeds limits.{field} {limit}")
        return self


class Exposure(Section):
    """How a Service is reached from outside."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    node_port: NodePort | None = None

    @model_validator(mode="after")
    def _port_fits_type(self) -> Self:
        if (self.type == "NodePort") != (self.node_port is not None):
            raise ValueError("nodePort goes with type NodePort, and only with it")
        return self


class Gateway(Section):
    """Traefik."""

    replicas: Replicas
    service: Exposure
    resources: Resources


class Prometheus(Section):
    """The metrics store."""

    replicas: Replicas
    retention: PromDuration
    storage: Quantity
    service: Exposure = Exposure()
    resources: Resources


class Receivers(Section):
    """Webhooks that alerts of a severity go to; without one they only show in Alertmanager."""

    critical: HttpUrl | None = None
    warning: HttpUrl | None = None


class Alertmanager(Section):
    """Where alerts are grouped and sent from."""

    receivers: Receivers = Receivers()
    resources: Resources


class Grafana(Section):
    """Boards; a stack without this section runs none."""

    resources: Resources


class Links(Section):
    """Where people reach what alerts lead to; by default as `kubectl port-forward` opens it."""

    prometheus: HttpUrl | None = None
    """Its page, which alerts name as their source, and the runbooks that it serves."""
    runbooks: HttpUrl | None = None
    """Another place with the runbooks, as pages called ALERT.html: the documentation's site."""
    boards: HttpUrl | None = None
    """Grafana's page; the stack's own by default, the console where the stack has none."""
    console: HttpUrl | None = None


class Monitoring(Section):
    """Prometheus and what reads it."""

    prometheus: Prometheus
    alertmanager: Alertmanager
    grafana: Grafana | None = None
    links: Links = Links()


class Console(Exposure):
    """The operator's page, and who may look at it."""

    token_secret: Name | None = None
    """Secret of the operator's namespace whose key `token` the console asks for; it has to be there
    before the operator. Whoever reaches the Service may look when absent."""
    gateway_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port of the gateway's Service that leads to the console; the gateway knows none when absent.
    It is another one than customers', so that no tenant's route gets what is meant for it."""

    @model_validator(mode="after")
    def _is_closed_to_the_world(self) -> Self:
        if self.token_secret is None and (self.type == "LoadBalancer" or self.gateway_port):
            raise ValueError(
                "tokenSecret must name a Secret where type is LoadBalancer or gatewayPort is set: "
                "anybody could look"
            )
        return self

    @model_validator(mode="after")
    def _has_a_port_of_its_own(self) -> Self:
        if self.gateway_port == naming.GATEWAY_PORT:
            raise ValueError(f"gatewayPort must not be {naming.GATEWAY_PORT}: it is the customers'")
        return self


class Training(Section):
    """Where forecasts are fitted."""

    mode: Literal["process", "jobs"] = "process"
    """In one process of the operator's pod, or by Kubernetes Jobs beside it: for many series."""
    parallel: Annotated[int, Field(ge=1, le=50)] = 2
    """Jobs at a time."""
    resources: Resources = Resources(
        requests=Amounts(cpu="500m", memory="384Mi"), limits=Amounts(cpu="1", memory="768Mi")
    )
    """Of each Job; a fit uses no more than one core."""


class Operator(Section):
    """The operator; one replica acts at a time."""

    console: Console = Console()
    training: Training = Training()
    resources: Resources


class Persistence(Section):
    """How a tier survives a restart."""

    mode: Literal["aof", "rdb"] = "aof"
    size: BinaryQuantity


class Sentinel(Section):
    """How fast a dead primary is noticed and replaced."""

    down_after_milliseconds: Annotated[int, Field(ge=500)] = 3000
    failover_timeout_milliseconds: Annotated[int, Field(ge=1000)] = 10000


class Tier(Section):
    """One Redis tier of a tenant."""

    name: Name
    topology: Literal["replicated", "cluster"] = "replicated"
    shards: Annotated[int, Field(ge=3, le=50)] | None = None
    """Shards of a Redis Cluster; what is said of memory, volumes and resources is for a server."""
    replicas: Annotated[int, Field(ge=1, le=5)] = 2
    memory: BinaryQuantity
    eviction_policy: Literal[
        "noeviction",
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-random",
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
    ] = "allkeys-lfu"
    persistence: Persistence
    sentinel: Sentinel = Sentinel()
    handover: Literal["automatic", "dryRun"] = "automatic"
    """Whether the primary is moved when there is a reason, or the operator only says so."""
    predict_failures: bool = False
    """Have a detector watch the servers: what it sees makes the operator probe them."""
    resources: Resources

    @model_validator(mode="after")
    def _predictions_of_a_replicated_tier(self) -> Self:
        if self.predict_failures and self.topology == "cluster":
            raise ValueError("`predictFailures` is for replicated tiers: others hand nothing over")
        return self

    @model_validator(mode="after")
    def _shards_of_a_cluster(self) -> Self:
        if (self.topology == "cluster") != (self.shards is not None):
            raise ValueError("topology cluster needs `shards`, and no other topology has them")
        return self

    @model_validator(mode="after")
    def _memory_fits(self) -> Self:
        # maxmemory counts the data alone: replication buffers and the copy-on-write pages of a
        # snapshot come on top, and a container without room for them is killed while saving.
        needed = base_units(self.memory) * 5 / 4
        if base_units(self.resources.limits.memory) < needed:
            raise ValueError(
                f"resources.limits.memory {self.resources.limits.memory} leaves no room beside "
                f"memory {self.memory}; give at least a quarter more"
            )
        return self


class Service(Section):
    """A service of the platform, run as a Workload."""

    replicas: Replicas
    tier: Name
    """The tier of the same tenant that it keeps its data in."""
    resources: Resources


class GatewayService(Service):
    """The gateway service; `tier` holds its rate limits and is its cache's L2."""

    orders_tier: Name | None = None
    """Where orders' idempotency keys are kept; without one, in `tier`."""
    predictive_tier: Name | None = None
    """The cache's L3."""
    distributed_tier: Name | None = None
    """The cache's L4."""

    @property
    def tiers(self) -> tuple[Name, ...]:
        """All that it uses."""
        others = (self.orders_tier, self.predictive_tier, self.distributed_tier)
        return (self.tier, *(name for name in others if name is not None))


class Tokens(Section):
    """Whose bearer tokens a tenant's gateway accepts."""

    issuer: str
    audience: str
    jwks: HttpUrl
    """Where the issuer publishes its keys."""


class Simulator(Section):
    """Simulated marketplaces, which also sign tokens: for stacks that are tried out and loaded."""

    seed: int = 0
    resources: Resources


class Quota(Section):
    """The most that a tenant's namespace may ask for."""

    cpu: Quantity
    memory: Quantity
    storage: Quantity
    pods: Annotated[int, Field(ge=1)]


class Tenant(Section):
    """A marketplace operator with a namespace of its own."""

    name: Name
    quota: Quota
    tiers: tuple[Tier, ...]
    gateway: GatewayService
    tokens: Tokens | None = None
    """Without them the marketplaces' part of the gateway refuses everybody."""
    webhooks: Service | None = None
    marketplaces: Simulator | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [tier.name for tier in self.tiers]
        clusters = [tier.name for tier in self.tiers if tier.topology == "cluster"]
        problems = []
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            problems.append(f"tiers named more than once: {', '.join(repeated)}")
        used = [("gateway", name) for name in self.gateway.tiers]
        used += [("webhooks", self.webhooks.tier)] if self.webhooks else []
        problems += [
            f"{service}'s tier {name!r} is none of: {', '.join(names)}"
            for service, name in used
            if name not in names
        ]
        problems += [
            f"{service}'s tier {name!r} must be replicated, not a cluster"
            for service, name in used
            if name in clusters and name != self.gateway.distributed_tier
        ]
        problems += self._keeping_problems()
        ours = (*naming.PLATFORM_NAMESPACES, naming.TRAINING_NAMESPACE)
        if self.name in ours or self.name.startswith("kube-"):
            problems.append(f"name {self.name!r} is a namespace of the platform or of Kubernetes")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _keeping_problems(self) -> list[str]:
        """Say what could lose webhooks that were accepted, or the keys of orders placed."""
        keeping = {self.gateway.orders_tier: "gateway.ordersTier"}
        if self.webhooks is not None:
            keeping[self.webhooks.tier] = "webhooks.tier"
        return [
            f"{keeping[tier.name]} {tier.name!r} needs {needed}: what it took must not be dropped"
            for tier in self.tiers
            if tier.name in keeping
            for needed, is_so in (
                ("evictionPolicy noeviction", tier.eviction_policy == "noeviction"),
                ("persistence.mode aof", tier.persistence.mode == "aof"),
            )
            if not is_so
        ]


def _tenants_differ(tenants: tuple[Tenant, ...]) -> tuple[Tenant, ...]:
    names = [tenant.name for tenant in tenants]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"tenants named more than once: {', '.join(repeated)}")
    return tenants


class Platform(Section):
    """All of a stack's configuration; each field is a key `tenfold:<field>`."""

    images: Images = Images()
    cluster: Cluster
    gateway: Gateway
    monitoring: Monitoring
    operator: Operator
    tenants: Annotated[
        tuple[Tenant, ...], AfterValidator(_not_empty), AfterValidator(_tenants_differ)
    ]

    @model_validator(mode="after")
    def _node_ports_differ(self) -> Self:
        exposures = (
            self.gateway.service,
            self.monitoring.prometheus.service,
            self.operator.console,
        )
        ports = [exposure.node_port for exposure in exposures if exposure.node_port is not None]
        if repeated := sorted({port for port in ports if ports.count(port) > 1}):
            raise ValueError(f"nodePort used more than once: {', '.join(map(str, repeated))}")
        return self

    @property
    def tenant_namespaces(self) -> tuple[str, ...]:
        """A tenant's namespace is called like the tenant."""
        return tuple(tenant.name for tenant in self.tenants)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """All namespaces that the stack makes."""
        training = (naming.TRAINING_NAMESPACE,) if self.operator.training.mode == "jobs" else ()
        return (*naming.PLATFORM_NAMESPACES, *training, *self.tenant_namespaces)
