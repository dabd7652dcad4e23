"""Who may talk to whom, judged as a network plugin judges: both ends' policies have to agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from tenfold_infra.config import parse

from tests.infra.rendering import Run, run_program, with_training_jobs

Allowed = Callable[["Pod | str", "Pod | str", int], bool]


@dataclass(frozen=True)
class Pod:
    """A pod as policies see it."""

    namespace: str
    labels: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)


def app(name: str, namespace: str, *, metrics: int = 0, **labels: str) -> Pod:
    extra = {f"tenfold.dev/{key.replace('_', '-')}": value for key, value in labels.items()}
    ports = {"metrics": metrics} if metrics else {}
    return Pod(namespace, {"app.kubernetes.io/name": name} | extra, ports)


TRAEFIK = app("traefik", "tenfold-gateway", metrics=9100)
OPERATOR = app("operator", "tenfold-system", metrics=9090)
TRAINING = app("training", "tenfold-training", training="training-1", metrics=9090)
GUARD = app("guard", "tenfold-system", metrics=9090)
PROMETHEUS = app("prometheus", "tenfold-monitoring")
ALERTMANAGER = app("alertmanager", "tenfold-monitoring")
SERVICE = app("gateway", "marketplace", metrics=9090, workload="gateway", redis_client="true")
L2 = app("redis", "marketplace", metrics=9121, tier="l2")
L2_SENTINEL = app("redis-sentinel", "marketplace", tier="l2")
L3 = app("redis", "marketplace", metrics=9121, tier="l3")
BACKUP = app("redis-backup", "marketplace", redis_client="true")
WEBHOOKS = app("webhooks", "marketplace", metrics=9090, workload="webhooks", redis_client="true")
SIMULATOR = app("marketplaces", "marketplace", metrics=9090)
EVENTS = app("redis", "marketplace", metrics=9121, tier="events")
STRANGER = Pod("marketplace", {"app.kubernetes.io/name": "stranger"})
OUTSIDER = Pod("default", {"tenfold.dev/redis-client": "true", "tenfold.dev/tier": "l2"})
DNS = Pod("kube-system", {"k8s-app": "kube-dns"})
API_SERVER = "10.99.0.1"
NODE = "10.99.0.12"
INTERNET = "203.0.113.9"


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    required = [entry["key"] for entry in selector.get("matchExpressions", [])]
    return wanted.items() <= labels.items() and all(key in labels for key in required)


class Judge:
    """Decides as the NetworkPolicy API says, for the policies of one run."""

    def __init__(self, run: Run) -> None:
        self._policies = [resource.document for resource in run.objects("NetworkPolicy")]
        self._namespaces = {
            r.name: {"kubernetes.io/metadata.name": r.name, **r.document["metadata"]["labels"]}
            for r in run.objects("Namespace")
        }

    def allowed(self, source: Pod | str, target: Pod | str, port: int) -> bool:
        return self._one_way("Egress", source, target, target, port) and self._one_way(
            "Ingress", target, source, target, port
        )

    def _one_way(
        self, direction: str, subject: Pod | str, peer: Pod | str, target: Pod | str, port: int
    ) -> bool:
        if isinstance(subject, str):
            return True
        applying = [
            policy
            for policy in self._policies
            if policy["metadata"]["namespace"] == subject.namespace
            and direction in policy["spec"]["policyTypes"]
            and selects(policy["spec"]["podSelector"], subject.labels)
        ]
        rules = [r for p in applying for r in p["spec"].get(direction.lower(), [])]
        return not applying or any(
            self._peers_match(rule.get("from", rule.get("to")), subject, peer)
            and self._port_matches(rule.get("ports"), target, port)
            for rule in rules
        )

    def _peers_match(
        self, peers: list[dict[str, Any]] | None, subject: Pod, peer: Pod | str
    ) -> bool:
        return peers is None or any(self._matches(entry, subject, peer) for entry in peers)

    def _matches(self, entry: dict[str, Any], subject: Pod, peer: Pod | str) -> bool:
        if isinstance(peer, str):
            block = entry.get("ipBlock")
            return block is not None and ip_address(peer) in ip_network(block["cidr"])
        if "ipBlock" in entry:
            return False
        default = {"kubernetes.io/metadata.name": peer.namespace}
        inside = (
            selects(entry["namespaceSelector"], self._namespaces.get(peer.namespace, default))
            if "namespaceSelector" in entry
            else peer.namespace == subject.namespace
        )
        return inside and selects(entry.get("podSelector", {}), peer.labels)

    @staticmethod
    def _port_matches(ports: list[dict[str, Any]] | None, target: Pod | str, port: int) -> bool:
        named = target.ports if isinstance(target, Pod) else {}
        return ports is None or any(
            named.get(e["port"]) == port if isinstance(e["port"], str) else e["port"] == port
            for e in ports
        )


@pytest.fixture(scope="module")
def allowed(rendered: Callable[[str], Run]) -> Allowed:
    return Judge(rendered("local")).allowed


def test_the_console_is_behind_the_gateway_where_the_stack_says_so(
    rendered: Callable[[str], Run], allowed: Allowed
) -> None:
    ways = ((INTERNET, TRAEFIK, 8001), (TRAEFIK, OPERATOR, 8081))
    production = Judge(rendered("production")).allowed
    assert all(production(*way) for way in ways)
    assert not any(allowed(*way) for way in ways)
    assert not production(SERVICE, OPERATOR, 8081)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        pytest.param(INTERNET, TRAEFIK, 8000, id="customers reach the gateway"),
        pytest.param(TRAEFIK, SERVICE, 8080, id="the gateway reaches workloads"),
        pytest.param(SERVICE, L2, 6379, id="a Redis client reaches its tier"),
        pytest.param(SERVICE, L2_SENTINEL, 26379, id="a Redis client asks Sentinels"),
        pytest.param(BACKUP, L2, 6379, id="a backup reaches its tier"),
        pytest.param(BACKUP, INTERNET, 443, id="a backup reaches its repository"),
        pytest.param(L2, L2, 6379, id="replicas follow their primary"),
        pytest.param(L2_SENTINEL, L2, 6379, id="Sentinels watch their tier"),
        pytest.param(L2_SENTINEL, L2_SENTINEL, 26379, id="Sentinels vote"),
        pytest.param(OPERATOR, L2, 6379, id="the operator asks Redis"),
        pytest.param(OPERATOR, L2_SENTINEL, 26379, id="the operator asks Sentinels"),
        pytest.param(OPERATOR, PROMETHEUS, 9090, id="the operator asks Prometheus"),
        pytest.param(OPERATOR, API_SERVER, 6443, id="the operator reaches the API server"),
        pytest.param(GUARD, API_SERVER, 6443, id="the guard reaches the API server"),
        pytest.param(GUARD, NODE, 10250, id="the guard probes nodes"),
        pytest.param(PROMETHEUS, GUARD, 9090, id="Prometheus scrapes the guard"),
        pytest.param(TRAEFIK, API_SERVER, 6443, id="the gateway reaches the API server"),
        pytest.param(PROMETHEUS, API_SERVER, 6443, id="Prometheus scrapes the API server"),
        pytest.param(PROMETHEUS, NODE, 10250, id="Prometheus scrapes kubelets"),
        pytest.param(PROMETHEUS, TRAEFIK, 9100, id="Prometheus scrapes the gateway"),
        pytest.param(PROMETHEUS, OPERATOR, 9090, id="Prometheus scrapes the operator"),
        pytest.param(PROMETHEUS, SERVICE, 9090, id="Prometheus scrapes workloads"),
        pytest.param(PROMETHEUS, L2, 9121, id="Prometheus scrapes Redis"),
        pytest.param(PROMETHEUS, ALERTMANAGER, 9093, id="Prometheus sends alerts"),
        pytest.param(NODE, PROMETHEUS, 9090, id="a NodePort leads to Prometheus"),
        pytest.param(NODE, OPERATOR, 8081, id="a NodePort leads to the console"),
        pytest.param(SERVICE, DNS, 1053, id="names are resolved"),
        pytest.param(SERVICE, SIMULATOR, 8080, id="the gateway calls simulated marketplaces"),
        pytest.param(TRAEFIK, WEBHOOKS, 8080, id="webhooks come in by the gateway"),
        pytest.param(WEBHOOKS, EVENTS, 6379, id="webhooks are kept in their tier"),
        pytest.param(PROMETHEUS, SIMULATOR, 9090, id="Prometheus scrapes the simulator"),
    ],
)
def test_allowed(allowed: Allowed, source: Pod | str, target: Pod | str, port: int) -> None:
    assert allowed(source, target, port)


def test_only_the_servers_of_a_cluster_reach_its_bus(rendered: Callable[[str], Run]) -> None:
    allowed = Judge(rendered("production")).allowed
    l4 = app("redis", "marketplace", tier="l4")
    assert allowed(l4, l4, 16379)
    assert allowed(SERVICE, l4, 6379)
    assert allowed(BACKUP, l4, 6379)
    assert not allowed(SERVICE, l4, 16379)
    assert not allowed(L2, l4, 16379)
    assert not allowed(L2, L2, 16379)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        pytest.param(STRANGER, L2, 6379, id="a pod without the label reaches no Redis"),
        pytest.param(OUTSIDER, L2, 6379, id="labels in another namespace open nothing"),
        pytest.param(TRAEFIK, L2, 6379, id="the gateway reaches no Redis"),
        pytest.param(PROMETHEUS, L2, 6379, id="Prometheus reads metrics, not keys"),
        pytest.param(L3, L2, 6379, id="tiers do not mix"),
        pytest.param(INTERNET, L2, 6379, id="nobody outside reaches Redis"),
        pytest.param(INTERNET, PROMETHEUS, 9090, id="nobody outside reaches Prometheus"),
        pytest.param(INTERNET, SERVICE, 8080, id="customers cannot go round the gateway"),
        pytest.param(STRANGER, SERVICE, 8080, id="pods of a tenant are closed to each other"),
        pytest.param(STRANGER, PROMETHEUS, 9090, id="tenants read no metrics"),
        pytest.param(SERVICE, OPERATOR, 8081, id="tenants do not reach the console"),
        pytest.param(SERVICE, API_SERVER, 6443, id="services do not reach the API server"),
        pytest.param(SERVICE, INTERNET, 443, id="services do not reach the internet"),
        pytest.param(SERVICE, ALERTMANAGER, 9093, id="tenants silence no alert"),
        pytest.param(OPERATOR, SERVICE, 8080, id="the operator does not call services"),
        pytest.param(GUARD, SERVICE, 8080, id="the guard does not call services"),
        pytest.param(GUARD, L2, 6379, id="the guard does not reach Redis"),
        pytest.param(ALERTMANAGER, INTERNET, 443, id="alerts without receivers stay"),
        pytest.param(STRANGER, SIMULATOR, 8080, id="only the gateway calls marketplaces"),
        pytest.param(TRAEFIK, SIMULATOR, 8080, id="customers do not reach the simulator"),
        pytest.param(WEBHOOKS, SIMULATOR, 8080, id="webhooks call nobody"),
        pytest.param(WEBHOOKS, INTERNET, 443, id="webhooks do not reach the internet"),
        pytest.param(SIMULATOR, INTERNET, 443, id="a simulated marketplace calls nobody"),
    ],
)
def test_denied(allowed: Allowed, source: Pod | str, target: Pod | str, port: int) -> None:
    assert not allowed(source, target, port)


def test_real_marketplaces_are_reached_by_the_gateway_alone(
    rendered: Callable[[str], Run],
) -> None:
    allowed = Judge(rendered("production")).allowed
    assert allowed(SERVICE, INTERNET, 443)
    assert not allowed(SERVICE, INTERNET, 80)
    assert not allowed(WEBHOOKS, INTERNET, 443)


def test_trainings_reach_nothing_and_nothing_reaches_them(config: dict[str, str]) -> None:
    allowed = Judge(run_program(parse(with_training_jobs(config)), "local")).allowed
    others = (OPERATOR, GUARD, TRAEFIK, PROMETHEUS, SERVICE, L2, DNS, API_SERVER, NODE, INTERNET)
    for port in (53, 443, 1053, 6379, 6443, 8080, 8081, 9090, 10250):
        for other in (*others, TRAINING):
            assert not allowed(TRAINING, other, port)
            assert not allowed(other, TRAINING, port)
