"""Trendyol: amounts in TRY as numbers, times in milliseconds since 1970."""

from typing import Annotated

from pydantic import Field

from tenfold_gateway import canonical, mapping

_Status = Annotated[
    canonical.Status,
    mapping.one_of(
        {
            "Created": "created",
            "Picking": "picking",
            "Shipped": "shipped",
            "Delivered": "delivered",
            "Cancelled": "cancelled",
            "Returned": "returned",
        }
    ),
]


class Product(canonical.Product):
    """A product."""

    sku: canonical.Sku = Field(validation_alias="stockCode")
    category: str | None = Field(validation_alias="categoryName")
    active: bool = Field(validation_alias="onSale")
    updated_at: canonical.Moment = Field(validation_alias="lastUpdateDate")


class Price(canonical.Price):
    """A product's prices."""

    sku: canonical.Sku = Field(validation_alias="stockCode")
    currency: canonical.Currency = "TRY"
    list_amount: canonical.Amount = Field(validation_alias="listPrice")
    sale_amount: canonical.Amount = Field(validation_alias="salePrice")
    updated_at: canonical.Moment = Field(validation_alias="lastUpdateDate")


class Stock(canonical.Stock):
    """A product's stock."""

    sku: canonical.Sku = Field(validation_alias="stockCode")
    updated_at: canonical.Moment = Field(validation_alias="lastUpdateDate")


class OrderLine(canonical.OrderLine):
    """A position of an order."""

    sku: canonical.Sku = Field(validation_alias="merchantSku")
    unit_amount: canonical.Amount = Field(validation_alias="price")


class Order(canonical.Order):
    """An order."""

    id: str = Field(validation_alias="orderNumber")
    reference: str | None = Field(validation_alias="clientReference")
    status: _Status
    currency: canonical.Currency = Field(validation_alias="currencyCode")
    total_amount: canonical.Amount = Field(validation_alias="totalPrice")
    lines: tuple[OrderLine, ...]
    created_at: canonical.Moment = Field(validation_alias="orderDate")
    updated_at: canonical.Moment = Field(validation_alias="lastModifiedDate")


def _order(order: canonical.NewOrder, reference: str) -> mapping.Body:
    return {
        "clientReference": reference,
        "lines": [
            {
                "merchantSku": line.sku,
                "quantity": line.quantity,
                "price": float(line.unit_amount),
            }
            for line in order.lines
        ],
    }


MARKETPLACE = mapping.Marketplace(
    name="trendyol",
    currency="TRY",
    resources={
        "products": mapping.Resource("/sapigw/suppliers/{seller}/products", "content", Product),
        "prices": mapping.Resource("/sapigw/suppliers/{seller}/prices", "content", Price),
        "stock": mapping.Resource("/sapigw/suppliers/{seller}/inventory", "content", Stock),
        "orders": mapping.Resource("/sapigw/suppliers/{seller}/orders", "content", Order),
    },
    paging=mapping.Pages(number="page", size="size", mark="totalPages"),
    price=lambda price: {
        "listPrice": float(price.list_amount),
        "salePrice": float(price.sale_amount),
    },
    stock=lambda stock: {"quantity": stock.quantity},
    order=_order,
)
