"""Amazon: everything in a payload, amounts in USD as text, pages by token."""

import decimal
from typing import Annotated

from pydantic import AliasPath, BeforeValidator, Field

from tenfold_gateway import canonical, mapping


def _buyable(value: object) -> bool:
    return isinstance(value, list) and "BUYABLE" in value


_Active = Annotated[bool, BeforeValidator(_buyable)]
_Status = Annotated[
    canonical.Status,
    mapping.one_of(
        {
            "Unshipped": "created",
            "PartiallyShipped": "picking",
            "Shipped": "shipped",
            "Delivered": "delivered",
            "Canceled": "cancelled",
            "Returned": "returned",
        }
    ),
]
_BARCODE = AliasPath("attributes", "externally_assigned_product_identifier", 0, "value")
_SALE = "BuyingPrice", "LandedPrice"


class Product(canonical.Product):
    """A product."""

    title: str = Field(validation_alias=AliasPath("attributes", "item_name", 0, "value"))
    brand: str | None = Field(validation_alias=AliasPath("attributes", "brand", 0, "value"))
    category: str | None = Field(validation_alias=AliasPath("summaries", 0, "productType"))
    barcode: str | None = Field(validation_alias=_BARCODE)
    active: _Active = Field(validation_alias=AliasPath("summaries", 0, "status"))
    updated_at: canonical.Moment = Field(
        validation_alias=AliasPath("summaries", 0, "lastUpdatedDate")
    )


class Price(canonical.Price):
    """A product's prices."""

    sku: canonical.Sku = Field(validation_alias="SellerSKU")
    currency: canonical.Currency = Field(validation_alias=AliasPath(*_SALE, "CurrencyCode"))
    list_amount: canonical.Amount = Field(validation_alias=AliasPath("ListPrice", "Amount"))
    sale_amount: canonical.Amount = Field(validation_alias=AliasPath(*_SALE, "Amount"))
    updated_at: canonical.Moment = Field(validation_alias="LastUpdated")


class Stock(canonical.Stock):
    """A product's stock."""

    sku: canonical.Sku = Field(validation_alias="sellerSku")
    quantity: int = Field(
        ge=0, validation_alias=AliasPath("inventoryDetails", "fulfillableQuantity")
    )
    updated_at: canonical.Moment = Field(validation_alias="lastUpdatedTime")


class OrderLine(canonical.OrderLine):
    """A position of an order."""

    sku: canonical.Sku = Field(validation_alias="SellerSKU")
    quantity: int = Field(gt=0, validation_alias="QuantityOrdered")
    unit_amount: canonical.Amount = Field(validation_alias=AliasPath("ItemPrice", "Amount"))


class Order(canonical.Order):
    """An order."""

    id: str = Field(validation_alias="AmazonOrderId")
    reference: str | None = Field(validation_alias="SellerOrderId")
    status: _Status = Field(validation_alias="OrderStatus")
    currency: canonical.Currency = Field(validation_alias=AliasPath("OrderTotal", "CurrencyCode"))
    total_amount: canonical.Amount = Field(validation_alias=AliasPath("OrderTotal", "Amount"))
    lines: tuple[OrderLine, ...] = Field(validation_alias="OrderItems")
    created_at: canonical.Moment = Field(validation_alias="PurchaseDate")
    updated_at: canonical.Moment = Field(validation_alias="LastUpdateDate")


def _money(amount: decimal.Decimal, currency: str) -> mapping.Body:
    return {"CurrencyCode": currency, "Amount": f"{amount:.2f}"}


def _order(order: canonical.NewOrder, reference: str) -> mapping.Body:
    return {
        "SellerOrderId": reference,
        "OrderItems": [
            {
                "SellerSKU": line.sku,
                "QuantityOrdered": line.quantity,
                "ItemPrice": _money(line.unit_amount, order.currency),
            }
            for line in order.lines
        ],
    }


def _list(name: str) -> AliasPath:
    return AliasPath("payload", name)


MARKETPLACE = mapping.Marketplace(
    name="amazon",
    currency="USD",
    resources={
        "products": mapping.Resource(
            "/listings/2021-08-01/items/{seller}", _list("items"), Product
        ),
        "prices": mapping.Resource("/products/pricing/v0/price", _list("offers"), Price),
        "stock": mapping.Resource(
            "/fba/inventory/v1/summaries", _list("inventorySummaries"), Stock
        ),
        "orders": mapping.Resource("/orders/v0/orders", _list("Orders"), Order),
    },
    paging=mapping.Tokens(
        token="nextToken",  # noqa: S106 (a parameter's name)
        limit="pageSize",
        mark=AliasPath("payload", "pagination", "nextToken"),
    ),
    price=lambda price: {
        "ListPrice": _money(price.list_amount, price.currency),
        "BuyingPrice": {"LandedPrice": _money(price.sale_amount, price.currency)},
    },
    stock=lambda stock: {"inventoryDetails": {"fulfillableQuantity": stock.quantity}},
    order=_order,
)
