"""What the gateway's own steps take: mapping, breaker, verification; beside what they could cost.

In one process without a network but for Redis on loopback. Times are of the thread's CPU, so that
whatever else runs on the machine is not in them; what waits for Redis is wall time.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pydantic
from tenfold_gateway import auth, canonical, limits, mapping, store, upstream
from tenfold_gateway.marketplaces import MARKETPLACES
from tenfold_marketplaces.catalogue import Catalogue
from tenfold_marketplaces.identity import AUDIENCE, ISSUER, Identity, TokenRequest
from tenfold_marketplaces.schemas import SCHEMAS
from tenfold_marketplaces.schemas.base import Window
from tenfold_webhooks import signature
from tenfold_webhooks.sources import SOURCES

from tests.benchmarks import report
from tests.loadtests.processes import PASSWORD, Redis
from tests.services.webhook_sender import SECRETS, signed, trendyol_event

_ROUNDS = 2000
_PAGE = 50


def _quantile(seconds: list[float], share: float) -> float:
    return sorted(seconds)[int(share * len(seconds))] * 1e6


def _times(step: Callable[[], object], rounds: int = _ROUNDS) -> list[float]:
    times = []
    for _ in range(rounds):
        start = time.thread_time()
        step()
        times.append(time.thread_time() - start)
    return times


async def _waits(
    step: Callable[[], Awaitable[object]], clock: Callable[[], float] = time.thread_time
) -> list[float]:
    times = []
    for _ in range(_ROUNDS):
        start = clock()
        await step()
        times.append(clock() - start)
    return times


def _answer(name: str, kind: canonical.Kind, catalogue: Catalogue) -> bytes:
    schema = SCHEMAS[name]  # type: ignore[index]
    entries = (
        [schema.render_order(order) for order in catalogue.orders[:_PAGE]]
        if kind == "orders"
        else [schema.render[kind](item) for item in catalogue.items[:_PAGE]]
    )
    return json.dumps(schema.envelope(kind, entries, Window(0, _PAGE, 1000))).encode()


def _transformations() -> dict[str, float]:
    """Time pages of 50 entries of each marketplace, the slowest kind of each."""
    figures = {}
    for name, place in MARKETPLACES.items():
        mapper, catalogue = mapping.Mapper(place), Catalogue(name, 1, 1000)
        slowest = 0.0
        for kind in canonical.KINDS:
            content = _answer(name, kind, catalogue)
            times = _times(lambda m=mapper, k=kind, c=content: m.page(k, c, None, _PAGE), 300)  # type: ignore[misc]
            slowest = max(slowest, _quantile(times, 0.99))
        figures[f"transformation_{name}_p99_microseconds"] = slowest
    figures["transformation_worst_p99_microseconds"] = max(figures.values())
    return figures


async def _breaker() -> dict[str, float]:
    closed = upstream.Breaker("closed", failures=5, seconds=60)
    opened = upstream.Breaker("opened", failures=1, seconds=3600)

    async def pass_through() -> None:
        async with closed():
            pass

    async def refused() -> None:
        try:
            async with opened():
                raise upstream.Failed("on purpose")
        except upstream.CallError:
            pass

    await refused()
    return {
        "breaker_closed_p99_microseconds": _quantile(await _waits(pass_through), 0.99),
        "breaker_open_p99_microseconds": _quantile(await _waits(refused), 0.99),
    }


class _Given:
    """Keys that are there already."""

    def __init__(self, document: bytes) -> None:
        self._document = document

    async def read(self) -> bytes:
        return self._document


async def _verification(redis: Redis) -> dict[str, float]:
    identity = Identity(seed=1)
    tokens = iter(
        identity.token(TokenRequest(tenant=f"shop-{number}")).access_token
        for number in range(_ROUNDS + 10)
    )
    keys = auth.Keys(_Given(identity.keys.model_dump_json().encode()))
    verifier = auth.Verifier(keys, ISSUER, AUDIENCE)
    known = f"Bearer {next(tokens)}"
    await verifier.verify(known)
    fresh = [f"Bearer {token}" for token in tokens]
    each = iter(fresh)
    connections = store.Store(pydantic.RedisDsn(redis.url), pydantic.SecretStr(PASSWORD))
    tenants = limits.Limits(connections, 1e6, {})

    async def whole() -> None:
        await tenants.take((await verifier.verify(known)).tenant)

    token_known = await _waits(lambda: verifier.verify(known))
    token_new = await _waits(lambda: verifier.verify(next(each)))
    # Token and rate limit, with the way to Redis and back: on a full machine mostly waiting.
    processor = await _waits(whole)
    wall = await _waits(whole, time.perf_counter)
    await connections.close()
    return {
        "token_known_p99_microseconds": _quantile(token_known, 0.99),
        "token_new_p99_microseconds": _quantile(token_new, 0.99),
        "verification_cpu_p99_microseconds": _quantile(processor, 0.99),
        "verification_p50_microseconds": _quantile(wall, 0.50),
        "verification_p99_microseconds": _quantile(wall, 0.99),
    }


def _webhook() -> float:
    body = trendyol_event(1, "Created")
    headers = {name.lower(): value for name, value in signed("trendyol", body).items()}
    secrets = [SECRETS["trendyol"].encode(), b"another"]

    def verify() -> None:
        claim = SOURCES["trendyol"].claim(headers)
        signature.verify(claim, body, secrets, time.time(), 300)

    return _quantile(_times(verify), 0.99)


def main() -> None:
    """Measure and write out/bench/gateway_units.json."""
    figures = _transformations() | asyncio.run(_breaker())
    with tempfile.TemporaryDirectory(prefix="tenfold-bench-") as folder:
        redis = Redis(Path(folder))
        redis.start()
        try:
            figures |= asyncio.run(_verification(redis))
        finally:
            redis.kill()
    figures["webhook_signature_p99_microseconds"] = _webhook()
    print(report.write("gateway_units", figures))


if __name__ == "__main__":
    main()
