"""N11: nested lists, pages counted from 0, amounts as Turkish text, local dates, day first."""

import datetime
import zoneinfo

from tenfold_marketplaces.catalogue import Item, Line, Order
from tenfold_marketplaces.schemas.base import (
    BadRequest,
    Json,
    Query,
    Schema,
    at,
    number,
    rows,
    whole,
)

_ISTANBUL = zoneinfo.ZoneInfo("Europe/Istanbul")
_STATUSES = {
    "created": "1",
    "picking": "2",
    "shipped": "3",
    "delivered": "4",
    "cancelled": "5",
    "returned": "6",
}
_LISTS = {
    "products": ("productList", "product"),
    "prices": ("priceList", "price"),
    "stock": ("stockItems", "stockItem"),
    "orders": ("orderList", "order"),
}


def _local(moment: datetime.datetime) -> str:
    return moment.astimezone(_ISTANBUL).strftime("%d/%m/%Y %H:%M")


def _text(amount: int) -> str:
    """Turn 123456 into 1.234,56."""
    lira = f"{amount // 100:,}".replace(",", ".")
    return f"{lira},{amount % 100:02d}"


def _minor(value: object) -> int:
    digits = str(value).replace(".", "").replace(",", "")
    if not digits.isdigit():
        raise BadRequest(f"{value!r} is not an amount")
    return int(digits)


def _product(item: Item) -> Json:
    return {
        "productSellerCode": item.sku,
        "title": item.title,
        "attributes": {"brand": item.brand, "gtin": item.barcode},
        "category": {"name": item.category},
        "saleStatus": "2" if item.active else "3",
        "modified": _local(item.updated_at),
    }


def _price(item: Item) -> Json:
    return {
        "productSellerCode": item.sku,
        "price": {"displayPrice": _text(item.list_minor), "salesPrice": _text(item.sale_minor)},
        "currencyType": "TL",
        "modified": _local(item.updated_at),
    }


def _stock(item: Item) -> Json:
    return {
        "sellerStockCode": item.sku,
        "quantity": str(item.quantity),
        "modified": _local(item.updated_at),
    }


def _order(order: Order) -> Json:
    return {
        "id": int(order.number),
        "orderNumber": order.reference,
        "status": _STATUSES[order.status],
        "billingTemplate": {"dueAmount": _text(order.total_minor), "currencyType": "TL"},
        "createDate": _local(order.created_at),
        "updateDate": _local(order.updated_at),
        "itemList": {
            "item": [
                {
                    "productSellerCode": line.sku,
                    "quantity": str(line.quantity),
                    "price": _text(line.unit_minor),
                }
                for line in order.lines
            ]
        },
    }


def _window(query: Query, total: int) -> tuple[int, int]:
    size = number(query, "pageSize", 50, least=1, most=200)
    return number(query, "currentPage", 0, most=1_000_000) * size, size


def _read_order(body: Json) -> tuple[str, list[Line]]:
    lines = [
        Line(
            str(at(row, "productSellerCode")), whole(at(row, "quantity")), _minor(at(row, "price"))
        )
        for row in rows(body, "itemList", "item")
    ]
    return str(at(body, "orderNumber")), lines


SCHEMA = Schema(
    name="n11",
    paths={
        "products": "/n11/ws/productService",
        "prices": "/n11/ws/priceService",
        "stock": "/n11/ws/productStockService",
        "orders": "/n11/ws/orderService",
    },
    window=_window,
    envelope=lambda kind, entries, window: {
        "result": {"status": "success"},
        _LISTS[kind][0]: {_LISTS[kind][1]: list(entries)},
        "pagingData": {
            "currentPage": window.offset // window.limit,
            "pageSize": window.limit,
            "totalCount": window.total,
            "pageCount": -(-window.total // window.limit),
        },
    },
    render={"products": _product, "prices": _price, "stock": _stock},
    render_order=_order,
    read_price=lambda body: (
        _minor(at(body, "price", "displayPrice")),
        _minor(at(body, "price", "salesPrice")),
    ),
    read_stock=lambda body: whole(at(body, "quantity")),
    read_order=_read_order,
    error=lambda status, message: {
        "result": {"status": "failure", "errorCode": str(status), "errorMessage": message}
    },
)
