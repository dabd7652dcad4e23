"""The marketplaces' endpoints: verify, limit, call, map."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Literal, Protocol

import pydantic
import tenfold_cache
from starlette import requests, responses
from tenfold_runtime import api, problems

from tenfold_gateway import auth, canonical, idempotency, limits, mapping, metrics, upstream

_UPSTREAM_PROBLEMS = (401, 403, 404, 422, 429, 502, 503, 504)

Scope = Literal["read", "write"]


class List(pydantic.BaseModel):
    """Which part of a list."""

    marketplace: str
    cursor: Annotated[str, pydantic.Field(max_length=512)] | None = None
    limit: int = pydantic.Field(default=50, ge=1, le=200)


class One(pydantic.BaseModel):
    """Which entry: by SKU, an order by its id."""

    marketplace: str
    # It becomes a part of a path at the marketplace.
    key: str = pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")


class Place(pydantic.BaseModel):
    """Where an order goes."""

    marketplace: str


# What a cache's key is of: KIND:MARKETPLACE:one:KEY or KIND:MARKETPLACE:list:LIMIT:CURSOR.
_ONE, _LIST = "one", "list"

Load = Callable[[], Awaitable[bytes | None]]


class Reads(Protocol):
    """Where reads of products go through: `tenfold_cache.Cache`, or nothing between."""

    async def get(self, key: str, load: Load) -> bytes | None:
        """Return what is at the key, or what `load` returns; None where there is no such thing."""


class Uncached:
    """Reads that go to the marketplace each time."""

    async def get(self, key: str, load: Load) -> bytes | None:
        """Return what `load` returns."""
        return await load()


class Served:
    """A marketplace that this gateway serves."""

    def __init__(self, declared: mapping.Marketplace, calls: upstream.Upstream) -> None:
        self.declared = declared
        self.mapper = mapping.Mapper(declared)
        self.calls = calls

    async def page(self, kind: canonical.Kind, cursor: str | None, limit: int) -> bytes:
        """Ask the marketplace for a part of a list."""
        query = self.mapper.query(cursor, limit)
        path = self.declared.resources[kind].path
        content = await self.calls.call(kind, "GET", path, query=query)
        return self.mapper.page(kind, content, cursor, limit)

    async def entry(self, kind: canonical.Kind, key: str) -> bytes | None:
        """Ask the marketplace for one entry; None where it knows no such one."""
        path = f"{self.declared.resources[kind].path}/{key}"
        try:
            return self.mapper.entry(kind, await self.calls.call(kind, "GET", path))
        except upstream.Unknown:
            return None


class Routes:
    """The endpoints of all marketplaces that are served."""

    def __init__(
        self,
        served: Mapping[str, Served],
        verifier: auth.Verifier,
        tenants: limits.Limits,
        once: idempotency.Once,
        products: Reads,
    ) -> None:
        """Serve these marketplaces; the mapping may be filled later, before the first request."""
        self._served = served
        self._verifier = verifier
        self._tenants = tenants
        self._once = once
        self._reads: dict[canonical.Kind, Reads] = {
            # Prices, stock and orders have to be what they are now.
            kind: products if kind == "products" else Uncached()
            for kind in canonical.KINDS
        }

    def endpoints(self) -> list[api.Endpoint]:
        """Return all endpoints."""
        models: dict[canonical.Kind, tuple[type[pydantic.BaseModel], type[pydantic.BaseModel]]] = {
            "products": (canonical.Product, canonical.Page[canonical.Product]),
            "prices": (canonical.Price, canonical.Page[canonical.Price]),
            "stock": (canonical.Stock, canonical.Page[canonical.Stock]),
            "orders": (canonical.Order, canonical.Page[canonical.Order]),
        }
        reading = [
            endpoint
            for kind, (entry, page) in models.items()
            for endpoint in (self._list(kind, page), self._one(kind, entry))
        ]
        return [*reading, self._put_price(), self._put_stock(), self._post_order()]

    async def load(self, key: str) -> bytes | None:
        """Ask the marketplace for what a key of the cache stands for."""
        _, name, form, wanted = key.split(":", 3)
        place = self._at(name)
        if form == _ONE:
            return await place.entry("products", wanted)
        limit, _, cursor = wanted.partition(":")
        return await place.page("products", cursor or None, int(limit))

    async def _admit(self, request: requests.Request, scope: Scope) -> auth.Principal:
        """Verify the token and count the request."""
        start = time.perf_counter()
        try:
            principal = await self._verifier.verify(request.headers.get("authorization"))
            if scope not in principal.scopes:
                raise auth.Forbidden(f"The token needs the scope {scope!r}.")
            await self._tenants.take(principal.tenant)
            return principal
        finally:
            metrics.VERIFICATION_SECONDS.observe(time.perf_counter() - start)

    async def _read(self, kind: canonical.Kind, key: str, load: Load) -> bytes | None:
        try:
            return await self._reads[kind].get(key, load)
        except tenfold_cache.LoadTimeout as error:
            raise upstream.Silent("The marketplace did not answer in time.") from error

    def _at(self, name: str) -> Served:
        if name not in self._served:
            raise problems.ProblemError(
                404,
                "unknown-marketplace",
                "No such marketplace",
                f"Served here: {', '.join(self._served) or 'none; set TENFOLD_UPSTREAMS'}.",
            )
        return self._served[name]

    def _list(self, kind: canonical.Kind, model: type[pydantic.BaseModel]) -> api.Endpoint:
        async def handle(request: requests.Request, wanted: List) -> responses.Response:
            await self._admit(request, "read")
            place = self._at(wanted.marketplace)
            # A bad cursor is refused before a key is made of it.
            place.mapper.query(wanted.cursor, wanted.limit)

            async def load() -> bytes:
                return await place.page(kind, wanted.cursor, wanted.limit)

            key = f"{kind}:{place.declared.name}:{_LIST}:{wanted.limit}:{wanted.cursor or ''}"
            page = await self._read(kind, key, load)
            assert page is not None  # noqa: S101 (an empty list is a page too)
            return api.encoded(page)

        return api.Endpoint(
            "GET",
            f"/v1/{{marketplace}}/{kind}",
            handle,
            List,
            summary=f"List {kind} of a marketplace.",
            answer=model,
            problems=_UPSTREAM_PROBLEMS,
            secured=True,
        )

    def _one(self, kind: canonical.Kind, model: type[pydantic.BaseModel]) -> api.Endpoint:
        async def handle(request: requests.Request, wanted: One) -> responses.Response:
            await self._admit(request, "read")
            place = self._at(wanted.marketplace)

            async def load() -> bytes | None:
                return await place.entry(kind, wanted.key)

            key = f"{kind}:{place.declared.name}:{_ONE}:{wanted.key}"
            entry = await self._read(kind, key, load)
            if entry is None:
                raise upstream.Unknown(f"{place.declared.name} knows no {wanted.key} in {kind}.")
            return api.encoded(entry)

        return api.Endpoint(
            "GET",
            f"/v1/{{marketplace}}/{kind}/{{key}}",
            handle,
            One,
            summary=f"Read one entry of a marketplace's {kind}.",
            answer=model,
            problems=_UPSTREAM_PROBLEMS,
            secured=True,
        )

    def _put_price(self) -> api.Endpoint:
        async def handle(request: requests.Request, wanted: One) -> responses.Response:
            await self._admit(request, "write")
            place = self._at(wanted.marketplace)
            price = await api.read_body(request, canonical.NewPrice)
            _same_currency(place, price.currency)
            return await self._put(place, "prices", wanted.key, place.declared.price(price))

        return self._writing("prices", handle, canonical.NewPrice, canonical.Price)

    def _put_stock(self) -> api.Endpoint:
        async def handle(request: requests.Request, wanted: One) -> responses.Response:
            await self._admit(request, "write")
            place = self._at(wanted.marketplace)
            stock = await api.read_body(request, canonical.NewStock)
            return await self._put(place, "stock", wanted.key, place.declared.stock(stock))

        return self._writing("stock", handle, canonical.NewStock, canonical.Stock)

    async def _put(
        self, place: Served, kind: canonical.Kind, key: str, body: mapping.Body
    ) -> responses.Response:
        path = f"{place.declared.resources[kind].path}/{key}"
        content = await place.calls.call(kind, "PUT", path, body=body)
        return api.encoded(place.mapper.entry(kind, content))

    def _writing(
        self,
        kind: canonical.Kind,
        handle: api.Handle[One],
        body: type[pydantic.BaseModel],
        answer: type[pydantic.BaseModel],
    ) -> api.Endpoint:
        return api.Endpoint(
            "PUT",
            f"/v1/{{marketplace}}/{kind}/{{key}}",
            handle,
            One,
            summary=f"Set a product's {kind}.",
            answer=answer,
            body=body,
            problems=_UPSTREAM_PROBLEMS,
            secured=True,
        )

    def _post_order(self) -> api.Endpoint:
        async def handle(request: requests.Request, wanted: Place) -> responses.Response:
            principal = await self._admit(request, "write")
            place = self._at(wanted.marketplace)
            key = idempotency.key(request.headers.get(idempotency.HEADER))
            order = await api.read_body(request, canonical.NewOrder)
            _same_currency(place, order.currency)

            async def send() -> bytes:
                content = await place.calls.call(
                    "orders",
                    "POST",
                    place.declared.resources["orders"].path,
                    body=place.declared.order(order, key),
                    repeatable=False,
                )
                return place.mapper.entry("orders", content)

            name = f"{principal.tenant}:{place.declared.name}:{key}"
            return api.encoded(await self._once.run(name, await request.body(), send), 201)

        return api.Endpoint(
            "POST",
            "/v1/{marketplace}/orders",
            handle,
            Place,
            summary="Place an order, once for each idempotency key; the key is its reference.",
            answer=canonical.Order,
            body=canonical.NewOrder,
            status=201,
            problems=(*_UPSTREAM_PROBLEMS, 409),
            secured=True,
            headers=(idempotency.HEADER,),
        )


def _same_currency(place: Served, currency: canonical.Currency) -> None:
    if currency != place.declared.currency:
        detail = f"{place.declared.name} takes {place.declared.currency}"
        raise problems.ProblemError(
            422,
            "invalid-request",
            "The request is not valid",
            f"body.currency: {detail}",
            errors=[problems.FieldProblem(field="body.currency", detail=detail)],
        )
