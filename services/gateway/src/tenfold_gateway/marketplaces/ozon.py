"""Ozon: amounts in kopecks, stock by warehouse with what is reserved, pages by the last id."""

import decimal
from typing import Annotated

import pydantic
from pydantic import AliasPath, BeforeValidator, Field

from tenfold_gateway import canonical, mapping


class _Warehouse(pydantic.BaseModel):
    present: int = Field(ge=0)
    reserved: int = Field(ge=0)


_WAREHOUSES = pydantic.TypeAdapter(tuple[_Warehouse, ...])


def _available(value: object) -> int:
    return sum(entry.present - entry.reserved for entry in _WAREHOUSES.validate_python(value))


_NotArchived = Annotated[bool, BeforeValidator(lambda value: value is False)]
_Status = Annotated[
    canonical.Status,
    mapping.one_of(
        {
            "awaiting_registration": "created",
            "awaiting_packaging": "picking",
            "delivering": "shipped",
            "delivered": "delivered",
            "cancelled": "cancelled",
            "returned": "returned",
        }
    ),
]
_TOTAL = AliasPath("financial_data", "total_kopecks")
_CURRENCY = AliasPath("financial_data", "currency_code")


class Product(canonical.Product):
    """A product."""

    sku: canonical.Sku = Field(validation_alias="offer_id")
    title: str = Field(validation_alias="name")
    brand: str | None = Field(validation_alias="vendor")
    category: str | None = Field(validation_alias="type_name")
    barcode: str | None = Field(validation_alias=AliasPath("barcodes", 0))
    active: _NotArchived = Field(validation_alias="is_archived")


class Price(canonical.Price):
    """A product's prices."""

    sku: canonical.Sku = Field(validation_alias="offer_id")
    currency: canonical.Currency = Field(validation_alias=AliasPath("price", "currency_code"))
    list_amount: mapping.Hundredths = Field(
        validation_alias=AliasPath("price", "old_price_kopecks")
    )
    sale_amount: mapping.Hundredths = Field(validation_alias=AliasPath("price", "price_kopecks"))


class Stock(canonical.Stock):
    """A product's stock."""

    sku: canonical.Sku = Field(validation_alias="offer_id")
    quantity: Annotated[int, BeforeValidator(_available)] = Field(ge=0, validation_alias="stocks")


class OrderLine(canonical.OrderLine):
    """A position of an order."""

    sku: canonical.Sku = Field(validation_alias="offer_id")
    unit_amount: mapping.Hundredths = Field(validation_alias="price_kopecks")


class Order(canonical.Order):
    """An order."""

    id: str = Field(validation_alias="posting_number")
    reference: str | None = Field(validation_alias="order_reference")
    status: _Status
    currency: canonical.Currency = Field(validation_alias=_CURRENCY)
    total_amount: mapping.Hundredths = Field(validation_alias=_TOTAL)
    lines: tuple[OrderLine, ...] = Field(validation_alias="products")
    created_at: canonical.Moment = Field(validation_alias="in_process_at")
    updated_at: canonical.Moment = Field(validation_alias="changed_at")


def _kopecks(amount: decimal.Decimal) -> int:
    return int(amount.scaleb(2))


def _order(order: canonical.NewOrder, reference: str) -> mapping.Body:
    return {
        "order_reference": reference,
        "products": [
            {
                "offer_id": line.sku,
                "quantity": line.quantity,
                "price_kopecks": _kopecks(line.unit_amount),
            }
            for line in order.lines
        ],
    }


_ITEMS = AliasPath("result", "items")

MARKETPLACE = mapping.Marketplace(
    name="ozon",
    currency="RUB",
    resources={
        "products": mapping.Resource("/v3/product/list", _ITEMS, Product),
        "prices": mapping.Resource("/v5/product/info/prices", _ITEMS, Price),
        "stock": mapping.Resource("/v4/product/info/stocks", _ITEMS, Stock),
        "orders": mapping.Resource("/v3/posting/fbs/list", _ITEMS, Order),
    },
    paging=mapping.Tokens(
        token="last_id",  # noqa: S106 (a parameter's name)
        limit="limit",
        mark=AliasPath("result", "last_id"),
    ),
    price=lambda price: {
        "price": {
            "old_price_kopecks": _kopecks(price.list_amount),
            "price_kopecks": _kopecks(price.sale_amount),
        }
    },
    stock=lambda stock: {"stock": stock.quantity},
    order=_order,
)
