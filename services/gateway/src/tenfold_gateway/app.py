"""The HTTP interface."""

import contextlib
from collections.abc import AsyncIterator
from importlib import metadata
from typing import Annotated, Protocol

import fastapi
import pydantic

from tenfold_gateway import middleware, problems

VERSION = metadata.version("tenfold-gateway")

_Name = Annotated[
    str,
    fastapi.Path(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$",
        description="Lower-case letters, digits, dots, dashes and underscores; at most 63.",
    ),
]
_PROBLEM = {"model": problems.Problem, "content": {problems.MEDIA_TYPE: {}}}


class Counters(Protocol):
    """Where counters are kept; raises `store.StoreError` for what did not succeed."""

    async def increment(self, name: str) -> int:
        """Add one and return the new value."""

    async def read(self, name: str) -> int:
        """Return the value, 0 before the first increment."""

    async def close(self) -> None:
        """Give up what is held."""


class Counter(pydantic.BaseModel):
    """A counter and its value."""

    name: str
    value: int


class Info(pydantic.BaseModel):
    """Which build of the service answers."""

    version: str
    revision: str


class Status(pydantic.BaseModel):
    """The answer to a probe."""

    status: str


def create_app(
    counters: Counters,
    lifecycle: middleware.Lifecycle,
    *,
    revision: str,
    max_requests_in_flight: int,
) -> fastapi.FastAPI:
    """Assemble the application around counters, which it closes at its end."""

    @contextlib.asynccontextmanager
    async def lifespan(_: fastapi.FastAPI) -> AsyncIterator[None]:
        yield
        await counters.close()

    app = fastapi.FastAPI(
        title="Tenfold gateway",
        version=VERSION,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        # The bundled pages load their scripts from a public site.
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.add_middleware(
        middleware.Admit,
        lifecycle=lifecycle,
        max_requests_in_flight=max_requests_in_flight,
    )
    app.add_middleware(middleware.Measure)
    _add_probes(app, lifecycle)
    _add_counters(app, counters)

    @app.get("/v1/info")
    async def info() -> Info:
        """Tell the version and the revision that the rollout gave this replica."""
        return Info(version=VERSION, revision=revision)

    return app


def _add_probes(app: fastapi.FastAPI, lifecycle: middleware.Lifecycle) -> None:
    @app.get("/healthz")
    async def healthz() -> Status:
        """Tell that the process answers."""
        return Status(status="up")

    # Redis away does not make a replica unready: all replicas share it, so the gateway would
    # vanish as a whole instead of saying what is wrong.
    @app.get("/readyz", responses={503: {"model": Status}})
    async def readyz(response: fastapi.Response) -> Status:
        """Tell whether new requests are wanted."""
        if lifecycle.draining:
            response.status_code = 503
            return Status(status="draining")
        return Status(status="ready")


def _add_counters(app: fastapi.FastAPI, counters: Counters) -> None:
    router = fastapi.APIRouter(
        prefix="/v1/counters", responses={422: _PROBLEM, 503: _PROBLEM, 504: _PROBLEM}
    )

    @router.get("/{name}")
    async def read(name: _Name) -> Counter:
        """Read a counter; one that was never incremented is 0."""
        return Counter(name=name, value=await counters.read(name))

    @router.post("/{name}")
    async def increment(name: _Name) -> Counter:
        """Add one to a counter. Not to be repeated after a 504, which may have counted."""
        return Counter(name=name, value=await counters.increment(name))

    app.include_router(router)
