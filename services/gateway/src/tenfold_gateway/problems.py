"""Errors as RFC 9457 problem documents.

The type is a URN: it names the problem for programs and, unlike a link, cannot go dead.
"""

import http
from collections.abc import Mapping

import fastapi
import pydantic
import structlog
from fastapi import exceptions, responses
from starlette.exceptions import HTTPException

from tenfold_gateway import store

MEDIA_TYPE = "application/problem+json"

_log = structlog.get_logger(__name__)


class FieldProblem(pydantic.BaseModel):
    """One part of the request that was not valid."""

    field: str
    detail: str


class Problem(pydantic.BaseModel):
    """An RFC 9457 problem document."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    errors: list[FieldProblem] | None = None


def response(problem: Problem, headers: Mapping[str, str] | None = None) -> responses.Response:
    """Turn a problem into the answer that carries it."""
    return responses.Response(
        problem.model_dump_json(exclude_none=True),
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def install(app: fastapi.FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.exception_handler(store.StoreError)(_store_error)
    app.exception_handler(exceptions.RequestValidationError)(_invalid_request)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(Exception)(_unexpected)


def _store_error(request: fastapi.Request, error: store.StoreError) -> responses.Response:
    problem = Problem(
        type=f"urn:tenfold:problem:{error.code}",
        title=error.title,
        # 503 says that nothing was done; 504 that Redis did not tell whether it was.
        status=503 if error.safe_to_repeat else 504,
        detail=str(error),
        instance=request.url.path,
    )
    return response(problem, {"Retry-After": "1"} if error.safe_to_repeat else None)


def _invalid_request(
    request: fastapi.Request, error: exceptions.RequestValidationError
) -> responses.Response:
    fields = [
        FieldProblem(field=".".join(map(str, mistake["loc"])), detail=mistake["msg"])
        for mistake in error.errors()
    ]
    return response(
        Problem(
            type="urn:tenfold:problem:invalid-request",
            title="The request is not valid",
            status=422,
            detail="; ".join(f"{field.field}: {field.detail}" for field in fields),
            instance=request.url.path,
            errors=fields,
        )
    )


def _http_error(request: fastapi.Request, error: HTTPException) -> responses.Response:
    title = http.HTTPStatus(error.status_code).phrase
    return response(
        Problem(
            title=title,
            status=error.status_code,
            detail=f"{request.method} {request.url.path}: {error.detail}",
            instance=request.url.path,
        ),
        error.headers,
    )


def _unexpected(request: fastapi.Request, error: Exception) -> responses.Response:
    # The cause goes to the log only: an answer must not tell of the service's insides.
    _log.error("request failed", path=request.url.path, exc_info=error)
    return response(
        Problem(
            type="urn:tenfold:problem:internal-error",
            title="Internal error",
            status=500,
            detail="The gateway failed to answer; its log has the cause.",
            instance=request.url.path,
        )
    )
