"""Who loads the platform. Imported by Locust's own processes only (gevent patches them).

Each user sends one request a second: the number of users is the rate.
"""

import bisect
import itertools
import json
import os
import random
from typing import ClassVar

import locust
from locust.contrib import fasthttp

from tenfold_loadtests import plan as planning
from tenfold_loadtests import signing
from tenfold_loadtests.pacing import Paced

plan = planning.Plan.read()

_PAGE = 20
_ORDERS_PAGE = 5


def _popularity() -> list[float]:
    weights = (rank**-planning.ZIPF_EXPONENT for rank in range(1, plan.products + 1))
    return list(itertools.accumulate(weights))


_POPULARITY = _popularity()
# Every worker walks through all products once before it draws: a cache that has served for
# hours knows them, and the first minutes of one that has not are no measure.
_WALK = iter(range(plan.products))
_NUMBERS = itertools.count()


def _rank() -> int:
    return bisect.bisect(_POPULARITY, random.random() * _POPULARITY[-1])  # noqa: S311


def _product() -> tuple[str, str]:
    return planning.product(_rank())


def _name() -> str:
    """Name an order or an event as no other is named."""
    return f"{plan.run}-{os.getpid()}-{next(_NUMBERS)}"


class _Noted:
    """What was sent, or was taken and is therefore owed: lines of a file of this process."""

    def __init__(self, what: str) -> None:
        path = plan.folder / f"{what}-{os.getpid()}.txt"
        self._file = path.open("a", encoding="ascii", buffering=1)

    def add(self, marketplace: str, name: str) -> None:
        self._file.write(f"{marketplace} {name}\n")


class _Refused(Exception):
    """A failed request; Locust reports an error by its repr."""

    def __repr__(self) -> str:
        return str(self)


class _Customer(Paced):
    """Somebody with a token."""

    abstract = True
    # A stall counts as an error instead of holding a user for Locust's default minute.
    connection_timeout = 5.0
    network_timeout = 5.0
    kind: ClassVar[str]

    def on_start(self) -> None:
        """Take one of the run's tokens, and begin."""
        token = random.choice(plan.tokens)  # noqa: S311
        self._headers = {"Authorization": f"Bearer {token}"}
        super().on_start()

    def _send(
        self,
        operation: str,
        marketplace: str,
        method: str,
        path: str,
        *,
        wanted: int = 200,
        field: str,
        body: object = None,
        content: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, object] | None:
        """Send a request and return the document with this field; None, a failure, for another."""
        with self.client.request(
            method,
            path,
            name=f"{self.kind} {operation} {marketplace}",
            catch_response=True,
            data=content if body is None else json.dumps(body),
            headers={**self._headers, **(headers or {})},
        ) as answer:
            document = _document(answer)
            if answer.status_code == wanted and field in document:
                return document
            answer.failure(_Refused(_cause(answer, document, wanted)))
            return None


class Browse(_Customer):
    """Looks at products, most of them popular ones; at prices and stock of some."""

    kind = "browse"
    weight = 90

    @locust.task(90)
    def product(self) -> None:
        """Look at one product."""
        rank = next(_WALK, None)
        marketplace, sku = _product() if rank is None else planning.product(rank)
        self._send("product", marketplace, "GET", f"/v1/{marketplace}/products/{sku}", field="sku")

    @locust.task(3)
    def price(self) -> None:
        """Ask what it costs now."""
        marketplace, sku = _product()
        self._send("price", marketplace, "GET", f"/v1/{marketplace}/prices/{sku}", field="sku")

    @locust.task(3)
    def stock(self) -> None:
        """Ask whether it is there."""
        marketplace, sku = _product()
        self._send("stock", marketplace, "GET", f"/v1/{marketplace}/stock/{sku}", field="sku")

    @locust.task(4)
    def listing(self) -> None:
        """Look through a list."""
        marketplace, _ = _product()
        path = f"/v1/{marketplace}/products?limit={_PAGE}"
        self._send("list", marketplace, "GET", path, field="items")


class Orders(_Customer):
    """Places orders and looks after them."""

    kind = "orders"
    weight = 5
    _placed = None

    @locust.task(5)
    def place(self) -> None:
        """Place an order, under a key that is kept until it is acknowledged."""
        marketplace, sku = _product()
        name = _name()
        line = {"sku": sku, "quantity": 1, "unit_amount": "9.90"}
        order = self._send(
            "place",
            marketplace,
            "POST",
            f"/v1/{marketplace}/orders",
            wanted=201,
            field="id",
            body={"currency": planning.MARKETPLACES[marketplace], "lines": [line]},
            headers={"Idempotency-Key": name},
        )
        if order is not None:
            self._placed = (marketplace, str(order["id"]))
            _ORDERS.add(marketplace, name)

    @locust.task(3)
    def follow(self) -> None:
        """Ask what became of the last one."""
        marketplace, number = self._placed or ("n11", "1")
        path = f"/v1/{marketplace}/orders/{number}"
        self._send("follow", marketplace, "GET", path, field="status")

    @locust.task(1)
    def listing(self) -> None:
        """Look through the last ones."""
        marketplace, _ = _product()
        path = f"/v1/{marketplace}/orders?limit={_ORDERS_PAGE}"
        self._send("list", marketplace, "GET", path, field="items")


class Webhooks(_Customer):
    """Sends what the two marketplaces send, again until it is taken."""

    kind = "webhooks"
    weight = 3

    def on_start(self) -> None:
        """Begin without a token: a webhook is signed."""
        super().on_start()
        self._headers = {}
        self._event = self._next()

    @locust.task
    def send(self) -> None:
        """Send one event; one that was not taken comes again, as marketplaces do it."""
        marketplace, name = self._event
        content = signing.event(marketplace, name, f"LOAD-{plan.run}").decode()
        signature = signing.signed(marketplace, plan.webhook_secrets[marketplace], content.encode())
        path = f"/v1/webhooks/{marketplace}"
        if self._send(
            "event", marketplace, "POST", path, wanted=202, field="status", content=content,
            headers=signature,
        ):  # fmt: skip
            _EVENTS.add(marketplace, name)
            self._event = self._next()

    def _next(self) -> tuple[str, str]:
        marketplace, name = random.choice(tuple(plan.webhook_secrets)), _name()  # noqa: S311
        _SENT.add(marketplace, name)
        return marketplace, name


class Admin(_Customer):
    """A seller who changes prices and stock and looks which build answers."""

    kind = "admin"
    weight = 2

    @locust.task(4)
    def reprice(self) -> None:
        """Set a price."""
        marketplace, sku = _product()
        currency = planning.MARKETPLACES[marketplace]
        body = {"currency": currency, "list_amount": "19.90", "sale_amount": "14.90"}
        path = f"/v1/{marketplace}/prices/{sku}"
        self._send("reprice", marketplace, "PUT", path, field="sku", body=body)

    @locust.task(4)
    def restock(self) -> None:
        """Set a stock."""
        marketplace, sku = _product()
        path = f"/v1/{marketplace}/stock/{sku}"
        self._send("restock", marketplace, "PUT", path, field="sku", body={"quantity": 100})

    @locust.task(1)
    def info(self) -> None:
        """Ask for the version."""
        self._send("info", "-", "GET", "/v1/info", field="version")


_ORDERS, _EVENTS, _SENT = (_Noted(what) for what in ("orders", "webhooks", "sent"))


def _cause(
    answer: fasthttp.ResponseContextManager, document: dict[str, object], wanted: int
) -> str:
    """Name a failure by its cause only: with addresses in it each would be a kind of its own."""
    if answer.status_code == 0:
        error = getattr(answer, "error", None)
        return f"no answer: {getattr(error, 'original', error)}"
    if answer.status_code == wanted:
        return f"{wanted} with another content than was asked for"
    return f"{answer.status_code} {document.get('type', '')}".strip()


def _document(answer: fasthttp.ResponseContextManager) -> dict[str, object]:
    # From the bytes: Locust's own json() may first guess an encoding, at a multiple of the CPU.
    try:
        document = json.loads(answer.content or b"")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
