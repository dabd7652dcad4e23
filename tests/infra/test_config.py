"""A stack's configuration is checked whole, before anything is created."""

from __future__ import annotations

import asyncio
import json
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as pulumi_config
from tenfold_infra.config import ConfigError, parse

from tests.infra.rendering import with_training_jobs

PROGRAM = Path(__file__).resolve().parents[2] / "infra" / "__main__.py"


def changed(config: dict[str, str], key: str, **changes: Any) -> dict[str, str]:
    """Return the configuration with keys of one section replaced."""
    section = json.loads(config[key]) | changes
    return config | {key: json.dumps(section)}


def mistakes(config: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        parse(config)
    return [line[4:] for line in str(refused.value).splitlines() if line.startswith("  - ")]


def test_every_mistake_is_listed_at_once(config: dict[str, str]) -> None:
    config = changed(config, "tenfold:gateway", replicas=0, service={"type": "Ingress"})
    config = changed(config, "tenfold:images", tag="latest")
    config = changed(config, "tenfold:cluster", nodes=["10.99.0.1/16"])
    del config["tenfold:operator"]
    assert [mistake.partition(": ")[0] for mistake in mistakes(config)] == [
        "tenfold:images.tag",
        "tenfold:cluster.nodes[0]",
        "tenfold:gateway.replicas",
        "tenfold:gateway.service.type",
        "tenfold:operator",
    ]


def test_a_mistake_says_what_is_allowed(config: dict[str, str]) -> None:
    (mistake,) = mistakes(changed(config, "tenfold:gateway", service={"type": "Ingress"}))
    assert "'ClusterIP', 'NodePort' or 'LoadBalancer', not 'Ingress'" in mistake


def test_an_unknown_key_is_refused_with_the_known_ones(config: dict[str, str]) -> None:
    assert mistakes(changed(config, "tenfold:gateway", replica=3)) == [
        "tenfold:gateway.replica: unknown key; allowed here: replicas, resources, service"
    ]


def test_shards_are_for_clusters_and_services_use_none_of_these(config: dict[str, str]) -> None:
    (tenant,) = json.loads(config["tenfold:tenants"])
    tenant["tiers"][0]["shards"] = 3
    tenants = config | {"tenfold:tenants": json.dumps([tenant])}
    (mistake,) = mistakes(tenants)
    assert "topology cluster needs `shards`, and no other topology has them" in mistake
    tenant["tiers"][0]["topology"] = "cluster"
    (mistake,) = mistakes(config | {"tenfold:tenants": json.dumps([tenant])})
    assert "gateway's tier 'l2' must be replicated, not a cluster" in mistake


def test_an_unknown_section_is_refused_with_the_known_ones(config: dict[str, str]) -> None:
    (mistake,) = mistakes(config | {"tenfold:gatway": "{}"})
    assert mistake.startswith("tenfold:gatway: unknown key; allowed here: cluster, gateway,")


def test_text_where_a_section_belongs_is_one_mistake(config: dict[str, str]) -> None:
    assert mistakes(config | {"tenfold:gateway": "large"}) == [
        "tenfold:gateway: must be a section with keys, not the text 'large'"
    ]


def test_keys_of_providers_are_left_alone(config: dict[str, str]) -> None:
    parse(config | {"kubernetes:context": "elsewhere"})


def test_numbers_and_texts_mean_the_same_quantity(config: dict[str, str]) -> None:
    amounts = {"requests": {"cpu": 1, "memory": "64Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}}
    platform = parse(changed(config, "tenfold:gateway", resources=amounts))
    assert platform.gateway.resources.requests.cpu == "1"


@pytest.mark.parametrize(
    ("requests", "limits", "words"),
    [
        ({"cpu": 3, "memory": "64Mi"}, {"cpu": 2, "memory": "1Gi"}, "requests.cpu 3 exceeds"),
        ({"cpu": 1, "memory": "2Gi"}, {"cpu": 2, "memory": "1G"}, "requests.memory 2Gi exceeds"),
    ],
)
def test_a_request_above_its_limit_is_refused(
    config: dict[str, str], requests: dict[str, Any], limits: dict[str, Any], words: str
) -> None:
    amounts = {"requests": requests, "limits": limits}
    (mistake,) = mistakes(changed(config, "tenfold:gateway", resources=amounts))
    assert words in mistake


def test_two_services_cannot_have_one_node_port(config: dict[str, str]) -> None:
    service = {"type": "NodePort", "nodePort": 30081}
    assert mistakes(changed(config, "tenfold:gateway", service=service)) == [
        "tenfold: nodePort used more than once: 30081"
    ]


@pytest.mark.parametrize("service", [{"type": "NodePort"}, {"nodePort": 30080}])
def test_a_node_port_goes_with_its_type(config: dict[str, str], service: dict[str, Any]) -> None:
    (mistake,) = mistakes(changed(config, "tenfold:gateway", service=service))
    assert mistake == (
        "tenfold:gateway.service: nodePort goes with type NodePort, and only with it"
    )


@pytest.mark.parametrize("console", [{"gatewayPort": 8081}, {"type": "LoadBalancer"}])
def test_a_console_that_the_world_reaches_asks_for_a_token(
    config: dict[str, str], console: dict[str, Any]
) -> None:
    (mistake,) = mistakes(changed(config, "tenfold:operator", console=console))
    assert "tokenSecret must name a Secret" in mistake


def test_the_console_and_the_customers_have_different_ports(config: dict[str, str]) -> None:
    console = {"tokenSecret": "console", "gatewayPort": 80}
    (mistake,) = mistakes(changed(config, "tenfold:operator", console=console))
    assert "gatewayPort must not be 80" in mistake


class TestTenants:
    """Mistakes in the list of tenants."""

    @staticmethod
    def mistakes_of(config: dict[str, str], **changes: Any) -> list[str]:
        (tenant,) = json.loads(config["tenfold:tenants"])
        return mistakes(config | {"tenfold:tenants": json.dumps([tenant | changes])})

    def test_no_tenant_is_a_mistake(self, config: dict[str, str]) -> None:
        assert mistakes(config | {"tenfold:tenants": "[]"}) == [
            "tenfold:tenants: needs at least one entry"
        ]

    def test_a_service_names_a_tier_of_its_tenant(self, config: dict[str, str]) -> None:
        (tenant,) = json.loads(config["tenfold:tenants"])
        gateway = tenant["gateway"] | {"tier": "l9"}
        assert self.mistakes_of(config, gateway=gateway) == [
            "tenfold:tenants[0]: gateway's tier 'l9' is none of: l2, l3, l4, events"
        ]

    def test_webhooks_need_a_tier_that_drops_nothing(self, config: dict[str, str]) -> None:
        (tenant,) = json.loads(config["tenfold:tenants"])
        (mistake,) = self.mistakes_of(config, webhooks=tenant["webhooks"] | {"tier": "l3"})
        assert mistake == (
            "tenfold:tenants[0]: webhooks.tier 'l3' needs evictionPolicy noeviction: what it took"
            " must not be dropped; webhooks.tier 'l3' needs persistence.mode aof: what it took"
            " must not be dropped"
        )

    def test_a_tenant_cannot_take_a_namespace_of_the_platform(self, config: dict[str, str]) -> None:
        (mistake,) = self.mistakes_of(config, name="tenfold-system")
        assert "is a namespace of the platform" in mistake

    def test_a_tier_needs_room_beside_its_data(self, config: dict[str, str]) -> None:
        (tenant,) = json.loads(config["tenfold:tenants"])
        tier = tenant["tiers"][0] | {"memory": "128Mi"}
        (mistake,) = self.mistakes_of(config, tiers=[tier, *tenant["tiers"][1:]])
        assert mistake == (
            "tenfold:tenants[0].tiers[0]: resources.limits.memory 128Mi leaves no room beside"
            " memory 128Mi; give at least a quarter more"
        )

    def test_two_tenants_cannot_share_a_name(self, config: dict[str, str]) -> None:
        (tenant,) = json.loads(config["tenfold:tenants"])
        assert mistakes(config | {"tenfold:tenants": json.dumps([tenant, tenant])}) == [
            "tenfold:tenants: tenants named more than once: marketplace"
        ]


def test_the_program_stops_at_a_mistake_before_it_registers_anything(
    config: dict[str, str],
) -> None:
    async def program() -> None:
        pulumi_config.set_all_config(changed(config, "tenfold:images", tag="latest"))
        runpy.run_path(str(PROGRAM))

    # Nothing answers registrations here: one would fail with another error.
    with pytest.raises(pulumi.RunError, match=r"1 mistake\(s\); nothing was changed"):
        asyncio.run(program())


def test_a_console_that_anybody_could_reach_needs_a_token(config: dict[str, str]) -> None:
    console = {"type": "LoadBalancer"}
    (mistake,) = mistakes(changed(config, "tenfold:operator", console=console))
    assert "tokenSecret must name a Secret" in mistake
    parse(changed(config, "tenfold:operator", console=console | {"tokenSecret": "console"}))


def test_a_training_has_one_of_two_places(config: dict[str, str]) -> None:
    wrong = with_training_jobs(config, mode="threads", parallel=0)
    assert [mistake.partition(": ")[0] for mistake in mistakes(wrong)] == [
        "tenfold:operator.training.mode",
        "tenfold:operator.training.parallel",
    ]
