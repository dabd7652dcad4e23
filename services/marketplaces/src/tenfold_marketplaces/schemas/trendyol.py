"""Trendyol: camelCase, pages counted from 0, amounts as numbers in TRY, times in milliseconds."""

import datetime

from tenfold_marketplaces.catalogue import Item, Line, Order
from tenfold_marketplaces.schemas.base import Json, Query, Schema, at, minor, number, rows, whole

_STATUSES = {
    "created": "Created",
    "picking": "Picking",
    "shipped": "Shipped",
    "delivered": "Delivered",
    "cancelled": "Cancelled",
    "returned": "Returned",
}


def _milliseconds(moment: datetime.datetime) -> int:
    return int(moment.timestamp() * 1000)


def _product(item: Item) -> Json:
    return {
        "stockCode": item.sku,
        "title": item.title,
        "brand": item.brand,
        "categoryName": item.category,
        "barcode": item.barcode,
        "onSale": item.active,
        "lastUpdateDate": _milliseconds(item.updated_at),
    }


def _price(item: Item) -> Json:
    return {
        "stockCode": item.sku,
        "listPrice": item.list_minor / 100,
        "salePrice": item.sale_minor / 100,
        "lastUpdateDate": _milliseconds(item.updated_at),
    }


def _stock(item: Item) -> Json:
    return {
        "stockCode": item.sku,
        "quantity": item.quantity,
        "lastUpdateDate": _milliseconds(item.updated_at),
    }


def _order(order: Order) -> Json:
    return {
        "orderNumber": order.number,
        "clientReference": order.reference,
        "status": _STATUSES[order.status],
        "totalPrice": order.total_minor / 100,
        "currencyCode": "TRY",
        "orderDate": _milliseconds(order.created_at),
        "lastModifiedDate": _milliseconds(order.updated_at),
        "lines": [
            {"merchantSku": line.sku, "quantity": line.quantity, "price": line.unit_minor / 100}
            for line in order.lines
        ],
    }


def _window(query: Query, total: int) -> tuple[int, int]:
    size = number(query, "size", 50, least=1, most=200)
    return number(query, "page", 0, most=1_000_000) * size, size


def _read_order(body: Json) -> tuple[str, list[Line]]:
    lines = [
        Line(str(at(row, "merchantSku")), whole(at(row, "quantity")), minor(at(row, "price")))
        for row in rows(body, "lines")
    ]
    return str(at(body, "clientReference")), lines


SCHEMA = Schema(
    name="trendyol",
    paths={
        "products": "/trendyol/sapigw/suppliers/1/products",
        "prices": "/trendyol/sapigw/suppliers/1/prices",
        "stock": "/trendyol/sapigw/suppliers/1/inventory",
        "orders": "/trendyol/sapigw/suppliers/1/orders",
    },
    window=_window,
    envelope=lambda kind, entries, window: {
        "totalElements": window.total,
        "totalPages": -(-window.total // window.limit),
        "page": window.offset // window.limit,
        "size": window.limit,
        "content": list(entries),
    },
    render={"products": _product, "prices": _price, "stock": _stock},
    render_order=_order,
    read_price=lambda body: (minor(at(body, "listPrice")), minor(at(body, "salePrice"))),
    read_stock=lambda body: whole(at(body, "quantity")),
    read_order=_read_order,
    error=lambda status, message: {"errors": [{"key": str(status), "message": message}]},
)
