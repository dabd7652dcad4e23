"""eBay: offset and limit with a link to the next page, amounts as text in EUR, times in UTC."""

import datetime

from tenfold_marketplaces.catalogue import Item, Line, Order
from tenfold_marketplaces.schemas.base import (
    Json,
    Kind,
    Query,
    Schema,
    Window,
    at,
    major,
    minor,
    number,
    rows,
    whole,
)

_STATUSES = {
    "created": "NOT_STARTED",
    "picking": "IN_PROGRESS",
    "shipped": "FULFILLED",
    "delivered": "DELIVERED",
    "cancelled": "CANCELED",
    "returned": "RETURNED",
}
_LISTS = {
    "products": "inventoryItems",
    "prices": "offers",
    "stock": "inventory",
    "orders": "orders",
}


def _utc(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _money(amount: int) -> Json:
    return {"value": major(amount), "currency": "EUR"}


def _product(item: Item) -> Json:
    return {
        "sku": item.sku,
        "product": {
            "title": item.title,
            "brand": item.brand,
            "ean": [item.barcode],
            "aspects": {"Type": [item.category]},
        },
        "listingStatus": "ACTIVE" if item.active else "ENDED",
        "lastModified": _utc(item.updated_at),
    }


def _price(item: Item) -> Json:
    return {
        "sku": item.sku,
        "pricingSummary": {
            "originalRetailPrice": _money(item.list_minor),
            "price": _money(item.sale_minor),
        },
        "lastModified": _utc(item.updated_at),
    }


def _stock(item: Item) -> Json:
    return {
        "sku": item.sku,
        "availability": {"shipToLocationAvailability": {"quantity": item.quantity}},
        "lastModified": _utc(item.updated_at),
    }


def _order(order: Order) -> Json:
    return {
        "orderId": order.number,
        "salesRecordReference": order.reference,
        "orderFulfillmentStatus": _STATUSES[order.status],
        "pricingSummary": {"total": _money(order.total_minor)},
        "creationDate": _utc(order.created_at),
        "lastModifiedDate": _utc(order.updated_at),
        "lineItems": [
            {
                "sku": line.sku,
                "quantity": line.quantity,
                "lineItemCost": _money(line.unit_minor),
            }
            for line in order.lines
        ],
    }


def _window(query: Query, total: int) -> tuple[int, int]:
    limit = number(query, "limit", 50, least=1, most=200)
    return number(query, "offset", 0, most=100_000_000), limit


def _envelope(kind: Kind, entries: object, window: Window) -> Json:
    page: Json = {
        "total": window.total,
        "limit": window.limit,
        "offset": window.offset,
        _LISTS[kind]: entries,
    }
    if window.end < window.total:
        page["next"] = f"{SCHEMA.paths[kind]}?limit={window.limit}&offset={window.end}"
    return page


def _read_order(body: Json) -> tuple[str, list[Line]]:
    lines = [
        Line(
            str(at(row, "sku")),
            whole(at(row, "quantity")),
            minor(at(row, "lineItemCost", "value")),
        )
        for row in rows(body, "lineItems")
    ]
    return str(at(body, "salesRecordReference")), lines


SCHEMA = Schema(
    name="ebay",
    paths={
        "products": "/ebay/sell/inventory/v1/inventory_item",
        "prices": "/ebay/sell/inventory/v1/offer",
        "stock": "/ebay/sell/inventory/v1/availability",
        "orders": "/ebay/sell/fulfillment/v1/order",
    },
    window=_window,
    envelope=lambda kind, entries, window: _envelope(kind, list(entries), window),
    render={"products": _product, "prices": _price, "stock": _stock},
    render_order=_order,
    read_price=lambda body: (
        minor(at(body, "pricingSummary", "originalRetailPrice", "value")),
        minor(at(body, "pricingSummary", "price", "value")),
    ),
    read_stock=lambda body: whole(
        at(body, "availability", "shipToLocationAvailability", "quantity")
    ),
    read_order=_read_order,
    error=lambda status, message: {"errors": [{"errorId": status, "message": message}]},
)
