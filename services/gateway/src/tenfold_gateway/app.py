"""The HTTP interface, and what it holds while it runs."""

import asyncio
import contextlib
import pathlib
from collections.abc import AsyncIterator
from importlib import metadata

import tenfold_cache
from starlette import applications
from tenfold_runtime import api, middleware

from tenfold_gateway import (
    auth,
    counters,
    idempotency,
    limits,
    metrics,
    routes,
    settings,
    store,
    upstream,
)
from tenfold_gateway.marketplaces import MARKETPLACES

# It shares the loop with requests.
_WARMING_LOADS = 1

VERSION = metadata.version("tenfold-gateway")


def create_app(
    config: settings.Settings,
    redis: store.Store,
    orders: store.Store,
    lifecycle: middleware.Lifecycle,
    counted: counters.Counters,
    products: tenfold_cache.Cache,
) -> applications.Starlette:
    """Assemble the application around its stores and a cache, whose connections it closes.

    `orders` is where idempotency keys are kept; it may be the same store.
    """
    served: dict[str, routes.Served] = {}

    @contextlib.asynccontextmanager
    async def lifespan(_: applications.Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for connections in {redis, orders}:
                stack.push_async_callback(connections.close)
            await stack.enter_async_context(products)
            for name, place in config.upstreams.items():
                calls = upstream.Upstream(name, place)
                stack.push_async_callback(calls.close)
                served[name] = routes.Served(MARKETPLACES[name], calls)
            if products.l3 is not None:
                warmer = tenfold_cache.Warmer(
                    products, marketplaces.load, loads_at_once=_WARMING_LOADS
                )
                warming = asyncio.create_task(warmer.run())
                stack.callback(warming.cancel)
            yield

    marketplaces = routes.Routes(
        served,
        auth.Verifier(_keys(config), config.issuer, config.audience),
        limits.Limits(redis, config.tenant_requests_per_second, config.tenant_limits),
        idempotency.Once(orders),
        products,
    )
    return api.create(
        [*counters.endpoints(counted), *marketplaces.endpoints()],
        lifecycle,
        title="Tenfold gateway",
        version=VERSION,
        revision=config.revision,
        prefix=metrics.PREFIX,
        max_requests_in_flight=config.max_requests_in_flight,
        lifespan=lifespan,
    )


def _keys(config: settings.Settings) -> auth.Keys | None:
    if config.jwks is None:
        return None
    if isinstance(config.jwks, pathlib.Path):
        return auth.Keys(auth.KeyFile(config.jwks))
    return auth.Keys(auth.KeyAddress(str(config.jwks)))
