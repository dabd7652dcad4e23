"""The read-only JSON API under /api/v1."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from tenfold_operator.console import events, history, questions
from tenfold_operator.console.decisions import Search, search
from tenfold_operator.console.details import Details
from tenfold_operator.console.feed import Feed
from tenfold_operator.console.guard import Handler
from tenfold_operator.console.history import Historian, Window
from tenfold_operator.console.openapi import document
from tenfold_operator.console.questions import Questions
from tenfold_operator.console.source import Source
from tenfold_operator.console.views import Problem
from tenfold_operator.model.base import JsonObject, Model
from tenfold_operator.model.generated import AnomalyDetector, RedisTier, Workload
from tenfold_operator.model.manifest import Ref

PREFIX = "/api/v1"
PLURALS = {
    "workloads": "Workload",
    "redistiers": "RedisTier",
    "anomalydetectors": "AnomalyDetector",
}
Query = TypeVar("Query", bound=BaseModel)


class Span(BaseModel):
    """Which past is asked for: the last minutes, or one failed attempt of a Workload."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: Annotated[Literal[15, 60, 360, 1440], BeforeValidator(int)] = 60
    attempt: int | None = None


class Api:
    """Answers requests out of what is known."""

    def __init__(self, source: Source, feed: Feed, historian: Historian) -> None:
        self._source = source
        self._feed = feed
        self._historian = historian
        self._details = Details(source)
        self._document = document()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes; all of them only read."""
        one = f"{PREFIX}/{{plural}}/{{namespace}}/{{name}}"
        return [
            web.get(f"{PREFIX}/openapi.json", self._openapi),
            web.get(f"{PREFIX}/overview", self._overview),
            web.get(f"{PREFIX}/events", self._events),
            web.get(f"{PREFIX}/decisions", self._decisions),
            web.get(one, self._detail),
            web.get(f"{one}/history", self._history),
        ]

    async def _openapi(self, _: web.Request) -> web.Response:
        return web.json_response(self._document)

    async def _overview(self, _: web.Request) -> web.Response:
        return _json(await self._feed.overview())

    async def _events(self, request: web.Request) -> web.StreamResponse:
        return await events.stream(request, self._feed)

    async def _decisions(self, request: web.Request) -> web.Response:
        return _json(search(self._source.journal, _query(request, Search)))

    async def _detail(self, request: web.Request) -> web.Response:
        found = self._details.read(ref := _ref(request))
        if found is None:
            raise _gone(ref)
        return web.Response(body=found, content_type="application/json")

    async def _history(self, request: web.Request) -> web.Response:
        ref, span = _ref(request), _query(request, Span)
        manifest = self._source.manifest(ref)
        if manifest is None:
            raise _gone(ref)
        window = _window(ref, manifest, span, self._historian.now())
        asked = _QUESTIONS[ref.kind](manifest, window)
        return _json(await self._historian.ask(asked, window))


_QUESTIONS: dict[str, Callable[[JsonObject, Window], Questions]] = {
    "Workload": lambda found, window: questions.of_workload(
        Workload.model_validate(found), window.step_seconds
    ),
    "RedisTier": lambda found, _: questions.of_tier(RedisTier.model_validate(found)),
    "AnomalyDetector": lambda found, _: questions.of_detector(
        AnomalyDetector.model_validate(found)
    ),
}


def _window(ref: Ref, manifest: JsonObject, span: Span, now: datetime) -> Window:
    if span.attempt is None:
        return history.last_minutes(span.minutes, now)
    failed = Workload.model_validate(manifest).status.failed_revisions if _is_workload(ref) else ()
    for each in failed:
        if each.attempt == span.attempt:
            return history.around(each.start_time or each.time, each.time, now)
    raise web.HTTPNotFound(text=f"{ref} has no failed attempt {span.attempt}")


def _is_workload(ref: Ref) -> bool:
    return ref.kind == "Workload"


def _ref(request: web.Request) -> Ref:
    given = request.match_info
    if given["plural"] not in PLURALS:
        raise web.HTTPNotFound(text=f"there are {', '.join(PLURALS)}, not {given['plural']}")
    return Ref(PLURALS[given["plural"]], given["namespace"], given["name"])


def _query(request: web.Request, model: type[Query]) -> Query:
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise web.HTTPBadRequest(text=f"{where}: {problem['msg']}") from error


def _gone(ref: Ref) -> web.HTTPNotFound:
    return web.HTTPNotFound(text=f"there is no {ref}, or the operator has not seen it yet")


def _json(found: Model) -> web.Response:
    text = found.model_dump_json(by_alias=True, exclude_none=True)
    return web.Response(text=text, content_type="application/json")


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what went wrong as JSON where JSON was asked for."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if not request.path.startswith("/api/") or error.status < 400:
            raise
        title, detail, status = error.reason, error.text or "", error.status
        headers = {
            name: error.headers[name]
            for name in ("WWW-Authenticate", "Retry-After", "Allow")
            if name in error.headers
        }
    except ValidationError as error:
        title, status, headers = "Unprocessable", 422, {}
        detail = f"the resource does not fit its definition: {error.errors()[0]['msg']}"
    body = Problem(title=title, detail=detail).model_dump_json()
    return web.Response(
        text=body, status=status, headers=headers, content_type="application/problem+json"
    )
