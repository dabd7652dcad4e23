"""The one model of products, prices, stock and orders that all marketplaces are mapped to."""

import datetime
import decimal
from typing import Annotated, Generic, Literal, Self, TypeVar

import pydantic

Kind = Literal["products", "prices", "stock", "orders"]
KINDS: tuple[Kind, ...] = ("products", "prices", "stock", "orders")

Currency = Literal["TRY", "USD", "EUR", "RUB"]
Status = Literal["created", "picking", "shipped", "delivered", "cancelled", "returned"]

Sku = Annotated[str, pydantic.Field(min_length=1, max_length=128)]
_CENT = decimal.Decimal("0.01")
Amount = Annotated[
    decimal.Decimal,
    pydantic.Field(ge=0, max_digits=14, decimal_places=2),
    pydantic.AfterValidator(lambda amount: amount.quantize(_CENT)),
]
"""In units of the currency; JSON has it as text, so that nobody's floats change it."""
Moment = Annotated[
    pydantic.AwareDatetime,
    pydantic.AfterValidator(lambda moment: moment.astimezone(datetime.UTC)),
]
"""A time in UTC."""


class Entry(pydantic.BaseModel):
    """What all entries have in common."""

    model_config = pydantic.ConfigDict(frozen=True)


class Product(Entry):
    """A product as it is listed."""

    sku: Sku
    title: str
    brand: str | None
    category: str | None
    barcode: str | None
    active: bool
    updated_at: Moment


class Price(Entry):
    """What a product costs: the list price and the one that customers pay."""

    sku: Sku
    currency: Currency
    list_amount: Amount
    sale_amount: Amount
    updated_at: Moment


class Stock(Entry):
    """How much of a product can be sold."""

    sku: Sku
    quantity: int = pydantic.Field(ge=0)
    updated_at: Moment


class OrderLine(Entry):
    """One position of an order."""

    sku: Sku
    quantity: int = pydantic.Field(gt=0)
    unit_amount: Amount


class Order(Entry):
    """An order; `reference` is what the seller calls it."""

    id: str
    reference: str | None
    status: Status
    currency: Currency
    total_amount: Amount
    lines: tuple[OrderLine, ...]
    created_at: Moment
    updated_at: Moment


class Wanted(pydantic.BaseModel):
    """What all bodies have in common: a field that is not known is a mistake, not ignored."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class NewPrice(Wanted):
    """A product's new prices, in the marketplace's currency."""

    currency: Currency
    list_amount: Amount
    sale_amount: Amount

    @pydantic.model_validator(mode="after")
    def _not_above_list(self) -> Self:
        if self.sale_amount > self.list_amount:
            raise ValueError("sale_amount is above list_amount")
        return self


class NewStock(Wanted):
    """A product's new stock."""

    quantity: int = pydantic.Field(ge=0, le=10_000_000)


class NewOrderLine(Wanted):
    """One position of a new order."""

    sku: Sku
    quantity: int = pydantic.Field(gt=0, le=100_000)
    unit_amount: Amount


class NewOrder(Wanted):
    """An order to be placed, in the marketplace's currency."""

    currency: Currency
    lines: tuple[NewOrderLine, ...] = pydantic.Field(min_length=1, max_length=100)

    @property
    def total_amount(self) -> decimal.Decimal:
        """The sum over the lines."""
        return sum((line.quantity * line.unit_amount for line in self.lines), decimal.Decimal())


_Entry = TypeVar("_Entry", bound=Entry)


class Page(pydantic.BaseModel, Generic[_Entry]):
    """A part of a list; `next_cursor` asks for the next one and is null at the end."""

    items: list[_Entry]
    next_cursor: str | None
