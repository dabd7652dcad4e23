"""N11: amounts in TRY as Turkish text (1.234,56), local times with the day first."""

import datetime
import decimal
import zoneinfo
from typing import Annotated

from pydantic import AliasPath, BeforeValidator, Field

from tenfold_gateway import canonical, mapping

_ISTANBUL = zoneinfo.ZoneInfo("Europe/Istanbul")


def _local(value: object) -> datetime.datetime:
    # Turned round and not by strptime, which takes longer than all the rest of an order.
    text = str(value)
    try:
        moment = datetime.datetime.fromisoformat(f"{text[6:10]}-{text[3:5]}-{text[:2]}{text[10:]}")
    except ValueError:
        raise ValueError("is not a time like 31/12/2026 23:59") from None
    return moment.replace(tzinfo=_ISTANBUL)


def _amount(value: object) -> decimal.Decimal:
    try:
        return decimal.Decimal(str(value).replace(".", "").replace(",", "."))
    except decimal.InvalidOperation:
        raise ValueError("is not an amount like 1.234,56") from None


def _text(amount: decimal.Decimal) -> str:
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def _currency(value: object) -> object:
    return "TRY" if value == "TL" else value


_Moment = Annotated[canonical.Moment, BeforeValidator(_local)]
_Amount = Annotated[canonical.Amount, BeforeValidator(_amount)]
_Currency = Annotated[canonical.Currency, BeforeValidator(_currency)]
_OnSale = Annotated[bool, BeforeValidator(lambda value: value == "2")]
_Status = Annotated[
    canonical.Status,
    mapping.one_of(
        {
            "1": "created",
            "2": "picking",
            "3": "shipped",
            "4": "delivered",
            "5": "cancelled",
            "6": "returned",
        }
    ),
]
# The marketplace's own number of an order is a JSON number.
_Number = Annotated[str, BeforeValidator(str)]


class Product(canonical.Product):
    """A product."""

    sku: canonical.Sku = Field(validation_alias="productSellerCode")
    brand: str | None = Field(validation_alias=AliasPath("attributes", "brand"))
    category: str | None = Field(validation_alias=AliasPath("category", "name"))
    barcode: str | None = Field(validation_alias=AliasPath("attributes", "gtin"))
    active: _OnSale = Field(validation_alias="saleStatus")
    updated_at: _Moment = Field(validation_alias="modified")


class Price(canonical.Price):
    """A product's prices."""

    sku: canonical.Sku = Field(validation_alias="productSellerCode")
    currency: _Currency = Field(validation_alias="currencyType")
    list_amount: _Amount = Field(validation_alias=AliasPath("price", "displayPrice"))
    sale_amount: _Amount = Field(validation_alias=AliasPath("price", "salesPrice"))
    updated_at: _Moment = Field(validation_alias="modified")


class Stock(canonical.Stock):
    """A product's stock."""

    sku: canonical.Sku = Field(validation_alias="sellerStockCode")
    updated_at: _Moment = Field(validation_alias="modified")


class OrderLine(canonical.OrderLine):
    """A position of an order."""

    sku: canonical.Sku = Field(validation_alias="productSellerCode")
    unit_amount: _Amount = Field(validation_alias="price")


class Order(canonical.Order):
    """An order."""

    id: _Number
    reference: str | None = Field(validation_alias="orderNumber")
    status: _Status
    currency: _Currency = Field(validation_alias=AliasPath("billingTemplate", "currencyType"))
    total_amount: _Amount = Field(validation_alias=AliasPath("billingTemplate", "dueAmount"))
    lines: tuple[OrderLine, ...] = Field(validation_alias=AliasPath("itemList", "item"))
    created_at: _Moment = Field(validation_alias="createDate")
    updated_at: _Moment = Field(validation_alias="updateDate")


def _order(order: canonical.NewOrder, reference: str) -> mapping.Body:
    lines: list[mapping.JsonValue] = [
        {
            "productSellerCode": line.sku,
            "quantity": line.quantity,
            "price": _text(line.unit_amount),
        }
        for line in order.lines
    ]
    return {"orderNumber": reference, "itemList": {"item": lines}}


MARKETPLACE = mapping.Marketplace(
    name="n11",
    currency="TRY",
    resources={
        "products": mapping.Resource(
            "/ws/productService", AliasPath("productList", "product"), Product
        ),
        "prices": mapping.Resource("/ws/priceService", AliasPath("priceList", "price"), Price),
        "stock": mapping.Resource(
            "/ws/productStockService", AliasPath("stockItems", "stockItem"), Stock
        ),
        "orders": mapping.Resource("/ws/orderService", AliasPath("orderList", "order"), Order),
    },
    paging=mapping.Pages(
        number="currentPage", size="pageSize", mark=AliasPath("pagingData", "pageCount")
    ),
    price=lambda price: {
        "price": {
            "displayPrice": _text(price.list_amount),
            "salesPrice": _text(price.sale_amount),
        }
    },
    stock=lambda stock: {"quantity": stock.quantity},
    order=_order,
)
