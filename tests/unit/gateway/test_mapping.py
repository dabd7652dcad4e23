"""Each marketplace's own answers become the canonical ones."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import json
from typing import Any, Literal

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tenfold_gateway import canonical, mapping
from tenfold_gateway.marketplaces import MARKETPLACES
from tenfold_marketplaces import app, settings
from tenfold_marketplaces.catalogue import Catalogue, Item, Line, Order
from tenfold_marketplaces.schemas import SCHEMAS
from tenfold_marketplaces.schemas.base import Window
from tenfold_runtime import middleware, problems

KINDS: tuple[Literal["products", "prices", "stock"], ...] = ("products", "prices", "stock")
SEED = 7
NAMES = sorted(SCHEMAS)


def _amount(minor: int) -> str:
    return f"{decimal.Decimal(minor).scaleb(-2):.2f}"


def _time(moment: datetime.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _expected(kind: canonical.Kind, item: Item, name: str) -> dict[str, Any]:
    common = {"sku": item.sku, "updated_at": _time(item.updated_at)}
    if kind == "products":
        return common | {
            "title": item.title,
            "brand": item.brand,
            "category": item.category,
            "barcode": item.barcode,
            "active": item.active,
        }
    if kind == "prices":
        return common | {
            "currency": MARKETPLACES[name].currency,
            "list_amount": _amount(item.list_minor),
            "sale_amount": _amount(item.sale_minor),
        }
    return common | {"quantity": item.quantity}


def _expected_order(order: Order, name: str) -> dict[str, Any]:
    lines = [
        {"sku": x.sku, "quantity": x.quantity, "unit_amount": _amount(x.unit_minor)}
        for x in order.lines
    ]
    return {
        "id": order.number,
        "reference": order.reference,
        "status": order.status,
        "currency": MARKETPLACES[name].currency,
        "total_amount": _amount(order.total_minor),
        "lines": lines,
        "created_at": _time(order.created_at),
        "updated_at": _time(order.updated_at),
    }


def _answers(name: str, path: str, query: dict[str, str]) -> bytes:
    """Ask the simulator, as the gateway would."""
    config = settings.Settings.model_validate(
        {"seed": SEED, "products": 30, "behaviour": {name: {"latency_seconds": 0}}}
    )
    simulator = app.create_app(config, middleware.Lifecycle())

    async def once() -> bytes:
        transport = httpx.ASGITransport(simulator)
        async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
            answer = await client.get(f"/{name}{path.format(seller='1')}", params=query)
            return answer.raise_for_status().content

    return asyncio.run(once())


def test_every_marketplace_that_is_simulated_is_declared() -> None:
    assert set(SCHEMAS) <= set(MARKETPLACES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", canonical.KINDS)
def test_a_list_becomes_canonical(name: str, kind: canonical.Kind) -> None:
    place = MARKETPLACES[name]
    mapper = mapping.Mapper(place)
    content = _answers(name, place.resources[kind].path, mapper.query(None, 20))
    page = json.loads(mapper.page(kind, content, None, 20))
    catalogue = Catalogue(name, SEED, 30)
    if kind == "orders":
        assert page["items"] == [_expected_order(o, name) for o in catalogue.orders[:20]]
    else:
        assert page["items"] == [_expected(kind, item, name) for item in catalogue.items[:20]]
    rest = _answers(name, place.resources[kind].path, mapper.query(page["next_cursor"], 200))
    last = json.loads(mapper.page(kind, rest, page["next_cursor"], 200))
    assert last["next_cursor"] is None


_moments = st.datetimes(
    datetime.datetime(2000, 1, 1),
    datetime.datetime(2100, 1, 1),
    timezones=st.just(datetime.UTC),
).map(lambda moment: moment.replace(second=0, microsecond=0))
_items = st.builds(
    Item,
    sku=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
    title=st.text(max_size=50),
    brand=st.text(max_size=20),
    category=st.text(max_size=20),
    barcode=st.from_regex(r"[0-9]{13}", fullmatch=True),
    active=st.booleans(),
    list_minor=st.integers(0, 10**10),
    sale_minor=st.integers(0, 10**10),
    quantity=st.integers(0, 10**6),
    updated_at=_moments,
)


@pytest.mark.parametrize("name", NAMES)
def test_no_value_is_changed_on_its_way(name: str) -> None:
    mapper, schema = mapping.Mapper(MARKETPLACES[name]), SCHEMAS[name]  # type: ignore[index]

    @hypothesis_settings(max_examples=50, deadline=None)
    @given(item=_items)
    def check(item: Item) -> None:
        for kind in KINDS:
            content = json.dumps(schema.render[kind](item)).encode()
            assert json.loads(mapper.entry(kind, content)) == _expected(kind, item, name)

    check()


@pytest.mark.parametrize("name", NAMES)
def test_an_order_goes_out_as_the_marketplace_reads_it_and_comes_back_the_same(name: str) -> None:
    place, schema = MARKETPLACES[name], SCHEMAS[name]  # type: ignore[index]
    minors = st.integers(0, 10**9)
    lines = st.lists(
        st.builds(
            Line, st.from_regex(r"[A-Z0-9-]{1,20}", fullmatch=True), st.integers(1, 99), minors
        ),
        min_size=1,
        max_size=5,
    )

    @hypothesis_settings(max_examples=50, deadline=None)
    @given(lines=lines)
    def check(lines: list[Line]) -> None:
        wanted = canonical.NewOrder.model_validate(
            {
                "currency": place.currency,
                "lines": [
                    {"sku": x.sku, "quantity": x.quantity, "unit_amount": _amount(x.unit_minor)}
                    for x in lines
                ],
            }
        )
        sent = json.loads(json.dumps(place.order(wanted, "reference-1")))
        assert schema.read_order(sent) == ("reference-1", lines)

    check()


@pytest.mark.parametrize("name", NAMES)
def test_prices_and_stock_go_out_as_the_marketplace_reads_them(name: str) -> None:
    place, schema = MARKETPLACES[name], SCHEMAS[name]  # type: ignore[index]
    price = canonical.NewPrice(
        currency=place.currency,
        list_amount=decimal.Decimal("1234567.89"),
        sale_amount=decimal.Decimal("0.1"),
    )
    stock = canonical.NewStock(quantity=12)
    assert schema.read_price({**place.price(price)}) == (123456789, 10)
    assert schema.read_stock({**place.stock(stock)}) == 12


BROKEN: list[tuple[str, canonical.Kind, tuple[str, ...], object, str]] = [
    ("trendyol", "prices", ("salePrice",), "cheap", "trendyol.prices.content.0.salePrice"),
    ("n11", "prices", ("price", "salesPrice"), "1,2,3", "n11.prices.priceList.price.0.price"),
    ("n11", "orders", ("status",), "99", "n11.orders.orderList.order.0.status"),
    ("hepsiburada", "stock", ("availableStock",), -1, "hepsiburada.stock.items.0.availableStock"),
    ("amazon", "prices", ("LastUpdated",), "soon", "amazon.prices.payload.offers.0.LastUpdated"),
    ("ebay", "products", ("sku",), "", "ebay.products.inventoryItems.0.sku"),
    ("ozon", "stock", ("stocks",), [{"present": 1}], "ozon.stock.result.items.0.stocks"),
]


@pytest.mark.parametrize(("name", "kind", "path", "value", "field"), BROKEN)
def test_a_bad_answer_is_a_problem_that_names_the_marketplaces_own_field(
    name: str, kind: canonical.Kind, path: tuple[str, ...], value: object, field: str
) -> None:
    schema = SCHEMAS[name]  # type: ignore[index]
    catalogue = Catalogue(name, SEED, 1)
    entry: Any = (
        schema.render_order(catalogue.orders[0])
        if kind == "orders"
        else schema.render[kind](catalogue.items[0])
    )
    place = entry
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    page = schema.envelope(kind, [entry], Window(0, 1, 1))
    with pytest.raises(problems.ProblemError) as refused:
        mapping.Mapper(MARKETPLACES[name]).page(kind, json.dumps(page).encode(), None, 1)
    assert (refused.value.status, refused.value.code) == (502, "upstream-invalid")
    assert refused.value.errors[0].field.startswith(field)


@pytest.mark.parametrize("name", ["trendyol", "n11", "hepsiburada", "ebay"])
def test_a_cursor_that_is_none_of_ours_is_named(name: str) -> None:
    with pytest.raises(problems.ProblemError, match=r"query\.cursor"):
        mapping.Mapper(MARKETPLACES[name]).query("nonsense", 10)
