"""The gateway in front of six simulated marketplaces, all as real processes."""

from __future__ import annotations

import concurrent.futures
import contextlib
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.loadtests.processes import Redis
from tests.services import processes
from tests.services.processes import MARKETPLACES, Program
from tests.support import wait_until

CURRENCIES = {
    "trendyol": "TRY",
    "n11": "TRY",
    "hepsiburada": "TRY",
    "amazon": "USD",
    "ebay": "EUR",
    "ozon": "RUB",
}
# Attempts are few and pauses short: what is shown does not depend on how long.
POLICY = {"answer_seconds": 1.0, "attempts": 3, "breaker_failures": 5, "breaker_seconds": 2.0}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Program]:
    with processes.simulator(TENFOLD_BEHAVIOUR='{"ozon": {"latency_seconds": 0.002}}') as program:
        yield program


@pytest.fixture
def upstreams(simulator: Program) -> Iterator[Program]:
    yield simulator
    for name in MARKETPLACES:
        simulator.client.delete(f"/admin/{name}").raise_for_status()


@contextlib.contextmanager
def _in_front_of(upstreams: Program, redis: Redis) -> Iterator[Program]:
    with processes.gateway(redis.url, upstreams, POLICY) as program:
        program.client.headers.update(processes.bearer(upstreams))
        yield program


@pytest.fixture(scope="module")
def shared(simulator: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    redis = Redis(tmp_path_factory.mktemp("redis"))
    redis.start()
    with _in_front_of(simulator, redis) as program:
        yield program
    redis.kill()


@pytest.fixture
def gateway(shared: Program, upstreams: Program) -> Program:
    """One gateway for all tests that leave it and its circuits as they were."""
    return shared


@pytest.fixture
def own_gateway(redis: Redis, upstreams: Program) -> Iterator[Program]:
    """A gateway for one test alone."""
    with _in_front_of(upstreams, redis) as program:
        yield program


def _problem(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


def _order(marketplace: str, quantity: int = 2) -> dict[str, object]:
    line = {"sku": "SKU-000001", "quantity": quantity, "unit_amount": "12.50"}
    return {"currency": CURRENCIES[marketplace], "lines": [line]}


def _place(
    gateway: Program, marketplace: str, key: str, order: dict[str, object] | None = None
) -> httpx.Response:
    return gateway.client.post(
        f"/v1/{marketplace}/orders",
        json=order or _order(marketplace),
        headers={"Idempotency-Key": key},
    )


def _references(upstreams: Program, marketplace: str) -> list[str]:
    answer = upstreams.client.get(f"/admin/{marketplace}/references").raise_for_status()
    references: list[str] = answer.json()["references"]
    return references


@pytest.mark.parametrize("marketplace", MARKETPLACES)
def test_whole_lists_are_read_page_by_page(gateway: Program, marketplace: str) -> None:
    for kind, total in (("products", 200), ("prices", 200), ("stock", 200), ("orders", 200)):
        found, cursor = [], None
        for _ in range(10):
            query = {"limit": "75"} | ({} if cursor is None else {"cursor": cursor})
            page = gateway.client.get(f"/v1/{marketplace}/{kind}", params=query)
            assert page.status_code == 200, page.text
            found += page.json()["items"]
            cursor = page.json()["next_cursor"]
            if cursor is None:
                break
        names = {entry["id" if kind == "orders" else "sku"] for entry in found}
        assert (len(found), len(names)) == (total, total)


@pytest.mark.parametrize("marketplace", MARKETPLACES)
def test_what_is_written_is_what_is_read(gateway: Program, marketplace: str) -> None:
    currency = CURRENCIES[marketplace]
    price = {"currency": currency, "list_amount": "1234.56", "sale_amount": "999.90"}
    written = gateway.client.put(f"/v1/{marketplace}/prices/SKU-000003", json=price)
    assert written.status_code == 200, written.text
    read = gateway.client.get(f"/v1/{marketplace}/prices/SKU-000003").json()
    assert read == written.json()
    assert {name: read[name] for name in price} == price
    gateway.client.put(f"/v1/{marketplace}/stock/SKU-000003", json={"quantity": 17})
    stock = gateway.client.get(f"/v1/{marketplace}/stock/SKU-000003").json()
    assert stock["quantity"] == 17
    order = _place(gateway, marketplace, f"written-{marketplace}")
    assert order.status_code == 201, order.text
    assert order.json()["total_amount"] == "25.00"
    assert order.json()["reference"] == f"written-{marketplace}"
    again = gateway.client.get(f"/v1/{marketplace}/orders/{order.json()['id']}")
    assert again.json() == order.json()


def test_a_product_is_asked_for_once_and_served_while_its_marketplace_is_down(
    own_gateway: Program, upstreams: Program
) -> None:
    path = "/v1/ebay/products/SKU-000005"
    first = own_gateway.client.get(path)
    assert first.status_code == 200
    processes.misbehave(upstreams, "ebay", outage="refuse")
    assert [own_gateway.client.get(path).json() for _ in range(5)] == [first.json()] * 5
    line = 'upstream_requests_total{marketplace="ebay",outcome="ok",resource="products"} 1.0'
    assert line in own_gateway.metrics()
    assert own_gateway.client.get("/v1/ebay/stock/SKU-000005").status_code == 502


def test_what_the_marketplace_does_not_know_is_not_found(
    gateway: Program, upstreams: Program
) -> None:
    for kind in ("products", "stock"):
        for _ in range(2):
            answer = gateway.client.get(f"/v1/ozon/{kind}/nothing")
            assert (answer.status_code, _problem(answer)) == (404, "upstream-unknown")


def test_who_has_no_valid_token_gets_nothing(gateway: Program, upstreams: Program) -> None:
    def ask(headers: dict[str, str], method: str = "GET") -> tuple[int, str]:
        answer = httpx.request(method, f"{gateway.url}/v1/n11/orders", headers=headers)
        return answer.status_code, _problem(answer)

    token = processes.bearer(upstreams)["Authorization"]
    assert ask({}) == (401, "unauthorized")
    assert ask({"Authorization": "Bearer nonsense"}) == (401, "unauthorized")
    assert ask({"Authorization": token[:-8] + "AAAAAAAA"}) == (401, "unauthorized")
    assert ask(processes.bearer(upstreams, scope="read"), "POST") == (403, "forbidden")


def test_a_tenant_has_one_limit_over_all_replicas_and_another_tenant_its_own(
    redis: Redis, upstreams: Program
) -> None:
    limit = {"TENFOLD_TENANT_REQUESTS_PER_SECOND": "5"}
    with (
        processes.gateway(redis.url, upstreams, None, **limit) as first,
        processes.gateway(redis.url, upstreams, None, **limit) as second,
    ):
        one, other = (processes.bearer(upstreams, tenant=name) for name in ("one", "other"))
        start = time.monotonic()
        answers = [
            gateway.client.get("/v1/n11/stock/SKU-000001", headers=one)
            for _ in range(10)
            for gateway in (first, second)
        ]
        seconds = time.monotonic() - start
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) == {200, 429}
        assert 5 <= statuses.count(200) <= 6 + 5 * seconds
        refused = answers[statuses.index(429)]
        assert int(refused.headers["Retry-After"]) >= 1
        assert first.client.get("/v1/n11/stock/SKU-000001", headers=other).status_code == 200


def test_without_redis_lists_are_read_and_no_order_is_placed(
    own_gateway: Program, redis: Redis, upstreams: Program
) -> None:
    redis.kill()
    assert own_gateway.client.get("/v1/n11/products").status_code == 200
    answer = _place(own_gateway, "n11", "without-redis")
    assert (answer.status_code, _problem(answer)) == (503, "redis-unavailable")
    assert "without-redis" not in _references(upstreams, "n11")
    assert "rate_limit_unchecked_total 2.0" in own_gateway.metrics()


def test_an_order_is_placed_once_however_often_and_from_wherever_it_is_sent(
    gateway: Program, upstreams: Program
) -> None:
    processes.misbehave(upstreams, "ebay", error_ratio=0.0, latency_seconds=0.05)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(_place, gateway, "ebay", "many-at-once") for _ in range(8)]
        statuses = {answer.result().status_code for answer in sent}
    assert statuses <= {201, 409}
    assert _place(gateway, "ebay", "many-at-once").status_code == 201
    assert _references(upstreams, "ebay").count("many-at-once") == 1
    other = _place(gateway, "ebay", "many-at-once", _order("ebay", quantity=3))
    assert (other.status_code, _problem(other)) == (422, "idempotency-key-reused")
    assert _place(gateway, "ebay", "short").json()["errors"][0]["field"] == "header.Idempotency-Key"


def test_an_order_whose_answer_was_lost_is_not_sent_again(
    own_gateway: Program, upstreams: Program
) -> None:
    # The marketplace takes the order at once and says so too late.
    processes.misbehave(upstreams, "amazon", latency_seconds=3.0, latency_spread=0.0)
    answer = _place(own_gateway, "amazon", "lost-answer")
    assert (answer.status_code, _problem(answer)) == (504, "upstream-silent")
    processes.misbehave(upstreams, "amazon", latency_seconds=0.002)
    again = _place(own_gateway, "amazon", "lost-answer")
    assert (again.status_code, _problem(again)) == (409, "order-outcome-unknown")
    assert _references(upstreams, "amazon").count("lost-answer") == 1


def test_an_order_that_was_refused_can_be_sent_again(
    own_gateway: Program, upstreams: Program
) -> None:
    processes.misbehave(upstreams, "ozon", requests_per_second=0.001)
    own_gateway.client.get("/v1/ozon/stock/SKU-000001")  # takes what little there is
    answer = _place(own_gateway, "ozon", "refused-first")
    assert (answer.status_code, _problem(answer)) == (503, "upstream-limited")
    processes.misbehave(upstreams, "ozon", requests_per_second=None)
    assert _place(own_gateway, "ozon", "refused-first").status_code == 201
    assert _references(upstreams, "ozon").count("refused-first") == 1


def test_errors_of_a_marketplace_are_repeated_until_it_answers(
    gateway: Program, upstreams: Program
) -> None:
    processes.misbehave(upstreams, "trendyol", error_ratio=0.3)
    answers = [gateway.client.get("/v1/trendyol/stock/SKU-000001") for _ in range(40)]
    good = sum(answer.status_code == 200 for answer in answers)
    # 0.3 cubed is 3%: three attempts, of which one suffices.
    assert good >= 35
    assert 'upstream_retries_total{marketplace="trendyol"}' in gateway.metrics()


def _latencies(gateway: Program, marketplace: str, seconds: float) -> tuple[list[float], int]:
    """Ask steadily for some seconds; return the times of good answers and the number of others."""
    times, bad = [], 0
    with httpx.Client(base_url=gateway.url, headers=gateway.client.headers, timeout=10) as client:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            start = time.monotonic()
            answer = client.get(f"/v1/{marketplace}/stock/SKU-000001")
            if answer.status_code == 200:
                times.append(time.monotonic() - start)
            else:
                bad += 1
            time.sleep(0.02)
    return times, bad


def _others(gateway: Program, down: str, seconds: float) -> tuple[list[float], int]:
    """Ask all marketplaces at once; return what the others gave."""
    names = list(MARKETPLACES)
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        found = dict(
            zip(
                names,
                pool.map(lambda name: _latencies(gateway, name, seconds), names),
                strict=True,
            )
        )
    kept = [found[name] for name in names if name != down]
    return sorted(t for times, _ in kept for t in times), sum(bad for _, bad in kept)


@pytest.mark.parametrize("outage", ["hang", "refuse"])
def test_one_marketplace_down_leaves_the_other_five_as_they_were(
    own_gateway: Program, upstreams: Program, outage: str, say: Callable[[str], None]
) -> None:
    before, bad_before = _others(own_gateway, "n11", seconds=3)
    processes.misbehave(upstreams, "n11", outage=outage)
    during, bad_during = _others(own_gateway, "n11", seconds=6)
    medians = [times[len(times) // 2] * 1000 for times in (before, during)]
    say(f"n11 {outage}: the others' median {medians[0]:.1f} ms before, {medians[1]:.1f} ms during")
    assert (bad_before, bad_during) == (0, 0)
    # The machine's own swings are in both; a call that waited for n11 would take a second.
    assert medians[1] < 2 * medians[0] + 5
    start = time.monotonic()
    answer = own_gateway.client.get("/v1/n11/stock/SKU-000001")
    assert (answer.status_code, _problem(answer)) == (503, "upstream-circuit-open")
    assert time.monotonic() - start < 0.5
    assert 'breaker_open{marketplace="n11"} 1.0' in own_gateway.metrics()


def test_a_marketplace_that_is_back_is_called_again(
    own_gateway: Program, upstreams: Program
) -> None:
    processes.misbehave(upstreams, "n11", outage="refuse")
    path = "/v1/n11/stock/SKU-000001"
    wait_until(
        lambda: _problem(own_gateway.client.get(path)) == "upstream-circuit-open",
        seconds=10,
        what="the circuit opens",
    )
    processes.misbehave(upstreams, "n11", outage="none")
    wait_until(
        lambda: own_gateway.client.get(path).status_code == 200, seconds=10, what="it closes again"
    )


def test_a_call_of_a_marketplace_finishes_while_the_gateway_ends(
    own_gateway: Program, upstreams: Program
) -> None:
    processes.misbehave(upstreams, "hepsiburada", latency_seconds=0.6, latency_spread=0.0)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(own_gateway.client.get, "/v1/hepsiburada/products")
        wait_until(
            lambda: 'upstream_in_flight{marketplace="hepsiburada"} 1.0' in own_gateway.metrics(),
            seconds=5,
            what="the call is in flight",
            every=0.01,
        )
        own_gateway.process.terminate()
        assert answer.result().status_code == 200
    assert own_gateway.process.wait(10) == 0
