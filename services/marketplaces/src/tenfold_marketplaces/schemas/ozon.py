"""Ozon: snake_case in a result, pages by last id, amounts in kopecks, stock by warehouse."""

import datetime

from tenfold_marketplaces.catalogue import Item, Line, Order
from tenfold_marketplaces.schemas.base import Json, Query, Schema, at, number, rows, whole

_MOSCOW = datetime.timezone(datetime.timedelta(hours=3))
_RESERVED = 3
_STATUSES = {
    "created": "awaiting_registration",
    "picking": "awaiting_packaging",
    "shipped": "delivering",
    "delivered": "delivered",
    "cancelled": "cancelled",
    "returned": "returned",
}


def _moscow(moment: datetime.datetime) -> str:
    return moment.astimezone(_MOSCOW).isoformat(timespec="milliseconds")


def _product(item: Item) -> Json:
    return {
        "offer_id": item.sku,
        "name": item.title,
        "vendor": item.brand,
        "type_name": item.category,
        "barcodes": [item.barcode],
        "is_archived": not item.active,
        "updated_at": _moscow(item.updated_at),
    }


def _price(item: Item) -> Json:
    return {
        "offer_id": item.sku,
        "price": {
            "currency_code": "RUB",
            "old_price_kopecks": item.list_minor,
            "price_kopecks": item.sale_minor,
        },
        "updated_at": _moscow(item.updated_at),
    }


def _stock(item: Item) -> Json:
    """Split the stock over two warehouses; what is reserved is counted as present."""
    at_ozon = item.quantity // 2
    return {
        "offer_id": item.sku,
        "stocks": [
            {"type": "fbo", "present": at_ozon, "reserved": 0},
            {
                "type": "fbs",
                "present": item.quantity - at_ozon + _RESERVED,
                "reserved": _RESERVED,
            },
        ],
        "updated_at": _moscow(item.updated_at),
    }


def _order(order: Order) -> Json:
    return {
        "posting_number": order.number,
        "order_reference": order.reference,
        "status": _STATUSES[order.status],
        "financial_data": {"total_kopecks": order.total_minor, "currency_code": "RUB"},
        "in_process_at": _moscow(order.created_at),
        "changed_at": _moscow(order.updated_at),
        "products": [
            {"offer_id": line.sku, "quantity": line.quantity, "price_kopecks": line.unit_minor}
            for line in order.lines
        ],
    }


def _window(query: Query, total: int) -> tuple[int, int]:
    limit = number(query, "limit", 50, least=1, most=200)
    return number(query, "last_id", 0, most=100_000_000), limit


def _read_order(body: Json) -> tuple[str, list[Line]]:
    lines = [
        Line(str(at(row, "offer_id")), whole(at(row, "quantity")), whole(at(row, "price_kopecks")))
        for row in rows(body, "products")
    ]
    return str(at(body, "order_reference")), lines


SCHEMA = Schema(
    name="ozon",
    paths={
        "products": "/ozon/v3/product/list",
        "prices": "/ozon/v5/product/info/prices",
        "stock": "/ozon/v4/product/info/stocks",
        "orders": "/ozon/v3/posting/fbs/list",
    },
    window=_window,
    envelope=lambda kind, entries, window: {
        "result": {
            "items": list(entries),
            "total": window.total,
            "last_id": str(window.end) if window.end < window.total else "",
        }
    },
    render={"products": _product, "prices": _price, "stock": _stock},
    render_order=_order,
    read_price=lambda body: (
        whole(at(body, "price", "old_price_kopecks")),
        whole(at(body, "price", "price_kopecks")),
    ),
    read_stock=lambda body: whole(at(body, "stock")),
    read_order=_read_order,
    error=lambda status, message: {"code": status, "message": message, "details": []},
)
