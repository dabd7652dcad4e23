"""One simulated marketplace over HTTP: its schema, its catalogue, its behaviour."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import pydantic_core
from starlette import requests, responses, routing
from tenfold_runtime import middleware

from tenfold_marketplaces import metrics
from tenfold_marketplaces.behaviour import Behaviour, Upstream
from tenfold_marketplaces.catalogue import Catalogue
from tenfold_marketplaces.schemas.base import BadRequest, Json, Kind, Query, Schema, Window

_KINDS: tuple[Kind, ...] = ("products", "prices", "stock", "orders")


class Marketplace:
    """Answers as one marketplace does."""

    def __init__(self, schema: Schema, behaviour: Behaviour, seed: int, products: int) -> None:
        self.upstream = Upstream(behaviour, f"{seed}:{schema.name}:behaviour")
        self.catalogue = Catalogue(schema.name, seed, products)
        self._schema = schema
        # The load is on the gateway: an answer that did not change is not made again.
        self._encoded: dict[str, bytes] = {}

    def routes(self) -> list[routing.BaseRoute]:
        """Return the marketplace's own paths."""
        found: list[routing.BaseRoute] = []
        for kind in _KINDS:
            path = self._schema.paths[kind]
            found.append(routing.Route(path, self._endpoint(kind), methods=["GET", "POST"]))
            one = f"{path}/{{key}}"
            found.append(routing.Route(one, self._endpoint(kind), methods=["GET", "PUT"]))
        return found

    def _endpoint(self, kind: Kind) -> Callable[[requests.Request], Awaitable[responses.Response]]:
        async def handle(request: requests.Request) -> responses.Response:
            request.scope[middleware.ROUTE] = f"/{self._schema.name}/{kind}"
            response = await self._judged(kind, request)
            metrics.ANSWERS.labels(self._schema.name, kind, response.status_code).inc()
            return response

        return handle

    async def _judged(self, kind: Kind, request: requests.Request) -> responses.Response:
        verdict = self.upstream.judge(time.monotonic())
        if verdict.status == 200:
            # Done first and told later, as where an answer is lost on its way.
            response = await self._answer(kind, request)
            await asyncio.sleep(verdict.delay_seconds)
            return response
        await asyncio.sleep(verdict.delay_seconds)
        retry = verdict.retry_after_seconds
        headers = {"Retry-After": str(retry)} if retry is not None else None
        return self._error(verdict.status, "simulated", headers)

    async def _answer(self, kind: Kind, request: requests.Request) -> responses.Response:
        key = request.path_params.get("key")
        try:
            if request.method == "GET":
                return self._read(kind, key, request)
            body = _parsed(await request.body())
            changed = self._order(body) if key is None else self._write(kind, key, body)
        except BadRequest as error:
            return self._error(400, str(error))
        except KeyError as error:
            return self._error(404, f"{error.args[0]} is unknown")
        self._encoded.clear()
        return _json(pydantic_core.to_json(changed), 201 if key is None else 200)

    def _read(self, kind: Kind, key: str | None, request: requests.Request) -> responses.Response:
        name = f"{request.url.path}?{request.url.query}"
        if name not in self._encoded:
            found = self._page(kind, request.query_params) if key is None else self._one(kind, key)
            self._encoded[name] = pydantic_core.to_json(found)
        return _json(self._encoded[name], 200)

    def _page(self, kind: Kind, query: Query) -> Json:
        schema = self._schema
        if kind == "orders":
            total = len(self.catalogue.orders)
            offset, limit = schema.window(query, total)
            orders = self.catalogue.orders[offset : offset + limit]
            entries = [schema.render_order(order) for order in orders]
        else:
            total = len(self.catalogue.items)
            offset, limit = schema.window(query, total)
            render = schema.render[kind]
            entries = [render(item) for item in self.catalogue.items[offset : offset + limit]]
        return schema.envelope(kind, entries, Window(offset, limit, total))

    def _one(self, kind: Kind, key: str) -> Json:
        if kind == "orders":
            order = self.catalogue.order(key)
            if order is None:
                raise KeyError(key)
            return self._schema.render_order(order)
        item = self.catalogue.item(key)
        if item is None:
            raise KeyError(key)
        return self._schema.render[kind](item)

    def _write(self, kind: Kind, key: str, body: Json) -> Json:
        if kind == "prices":
            item = self.catalogue.reprice(key, *self._schema.read_price(body))
        elif kind == "stock":
            item = self.catalogue.restock(key, self._schema.read_stock(body))
        else:
            raise BadRequest(f"{kind} cannot be written")
        return self._schema.render[kind](item)

    def _order(self, body: Json) -> Json:
        reference, lines = self._schema.read_order(body)
        return self._schema.render_order(self.catalogue.take_order(reference, lines))

    def _error(
        self, status: int, message: str, headers: dict[str, str] | None = None
    ) -> responses.Response:
        content = pydantic_core.to_json(self._schema.error(status, message))
        return _json(content, status, headers)


def _parsed(body: bytes) -> Json:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(found, dict):
        raise BadRequest("the body is not an object")
    return found


def _json(content: bytes, status: int, headers: dict[str, str] | None = None) -> responses.Response:
    return responses.Response(
        content, status_code=status, headers=headers, media_type="application/json"
    )
