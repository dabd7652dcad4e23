"""The simulated marketplaces: seeded, each in its own form, misbehaving as told."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pydantic
import pytest
from tenfold_marketplaces import app, settings
from tenfold_marketplaces.behaviour import HANG_SECONDS, Behaviour, Upstream
from tenfold_marketplaces.catalogue import Catalogue
from tenfold_marketplaces.schemas import SCHEMAS
from tenfold_runtime import middleware


class Simulator:
    """The application, asked without a server."""

    def __init__(self, **variables: object) -> None:
        quick = {name: {"latency_seconds": 0} for name in SCHEMAS}
        config = settings.Settings.model_validate({"products": 20, "behaviour": quick, **variables})
        self._app = app.create_app(config, middleware.Lifecycle())

    def ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://s") as client:
                return await client.request(method, path, **arguments)

        return asyncio.run(once())


def test_the_same_seed_sells_the_same_and_another_something_else() -> None:
    assert Catalogue("n11", 1, 50).items == Catalogue("n11", 1, 50).items
    assert Catalogue("n11", 1, 50).items != Catalogue("n11", 2, 50).items
    assert Catalogue("n11", 1, 50).items != Catalogue("ebay", 1, 50).items


def test_no_two_marketplaces_have_the_same_form() -> None:
    simulator = Simulator()
    for kind in ("products", "prices", "stock", "orders"):
        forms = {
            tuple(sorted(_fields(simulator.ask("GET", SCHEMAS[name].paths[kind]).json())))
            for name in SCHEMAS
        }
        assert len(forms) == len(SCHEMAS)


def _fields(document: object) -> set[str]:
    if isinstance(document, list):
        return set().union(*(_fields(entry) for entry in document))
    if isinstance(document, dict):
        return set(document).union(*(_fields(value) for value in document.values()))
    return set()


def _verdicts(behaviour: Behaviour, seed: str = "s", every: float = 0.01) -> list[int]:
    upstream = Upstream(behaviour, seed)
    return [upstream.judge(number * every).status for number in range(1000)]


def test_errors_come_as_often_as_told_and_the_same_with_the_same_seed() -> None:
    behaviour = Behaviour(error_ratio=0.2)
    statuses = _verdicts(behaviour)
    assert 150 < statuses.count(500) < 250
    assert statuses == _verdicts(behaviour)
    assert statuses != _verdicts(behaviour, seed="another")


def test_no_more_get_through_than_the_limit() -> None:
    # 100 requests a second for 10 s, of which 20 a second may pass.
    statuses = _verdicts(Behaviour(requests_per_second=20))
    assert 195 <= statuses.count(200) <= 221
    assert statuses.count(429) == 1000 - statuses.count(200)


def test_an_outage_refuses_at_once_or_hangs() -> None:
    refusing = Upstream(Behaviour(outage="refuse"), "s").judge(0)
    hanging = Upstream(Behaviour(outage="hang"), "s").judge(0)
    assert (refusing.status, refusing.delay_seconds) == (503, 0)
    assert hanging.delay_seconds == HANG_SECONDS


def test_latency_lies_around_its_median() -> None:
    upstream = Upstream(Behaviour(latency_seconds=0.1, latency_spread=0.5), "s")
    delays = sorted(upstream.judge(0).delay_seconds for _ in range(1001))
    assert 0.09 < delays[500] < 0.11
    assert delays[950] > 0.15


def test_a_behaviour_is_changed_live_and_what_is_not_named_stays() -> None:
    simulator = Simulator()
    path = SCHEMAS["n11"].paths["products"]
    assert simulator.ask("GET", path).status_code == 200
    changed = simulator.ask("PATCH", "/admin/n11", json={"outage": "refuse"}).json()
    assert (changed["outage"], changed["latency_seconds"]) == ("refuse", 0)
    assert simulator.ask("GET", path).status_code == 503
    assert simulator.ask("GET", SCHEMAS["ebay"].paths["products"]).status_code == 200
    simulator.ask("DELETE", "/admin/n11")
    assert simulator.ask("GET", path).status_code == 200


@pytest.mark.parametrize(
    "body", [{"error_ratio": 2}, {"outage": "maybe"}, {"latency": 1}, {"requests_per_second": 0}]
)
def test_a_behaviour_that_is_none_is_refused_by_the_name_of_its_field(
    body: dict[str, object],
) -> None:
    answer = Simulator().ask("PATCH", "/admin/n11", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == f"body.{next(iter(body))}"


def test_an_unknown_marketplace_in_the_environment_is_refused() -> None:
    with pytest.raises(pydantic.ValidationError, match="amazonn"):
        settings.Settings.model_validate({"behaviour": {"amazonn": {}}})


@pytest.mark.parametrize("name", SCHEMAS)
def test_bad_questions_are_refused_in_the_marketplaces_own_form(name: Any) -> None:
    simulator, paths = Simulator(), SCHEMAS[name].paths
    for method, path, content, status in (
        ("GET", f"{paths['products']}/nothing", b"", 404),
        ("PUT", f"{paths['stock']}/SKU-000001", b"not json", 400),
        ("PUT", f"{paths['stock']}/SKU-000001", b"{}", 400),
        ("PUT", f"{paths['products']}/SKU-000001", b"{}", 400),
        ("POST", paths["orders"], b"{}", 400),
    ):
        answer = simulator.ask(method, path, content=content)
        assert answer.status_code == status
        assert _fields(answer.json()) >= _fields(SCHEMAS[name].error(status, ""))


def test_an_order_that_comes_twice_is_two_orders() -> None:
    simulator = Simulator()
    body = {
        "clientReference": "twice",
        "lines": [{"merchantSku": "SKU-000001", "quantity": 1, "price": 2.5}],
    }
    for _ in range(2):
        path = SCHEMAS["trendyol"].paths["orders"]
        assert simulator.ask("POST", path, content=json.dumps(body)).status_code == 201
    references = simulator.ask("GET", "/admin/trendyol/references").json()["references"]
    assert references.count("twice") == 2
