"""Hepsiburada: amounts as numbers beside their currency, ISO times without their zone."""

import datetime
import zoneinfo
from typing import Annotated

from pydantic import AliasPath, BeforeValidator, Field

from tenfold_gateway import canonical, mapping

_ISTANBUL = zoneinfo.ZoneInfo("Europe/Istanbul")


def _local(value: object) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=_ISTANBUL)


_Moment = Annotated[canonical.Moment, BeforeValidator(_local)]
_Status = Annotated[
    canonical.Status,
    mapping.one_of(
        {
            "Open": "created",
            "Packaged": "picking",
            "InTransit": "shipped",
            "Delivered": "delivered",
            "CancelledByCustomer": "cancelled",
            "Claimed": "returned",
        }
    ),
]


class Product(canonical.Product):
    """A product."""

    sku: canonical.Sku = Field(validation_alias="merchantSku")
    title: str = Field(validation_alias="productName")
    brand: str | None = Field(validation_alias="brandName")
    category: str | None = Field(validation_alias=AliasPath("categoryPath", -1))
    barcode: str | None = Field(validation_alias=AliasPath("barcodes", 0))
    active: bool = Field(validation_alias="isSalable")
    updated_at: _Moment = Field(validation_alias="modifiedDate")


class Price(canonical.Price):
    """A product's prices."""

    sku: canonical.Sku = Field(validation_alias="merchantSku")
    currency: canonical.Currency = Field(validation_alias=AliasPath("price", "currencyCode"))
    list_amount: canonical.Amount = Field(validation_alias=AliasPath("originalPrice", "value"))
    sale_amount: canonical.Amount = Field(validation_alias=AliasPath("price", "value"))
    updated_at: _Moment = Field(validation_alias="modifiedDate")


class Stock(canonical.Stock):
    """A product's stock."""

    sku: canonical.Sku = Field(validation_alias="merchantSku")
    quantity: int = Field(ge=0, validation_alias="availableStock")
    updated_at: _Moment = Field(validation_alias="modifiedDate")


class OrderLine(canonical.OrderLine):
    """A position of an order."""

    sku: canonical.Sku = Field(validation_alias="merchantSku")
    unit_amount: canonical.Amount = Field(validation_alias=AliasPath("unitPrice", "value"))


class Order(canonical.Order):
    """An order."""

    id: str = Field(validation_alias="orderNumber")
    reference: str | None = Field(validation_alias="merchantOrderNumber")
    status: _Status = Field(validation_alias="state")
    currency: canonical.Currency = Field(validation_alias=AliasPath("totalPrice", "currencyCode"))
    total_amount: canonical.Amount = Field(validation_alias=AliasPath("totalPrice", "value"))
    lines: tuple[OrderLine, ...] = Field(validation_alias="items")
    created_at: _Moment = Field(validation_alias="orderDate")
    updated_at: _Moment = Field(validation_alias="statusDate")


def _order(order: canonical.NewOrder, reference: str) -> mapping.Body:
    return {
        "merchantOrderNumber": reference,
        "items": [
            {
                "merchantSku": line.sku,
                "quantity": line.quantity,
                "unitPrice": {"value": float(line.unit_amount), "currencyCode": order.currency},
            }
            for line in order.lines
        ],
    }


MARKETPLACE = mapping.Marketplace(
    name="hepsiburada",
    currency="TRY",
    resources={
        "products": mapping.Resource(
            "/product/api/products/all-products-of-merchant/{seller}", "items", Product
        ),
        "prices": mapping.Resource("/listings/merchantid/{seller}/prices", "items", Price),
        "stock": mapping.Resource("/listings/merchantid/{seller}/stocks", "items", Stock),
        "orders": mapping.Resource("/orders/merchantid/{seller}", "items", Order),
    },
    paging=mapping.Offsets(offset="offset", limit="limit", mark="totalCount"),
    price=lambda price: {
        "originalPrice": {"value": float(price.list_amount), "currencyCode": price.currency},
        "price": {"value": float(price.sale_amount), "currencyCode": price.currency},
    },
    stock=lambda stock: {"availableStock": stock.quantity},
    order=_order,
)
