"""The HTTP interface over counters that a test controls."""

import asyncio
import json
import re

import httpx
import prometheus_client
import pytest
import tenfold_cache
from tenfold_gateway import app, settings, store
from tenfold_runtime import middleware

PROBLEM = "application/problem+json"


class Counters:
    """Counters in memory that fail, or wait, on demand."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.waiting = 0

    async def increment(self, name: str) -> int:
        if self.gate:
            self.waiting += 1
            await self.gate.wait()
        if self.error:
            raise self.error
        self.values[name] = self.values.get(name, 0) + 1
        return self.values[name]

    async def read(self, name: str) -> int:
        return self.values.get(name, 0)


class Gateway:
    """An application and what a test reaches into."""

    def __init__(self, max_requests_in_flight: int = 10) -> None:
        self.counters = Counters()
        self.lifecycle = middleware.Lifecycle()
        config = settings.Settings.model_validate(
            {
                "REDIS_URL": "redis://127.0.0.1:1/0",
                "revision": "r7",
                "max_requests_in_flight": max_requests_in_flight,
            }
        )
        redis = store.Store(config.redis_url, None)
        products = tenfold_cache.Cache(
            tenfold_cache.Settings(memory_bytes=5 * 1024 * 1024),
            prometheus_client.CollectorRegistry(),
        )
        self._app = app.create_app(config, redis, redis, self.lifecycle, self.counters, products)

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://gateway")

    def request(self, method: str, path: str) -> httpx.Response:
        async def once() -> httpx.Response:
            async with self.client() as client:
                return await client.request(method, path)

        return asyncio.run(once())


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def test_a_counter_is_incremented_and_read(gateway: Gateway) -> None:
    assert gateway.request("GET", "/v1/counters/visits").json() == {"name": "visits", "value": 0}
    assert gateway.request("POST", "/v1/counters/visits").json() == {"name": "visits", "value": 1}
    assert gateway.request("GET", "/v1/counters/visits").json() == {"name": "visits", "value": 1}


def test_info_tells_the_revision_that_answers(gateway: Gateway) -> None:
    assert gateway.request("GET", "/v1/info").json() == {"version": app.VERSION, "revision": "r7"}


@pytest.mark.parametrize("name", ["UPPER", "-dash", "a b", "x" * 64])
def test_a_bad_name_is_refused_by_a_problem_that_names_the_field(
    gateway: Gateway, name: str
) -> None:
    answer = gateway.request("POST", f"/v1/counters/{name}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, PROBLEM)
    assert answer.json()["errors"][0]["field"] == "path.name"
    assert gateway.counters.values == {}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (store.Unavailable("away"), 503, "redis-unavailable"),
        (store.Refused("READONLY"), 503, "redis-refused"),
        (store.OutcomeUnknown("lost"), 504, "redis-outcome-unknown"),
    ],
)
def test_a_failed_operation_is_a_problem_that_names_what_happened(
    gateway: Gateway, error: store.StoreError, status: int, code: str
) -> None:
    gateway.counters.error = error
    answer = gateway.request("POST", "/v1/counters/visits")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM)
    assert answer.json() == {
        "type": f"urn:tenfold:problem:{code}",
        "title": error.title,
        "status": status,
        "detail": str(error),
        "instance": "/v1/counters/visits",
    }


def test_only_what_is_safe_to_repeat_invites_to_repeat(gateway: Gateway) -> None:
    gateway.counters.error = store.Unavailable("away")
    assert gateway.request("POST", "/v1/counters/visits").headers["Retry-After"] == "1"
    gateway.counters.error = store.OutcomeUnknown("lost")
    assert "Retry-After" not in gateway.request("POST", "/v1/counters/visits").headers


def test_an_unknown_path_and_a_wrong_method_are_problems(gateway: Gateway) -> None:
    for method, path, status in (("GET", "/v2", 404), ("DELETE", "/v1/counters/visits", 405)):
        answer = gateway.request(method, path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM)


def test_an_unexpected_error_is_a_problem_that_tells_nothing_of_the_insides(
    gateway: Gateway,
) -> None:
    gateway.counters.error = RuntimeError("secret insides")
    answer = gateway.request("POST", "/v1/counters/visits")
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, PROBLEM)
    assert "secret" not in answer.text


def test_readiness_does_not_depend_on_redis(gateway: Gateway) -> None:
    gateway.counters.error = store.Unavailable("away")
    assert gateway.request("GET", "/readyz").status_code == 200


def test_while_draining_it_is_unready_answers_and_closes_connections(gateway: Gateway) -> None:
    assert "Connection" not in gateway.request("POST", "/v1/counters/visits").headers
    gateway.lifecycle.draining = True
    assert gateway.request("GET", "/readyz").status_code == 503
    assert gateway.request("GET", "/healthz").status_code == 200
    answer = gateway.request("POST", "/v1/counters/visits")
    assert (answer.json()["value"], answer.headers["Connection"]) == (2, "close")


def test_requests_above_the_limit_are_turned_away_at_once_but_probes_are_not() -> None:
    gateway = Gateway(max_requests_in_flight=2)

    async def crowd() -> tuple[httpx.Response, httpx.Response, list[httpx.Response]]:
        gate = gateway.counters.gate = asyncio.Event()
        async with gateway.client() as client:
            admitted = [asyncio.create_task(client.post("/v1/counters/visits")) for _ in range(2)]
            while gateway.counters.waiting < 2:
                await asyncio.sleep(0)
            refused = await client.post("/v1/counters/visits")
            probe = await client.get("/readyz")
            gate.set()
            return refused, probe, await asyncio.gather(*admitted)

    refused, probe, admitted = asyncio.run(crowd())
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:tenfold:problem:overloaded")
    assert probe.status_code == 200
    assert [answer.status_code for answer in admitted] == [200, 200]
    assert gateway.request("POST", "/v1/counters/visits").status_code == 200


def test_requests_are_counted_by_route_and_not_by_name(gateway: Gateway) -> None:
    labels = {"route": "/v1/counters/{name}", "method": "POST", "status": "200"}

    def count() -> float:
        value = prometheus_client.REGISTRY.get_sample_value(
            "tenfold_gateway_requests_total", labels
        )
        return value or 0.0

    before = count()
    gateway.request("POST", "/v1/counters/one")
    gateway.request("POST", "/v1/counters/two")
    assert count() == before + 2


def test_the_openapi_document_has_the_marketplaces(gateway: Gateway) -> None:
    document = gateway.request("GET", "/v1/openapi.json").json()
    order = document["paths"]["/v1/{marketplace}/orders"]["post"]
    assert order["security"] == [{"bearer": []}]
    named = {(entry["name"], entry["in"]) for entry in order["parameters"]}
    assert named == {("marketplace", "path"), ("Idempotency-Key", "header")}
    references = set(re.findall(r"#/components/schemas/([^\"]+)", json.dumps(document)))
    assert references <= set(document["components"]["schemas"])
    assert {"NewOrder", "Order", "Problem"} <= references


def test_a_marketplace_that_is_not_configured_needs_a_token_first(gateway: Gateway) -> None:
    answer = gateway.request("GET", "/v1/n11/products")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "TENFOLD_JWKS" not in answer.json()["detail"]


def test_the_openapi_document_has_the_counters_and_their_problems(gateway: Gateway) -> None:
    document = gateway.request("GET", "/v1/openapi.json").json()
    answers = document["paths"]["/v1/counters/{name}"]["post"]["responses"]
    assert {"200", "422", "503", "504"} <= set(answers)
    assert PROBLEM in answers["504"]["content"]
