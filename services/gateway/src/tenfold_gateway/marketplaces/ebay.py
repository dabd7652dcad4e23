"""eBay: amounts in EUR as text beside their currency, parts by offset."""

import decimal
from typing import Annotated

from pydantic import AliasPath, BeforeValidator, Field

from tenfold_gateway import canonical, mapping

_Active = Annotated[bool, BeforeValidator(lambda value: value == "ACTIVE")]
_Status = Annotated[
    canonical.Status,
    mapping.one_of(
        {
            "NOT_STARTED": "created",
            "IN_PROGRESS": "picking",
            "FULFILLED": "shipped",
            "DELIVERED": "delivered",
            "CANCELED": "cancelled",
            "RETURNED": "returned",
        }
    ),
]
_SALE = "pricingSummary", "price"
_LIST = "pricingSummary", "originalRetailPrice"
_TOTAL = "pricingSummary", "total"


class Product(canonical.Product):
    """A product."""

    title: str = Field(validation_alias=AliasPath("product", "title"))
    brand: str | None = Field(validation_alias=AliasPath("product", "brand"))
    category: str | None = Field(validation_alias=AliasPath("product", "aspects", "Type", 0))
    barcode: str | None = Field(validation_alias=AliasPath("product", "ean", 0))
    active: _Active = Field(validation_alias="listingStatus")
    updated_at: canonical.Moment = Field(validation_alias="lastModified")


class Price(canonical.Price):
    """A product's prices."""

    currency: canonical.Currency = Field(validation_alias=AliasPath(*_SALE, "currency"))
    list_amount: canonical.Amount = Field(validation_alias=AliasPath(*_LIST, "value"))
    sale_amount: canonical.Amount = Field(validation_alias=AliasPath(*_SALE, "value"))
    updated_at: canonical.Moment = Field(validation_alias="lastModified")


class Stock(canonical.Stock):
    """A product's stock."""

    quantity: int = Field(
        ge=0, validation_alias=AliasPath("availability", "shipToLocationAvailability", "quantity")
    )
    updated_at: canonical.Moment = Field(validation_alias="lastModified")


class OrderLine(canonical.OrderLine):
    """A position of an order."""

    unit_amount: canonical.Amount = Field(validation_alias=AliasPath("lineItemCost", "value"))


class Order(canonical.Order):
    """An order."""

    id: str = Field(validation_alias="orderId")
    reference: str | None = Field(validation_alias="salesRecordReference")
    status: _Status = Field(validation_alias="orderFulfillmentStatus")
    currency: canonical.Currency = Field(validation_alias=AliasPath(*_TOTAL, "currency"))
    total_amount: canonical.Amount = Field(validation_alias=AliasPath(*_TOTAL, "value"))
    lines: tuple[OrderLine, ...] = Field(validation_alias="lineItems")
    created_at: canonical.Moment = Field(validation_alias="creationDate")
    updated_at: canonical.Moment = Field(validation_alias="lastModifiedDate")


def _money(amount: decimal.Decimal, currency: str) -> mapping.Body:
    return {"value": f"{amount:.2f}", "currency": currency}


def _order(order: canonical.NewOrder, reference: str) -> mapping.Body:
    return {
        "salesRecordReference": reference,
        "lineItems": [
            {
                "sku": line.sku,
                "quantity": line.quantity,
                "lineItemCost": _money(line.unit_amount, order.currency),
            }
            for line in order.lines
        ],
    }


MARKETPLACE = mapping.Marketplace(
    name="ebay",
    currency="EUR",
    resources={
        "products": mapping.Resource(
            "/sell/inventory/v1/inventory_item", "inventoryItems", Product
        ),
        "prices": mapping.Resource("/sell/inventory/v1/offer", "offers", Price),
        "stock": mapping.Resource("/sell/inventory/v1/availability", "inventory", Stock),
        "orders": mapping.Resource("/sell/fulfillment/v1/order", "orders", Order),
    },
    paging=mapping.Offsets(offset="offset", limit="limit", mark="total"),
    price=lambda price: {
        "pricingSummary": {
            "originalRetailPrice": _money(price.list_amount, price.currency),
            "price": _money(price.sale_amount, price.currency),
        }
    },
    stock=lambda stock: {
        "availability": {"shipToLocationAvailability": {"quantity": stock.quantity}}
    },
    order=_order,
)
