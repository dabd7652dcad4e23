"""The HTTP interface."""

import contextlib
from collections.abc import AsyncIterator
from importlib import metadata

from starlette import applications
from tenfold_runtime import api, middleware

from tenfold_gateway import counters, metrics

VERSION = metadata.version("tenfold-gateway")


def create_app(
    kept: counters.Counters,
    lifecycle: middleware.Lifecycle,
    *,
    revision: str,
    max_requests_in_flight: int,
) -> applications.Starlette:
    """Assemble the application."""

    @contextlib.asynccontextmanager
    async def lifespan(_: applications.Starlette) -> AsyncIterator[None]:
        yield

    return api.create(
        counters.endpoints(kept),
        lifecycle,
        title="Tenfold gateway",
        version=VERSION,
        revision=revision,
        prefix=metrics.PREFIX,
        max_requests_in_flight=max_requests_in_flight,
        lifespan=lifespan,
    )
