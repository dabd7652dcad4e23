"""The cache as the platform uses it, over a real Redis on loopback: latency and hit ratio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np
import prometheus_client
from numpy.typing import NDArray
from tenfold_cache import Cache, Lifetime, Settings, Tier

from tests.benchmarks.cache_policies import Keys

_BODY = b"x" * 2000
_LATENCY_GETS = 20_000
# The gateway's pods, each with a cache of its own, and the 10x goal in requests/s.
_PODS = 2
_GOAL_PER_SECOND = 834
# One change of a price or a stock to so many requests, for products as popular as those asked for.
_REQUESTS_AN_UPDATE = 200
# Products may be served this long, since a change is told at once.
_FRESH_SECONDS = 3600.0
# How many times faster than at the goal the profile is replayed at most; lifetimes shrink with it.
_SPEED = 10


@dataclass(frozen=True)
class Latency:
    """Quantiles of one tier's answers in seconds."""

    p50_seconds: float
    p99_seconds: float


async def _load() -> bytes:
    return _BODY


async def latencies(url: str) -> tuple[Latency, Latency]:
    """Measure a get that L1 answers, and one that L2 answers."""
    settings = Settings(l2=Tier(url=url, timeout_seconds=1.0), namespace="latency")
    keys = [f"product:{number}" for number in range(_LATENCY_GETS // 10)]
    async with _cache(settings) as cache:
        for key in keys:
            await cache.get(key, _load)

        l1 = await _time(lambda n: cache.get(keys[n % len(keys)], _load), _LATENCY_GETS)
    async with _cache(settings) as cold:
        l2 = await _time(lambda n: cold.get(keys[n], _load), len(keys))
    return l1, l2


async def hit_ratio(url: str, pages: Keys, requests: int, seed: int) -> float:
    """Return the share of gets that no load was needed for, over the second half of `requests`.

    Keys are drawn from Zipf's law with the number of keys and the exponent of `pages`.
    """
    random = np.random.default_rng(seed)
    asked = random.choice(len(np.unique(pages)), size=requests, p=zipf(pages))
    updated = random.choice(asked, size=requests // _REQUESTS_AN_UPDATE)
    lifetime = Lifetime(fresh_seconds=_FRESH_SECONDS / _SPEED)
    settings = Settings(
        l2=Tier(url=url, timeout_seconds=1.0),
        namespace="platform",
        lifetime=lifetime,
        memory_seconds=30.0 / _SPEED,
    )
    loads = 0

    async def load() -> bytes:
        nonlocal loads
        loads += 1
        return _BODY

    async with _cache(settings) as one, _cache(settings) as other:
        pods = (one, other)
        began = time.monotonic()
        loads_before = 0
        for number, key in enumerate(asked.tolist()):
            if number == requests // 2:
                loads_before = loads
            pod = pods[number % _PODS]
            await pod.get(f"product:{key}", load)
            if number % _REQUESTS_AN_UPDATE == 0:
                await pod.invalidate(f"product:{updated[number // _REQUESTS_AN_UPDATE]}")
                # Never faster than lifetimes were shrunk for.
                ahead = number / (_GOAL_PER_SECOND * _SPEED) - (time.monotonic() - began)
                await asyncio.sleep(max(0.0, ahead))
    return 1 - (loads - loads_before) / (requests - requests // 2)


def zipf(keys: Keys) -> NDArray[np.float64]:
    """Return the probability of each rank, with the likeliest exponent for how often keys occur."""
    counts = np.sort(np.unique(keys, return_counts=True)[1])[::-1]
    logs = np.log(np.arange(1, len(counts) + 1))
    exponents = np.linspace(0, 2, 201)
    likelihoods = [
        -exponent * (counts @ logs) - counts.sum() * np.log(np.exp(-exponent * logs).sum())
        for exponent in exponents
    ]
    weights: NDArray[np.float64] = np.exp(-exponents[int(np.argmax(likelihoods))] * logs)
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _cache(settings: Settings) -> Cache:
    return Cache(settings, prometheus_client.CollectorRegistry())


async def _time(get: Callable[[int], Awaitable[bytes | None]], number: int) -> Latency:
    seconds = np.empty(number)
    for index in range(number):
        began = time.perf_counter()
        await get(index)
        seconds[index] = time.perf_counter() - began
    p50, p99 = np.quantile(seconds, (0.5, 0.99))
    return Latency(float(p50), float(p99))
