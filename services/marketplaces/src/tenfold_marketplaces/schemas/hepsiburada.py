"""Hepsiburada: offset and limit, amounts as numbers beside their currency, local ISO times."""

import datetime
import zoneinfo

from tenfold_marketplaces.catalogue import Item, Line, Order
from tenfold_marketplaces.schemas.base import Json, Query, Schema, at, minor, number, rows, whole

_ISTANBUL = zoneinfo.ZoneInfo("Europe/Istanbul")
_STATUSES = {
    "created": "Open",
    "picking": "Packaged",
    "shipped": "InTransit",
    "delivered": "Delivered",
    "cancelled": "CancelledByCustomer",
    "returned": "Claimed",
}


def _local(moment: datetime.datetime) -> str:
    """Return local time without its zone, as the marketplace does."""
    return moment.astimezone(_ISTANBUL).replace(tzinfo=None).isoformat(timespec="seconds")


def _money(amount: int) -> Json:
    return {"value": amount / 100, "currencyCode": "TRY"}


def _product(item: Item) -> Json:
    return {
        "merchantSku": item.sku,
        "hepsiburadaSku": f"HB{item.sku.removeprefix('SKU-')}",
        "productName": item.title,
        "brandName": item.brand,
        "categoryPath": ["Root", item.category],
        "barcodes": [item.barcode],
        "isSalable": item.active,
        "modifiedDate": _local(item.updated_at),
    }


def _price(item: Item) -> Json:
    return {
        "merchantSku": item.sku,
        "originalPrice": _money(item.list_minor),
        "price": _money(item.sale_minor),
        "modifiedDate": _local(item.updated_at),
    }


def _stock(item: Item) -> Json:
    return {
        "merchantSku": item.sku,
        "availableStock": item.quantity,
        "modifiedDate": _local(item.updated_at),
    }


def _order(order: Order) -> Json:
    return {
        "orderNumber": order.number,
        "merchantOrderNumber": order.reference,
        "state": _STATUSES[order.status],
        "totalPrice": _money(order.total_minor),
        "orderDate": _local(order.created_at),
        "statusDate": _local(order.updated_at),
        "items": [
            {
                "merchantSku": line.sku,
                "quantity": line.quantity,
                "unitPrice": _money(line.unit_minor),
            }
            for line in order.lines
        ],
    }


def _window(query: Query, total: int) -> tuple[int, int]:
    limit = number(query, "limit", 50, least=1, most=200)
    return number(query, "offset", 0, most=100_000_000), limit


def _read_order(body: Json) -> tuple[str, list[Line]]:
    lines = [
        Line(
            str(at(row, "merchantSku")),
            whole(at(row, "quantity")),
            minor(at(row, "unitPrice", "value")),
        )
        for row in rows(body, "items")
    ]
    return str(at(body, "merchantOrderNumber")), lines


SCHEMA = Schema(
    name="hepsiburada",
    paths={
        "products": "/hepsiburada/product/api/products/all-products-of-merchant/1",
        "prices": "/hepsiburada/listings/merchantid/1/prices",
        "stock": "/hepsiburada/listings/merchantid/1/stocks",
        "orders": "/hepsiburada/orders/merchantid/1",
    },
    window=_window,
    envelope=lambda kind, entries, window: {
        "totalCount": window.total,
        "offset": window.offset,
        "limit": window.limit,
        "items": list(entries),
    },
    render={"products": _product, "prices": _price, "stock": _stock},
    render_order=_order,
    read_price=lambda body: (
        minor(at(body, "originalPrice", "value")),
        minor(at(body, "price", "value")),
    ),
    read_stock=lambda body: whole(at(body, "availableStock")),
    read_order=_read_order,
    error=lambda status, message: {"code": status, "message": message},
)
