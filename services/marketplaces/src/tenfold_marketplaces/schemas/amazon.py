"""Amazon: everything in a payload, tokens for pages, amounts as text in USD, times in UTC."""

import base64
import binascii
import datetime

from tenfold_marketplaces.catalogue import Item, Line, Order
from tenfold_marketplaces.schemas.base import (
    BadRequest,
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
    "created": "Unshipped",
    "picking": "PartiallyShipped",
    "shipped": "Shipped",
    "delivered": "Delivered",
    "cancelled": "Canceled",
    "returned": "Returned",
}
_LISTS = {
    "products": "items",
    "prices": "offers",
    "stock": "inventorySummaries",
    "orders": "Orders",
}


def _utc(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _money(amount: int) -> Json:
    return {"CurrencyCode": "USD", "Amount": major(amount)}


def _product(item: Item) -> Json:
    return {
        "sku": item.sku,
        "attributes": {
            "item_name": [{"value": item.title, "language_tag": "en_US"}],
            "brand": [{"value": item.brand}],
            "externally_assigned_product_identifier": [{"type": "ean", "value": item.barcode}],
        },
        "summaries": [
            {
                "productType": item.category,
                "status": ["BUYABLE", "DISCOVERABLE"] if item.active else ["DISCOVERABLE"],
                "lastUpdatedDate": _utc(item.updated_at),
            }
        ],
    }


def _price(item: Item) -> Json:
    return {
        "SellerSKU": item.sku,
        "ListPrice": _money(item.list_minor),
        "BuyingPrice": {"LandedPrice": _money(item.sale_minor)},
        "LastUpdated": _utc(item.updated_at),
    }


def _stock(item: Item) -> Json:
    return {
        "sellerSku": item.sku,
        "inventoryDetails": {"fulfillableQuantity": item.quantity},
        "lastUpdatedTime": _utc(item.updated_at),
    }


def _order(order: Order) -> Json:
    return {
        "AmazonOrderId": order.number,
        "SellerOrderId": order.reference,
        "OrderStatus": _STATUSES[order.status],
        "OrderTotal": _money(order.total_minor),
        "PurchaseDate": _utc(order.created_at),
        "LastUpdateDate": _utc(order.updated_at),
        "OrderItems": [
            {
                "SellerSKU": line.sku,
                "QuantityOrdered": line.quantity,
                "ItemPrice": _money(line.unit_minor),
            }
            for line in order.lines
        ],
    }


def _window(query: Query, total: int) -> tuple[int, int]:
    limit = number(query, "pageSize", 50, least=1, most=200)
    token = query.get("nextToken", "")
    try:
        offset = int(base64.urlsafe_b64decode(token) or 0)
    except (ValueError, binascii.Error) as error:
        raise BadRequest("nextToken is not one of ours") from error
    return offset, limit


def _envelope(kind: Kind, entries: object, window: Window) -> Json:
    payload: Json = {_LISTS[kind]: entries}
    if window.end < window.total:
        token = base64.urlsafe_b64encode(str(window.end).encode()).decode()
        payload["pagination"] = {"nextToken": token}
    return {"payload": payload}


def _read_order(body: Json) -> tuple[str, list[Line]]:
    lines = [
        Line(
            str(at(row, "SellerSKU")),
            whole(at(row, "QuantityOrdered")),
            minor(at(row, "ItemPrice", "Amount")),
        )
        for row in rows(body, "OrderItems")
    ]
    return str(at(body, "SellerOrderId")), lines


SCHEMA = Schema(
    name="amazon",
    paths={
        "products": "/amazon/listings/2021-08-01/items/1",
        "prices": "/amazon/products/pricing/v0/price",
        "stock": "/amazon/fba/inventory/v1/summaries",
        "orders": "/amazon/orders/v0/orders",
    },
    window=_window,
    envelope=lambda kind, entries, window: _envelope(kind, list(entries), window),
    render={"products": _product, "prices": _price, "stock": _stock},
    render_order=_order,
    read_price=lambda body: (
        minor(at(body, "ListPrice", "Amount")),
        minor(at(body, "BuyingPrice", "LandedPrice", "Amount")),
    ),
    read_stock=lambda body: whole(at(body, "inventoryDetails", "fulfillableQuantity")),
    read_order=_read_order,
    error=lambda status, message: {"errors": [{"code": str(status), "message": message}]},
)
