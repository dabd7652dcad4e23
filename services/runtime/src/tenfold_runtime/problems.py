"""Errors as RFC 9457 problem documents.

The type is a URN: it names the problem for programs and, unlike a link, cannot go dead.
"""

from collections.abc import Mapping, Sequence

import pydantic
import pydantic_core
from starlette import responses

MEDIA_TYPE = "application/problem+json"


class FieldProblem(pydantic.BaseModel):
    """One part of the request, or of an upstream's answer, that was not valid."""

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


class ProblemError(Exception):
    """What could not be done, as the client is told it."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.title = title
        self.errors = errors
        self.headers = headers

    def problem(self, instance: str) -> Problem:
        """Return the document for the request at the path `instance`."""
        return Problem(
            type=f"urn:tenfold:problem:{self.code}",
            title=self.title,
            status=self.status,
            detail=str(self),
            instance=instance,
            errors=list(self.errors) or None,
        )


def invalid(error: pydantic.ValidationError, where: str) -> ProblemError:
    """Return the problem of a request whose part `where` (path, query, body) is not valid."""
    errors = fields(error, where)
    return ProblemError(
        422,
        "invalid-request",
        "The request is not valid",
        "; ".join(f"{entry.field}: {entry.detail}" for entry in errors),
        errors=errors,
    )


def fields(error: pydantic.ValidationError, *where: str) -> list[FieldProblem]:
    """Return each mistake with the path of its field; inputs are not quoted."""
    return [
        FieldProblem(field=".".join((*where, *map(str, mistake["loc"]))), detail=mistake["msg"])
        for mistake in error.errors(include_input=False, include_url=False)
    ]


def response(problem: Problem, headers: Mapping[str, str] | None = None) -> responses.Response:
    """Turn a problem into the answer that carries it."""
    return responses.Response(
        pydantic_core.to_json(problem, exclude_none=True),
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )
