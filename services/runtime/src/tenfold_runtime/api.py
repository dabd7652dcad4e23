"""Endpoints as data: routing, validation and OpenAPI come from one declaration.

Starlette and pydantic without a framework between them: FastAPI's way through a request cost
100 of the gateway's 207 microseconds without Redis (docs/services.md has the measurements).
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import pydantic
import pydantic_core
import structlog
from starlette import applications, requests, responses, routing, types
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from tenfold_runtime import metrics, middleware, openapi, problems

_log = structlog.get_logger(__name__)


class NoParameters(pydantic.BaseModel):
    """Parameters of an endpoint that has none."""


Parameters = TypeVar("Parameters", bound=pydantic.BaseModel)
Body = TypeVar("Body", bound=pydantic.BaseModel)
Handle = Callable[[requests.Request, Parameters], Awaitable[responses.Response]]


class Endpoint:
    """One operation of a service.

    `parameters` has a field for each parameter; those that the path names are in the path, the
    others in the query. `body` and `answer` are for the document: a handler reads its body by
    `read_body`, so that it can decide first whether it wants one.
    """

    def __init__(
        self,
        method: str,
        path: str,
        handle: Handle[Parameters],
        parameters: type[Parameters],
        *,
        summary: str,
        answer: type[pydantic.BaseModel],
        body: type[pydantic.BaseModel] | None = None,
        status: int = 200,
        problems: tuple[int, ...] = (),
        secured: bool = False,
        headers: tuple[str, ...] = (),
    ) -> None:
        self.method = method
        self.path = path
        self.parameters: type[pydantic.BaseModel] = parameters
        self.summary = summary
        self.answer = answer
        self.body = body
        self.status = status
        self.problems = problems
        self.secured = secured
        self.headers = headers
        self.route = _route(method, path, handle, parameters)


class Status(pydantic.BaseModel):
    """The answer to a probe."""

    status: str


class Info(pydantic.BaseModel):
    """Which build of the service answers."""

    version: str
    revision: str


def answer(model: pydantic.BaseModel, status: int = 200) -> responses.Response:
    """Return a model as JSON."""
    return encoded(pydantic_core.to_json(model), status)


def encoded(content: bytes, status: int = 200) -> responses.Response:
    """Return JSON that is encoded already."""
    return responses.Response(content, status_code=status, media_type="application/json")


async def read_body(request: requests.Request, model: type[Body]) -> Body:
    """Read and validate a JSON body; raises the problem that names each bad field."""
    try:
        return model.model_validate_json(await request.body())
    except pydantic.ValidationError as error:
        raise problems.invalid(error, "body") from error


def create(
    endpoints: Sequence[Endpoint],
    lifecycle: middleware.Lifecycle,
    *,
    title: str,
    version: str,
    revision: str,
    prefix: str,
    max_requests_in_flight: int,
    routes: Sequence[routing.BaseRoute] = (),
    lifespan: types.Lifespan[applications.Starlette] | None = None,
) -> applications.Starlette:
    """Assemble a service: its endpoints, probes, /v1/info and the OpenAPI document.

    `prefix` begins the names of its metrics. `routes` are what no document describes.
    """
    every = [*endpoints, *_common(lifecycle, Info(version=version, revision=revision))]
    document = pydantic_core.to_json(openapi.document(every, title, version))

    async def describe(_: requests.Request) -> responses.Response:
        return encoded(document)

    return applications.Starlette(
        routes=[
            *(endpoint.route for endpoint in every),
            *routes,
            routing.Route("/v1/openapi.json", describe),
        ],
        middleware=[
            Middleware(
                middleware.Envelope,
                lifecycle=lifecycle,
                requests=metrics.requests(prefix),
                max_requests_in_flight=max_requests_in_flight,
            )
        ],
        exception_handlers={
            problems.ProblemError: _problem,
            HTTPException: _http_error,
            Exception: _unexpected,
        },
        lifespan=lifespan,
    )


def _common(lifecycle: middleware.Lifecycle, build: Info) -> list[Endpoint]:
    async def healthz(_: requests.Request, __: NoParameters) -> responses.Response:
        return answer(Status(status="up"))

    # Redis away does not make a replica unready: all replicas share it, so the service would
    # vanish as a whole instead of saying what is wrong.
    async def readyz(_: requests.Request, __: NoParameters) -> responses.Response:
        if lifecycle.draining:
            return answer(Status(status="draining"), 503)
        return answer(Status(status="ready"))

    async def info(_: requests.Request, __: NoParameters) -> responses.Response:
        return answer(build)

    return [
        Endpoint(
            "GET",
            "/v1/info",
            info,
            NoParameters,
            summary="Tell the version and the revision that answers.",
            answer=Info,
        ),
        Endpoint(
            "GET",
            "/readyz",
            readyz,
            NoParameters,
            summary="Tell whether new requests are wanted; 503 when not.",
            answer=Status,
        ),
        Endpoint(
            "GET",
            "/healthz",
            healthz,
            NoParameters,
            summary="Tell that the process answers.",
            answer=Status,
        ),
    ]


def _route(
    method: str,
    path: str,
    handle: Handle[Parameters],
    parameters: type[Parameters],
) -> routing.Route:
    in_path = openapi.path_parameters(path)

    async def validated(request: requests.Request) -> responses.Response:
        request.scope[middleware.ROUTE] = path
        values = request.path_params
        if request.scope["query_string"]:
            values = {**request.query_params, **values}
        try:
            valid = parameters.model_validate(values)
        except pydantic.ValidationError as error:
            field = str(error.errors()[0]["loc"][0])
            raise problems.invalid(error, "path" if field in in_path else "query") from error
        return await handle(request, valid)

    # Starlette would answer HEAD too wherever GET is; a probe by HEAD is nobody's here.
    route = routing.Route(path, validated, methods=[method])
    route.methods = {method}
    return route


async def _problem(request: requests.Request, error: Exception) -> responses.Response:
    assert isinstance(error, problems.ProblemError)  # noqa: S101 (as it is registered)
    return problems.response(error.problem(request.url.path), error.headers)


async def _http_error(request: requests.Request, error: Exception) -> responses.Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (as it is registered)
    return problems.response(
        problems.Problem(
            title=error.detail,
            status=error.status_code,
            detail=f"{request.method} {request.url.path}: {error.detail}",
            instance=request.url.path,
        ),
        error.headers,
    )


async def _unexpected(request: requests.Request, error: Exception) -> responses.Response:
    # The cause goes to the log only: an answer must not tell of the service's insides.
    _log.error("request failed", path=request.url.path, exc_info=error)
    return problems.response(
        problems.Problem(
            type="urn:tenfold:problem:internal-error",
            title="Internal error",
            status=500,
            detail="The service failed to answer; its log has the cause.",
            instance=request.url.path,
        )
    )
