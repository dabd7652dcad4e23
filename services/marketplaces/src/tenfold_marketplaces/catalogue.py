"""What a marketplace sells and has sold: seeded, and changed by the calls it gets."""

import dataclasses
import datetime
import random
from collections.abc import Sequence

_EPOCH = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_BRANDS = ("Anadolu", "Bosporus", "Cappadocia", "Demir", "Ege")
_KINDS = ("Kettle", "Lamp", "Rucksack", "Headphones", "Carpet", "Notebook", "Desk", "Trainers")
_COLOURS = ("red", "green", "blue", "black", "white")
STATUSES = ("created", "picking", "shipped", "delivered", "cancelled", "returned")
_ORDERS = 200


@dataclasses.dataclass(frozen=True)
class Item:
    """One product with its price and stock; amounts in hundredths of the currency."""

    sku: str
    title: str
    brand: str
    category: str
    barcode: str
    active: bool
    list_minor: int
    sale_minor: int
    quantity: int
    updated_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class Line:
    """One position of an order."""

    sku: str
    quantity: int
    unit_minor: int


@dataclasses.dataclass(frozen=True)
class Order:
    """One order; `reference` is what the client called it."""

    number: str
    reference: str
    status: str
    lines: tuple[Line, ...]
    created_at: datetime.datetime
    updated_at: datetime.datetime

    @property
    def total_minor(self) -> int:
        """The sum over the lines."""
        return sum(line.quantity * line.unit_minor for line in self.lines)


class Catalogue:
    """One marketplace's products and orders. The same seed makes the same ones."""

    def __init__(self, marketplace: str, seed: int, products: int) -> None:
        # Not for secrets: a seed has to make the same catalogue each time.
        chance = random.Random(f"{seed}:{marketplace}")  # noqa: S311
        self._items = {item.sku: item for item in (_item(n, chance) for n in range(products))}
        self._orders = {order.number: order for order in _sold(self.items, chance)}

    @property
    def items(self) -> Sequence[Item]:
        """All products, in order of their SKUs."""
        return tuple(self._items.values())

    @property
    def orders(self) -> Sequence[Order]:
        """All orders, oldest first."""
        return tuple(self._orders.values())

    def item(self, sku: str) -> Item | None:
        """Return one product."""
        return self._items.get(sku)

    def order(self, number: str) -> Order | None:
        """Return one order."""
        return self._orders.get(number)

    def reprice(self, sku: str, list_minor: int, sale_minor: int) -> Item:
        """Set a product's prices."""
        return self._change(sku, list_minor=list_minor, sale_minor=sale_minor)

    def restock(self, sku: str, quantity: int) -> Item:
        """Set what is there of a product."""
        return self._change(sku, quantity=quantity)

    def take_order(self, reference: str, lines: Sequence[Line]) -> Order:
        """Add an order. As real marketplaces do, it takes the same reference twice."""
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        number = str(len(self._orders) + 1)
        order = Order(number, reference, STATUSES[0], tuple(lines), now, now)
        self._orders[number] = order
        return order

    def _change(self, sku: str, **changes: int) -> Item:
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        # Each value keeps its field's type, which replace cannot see.
        item = dataclasses.replace(self._items[sku], updated_at=now, **changes)  # type: ignore[arg-type]
        self._items[sku] = item
        return item


def _item(number: int, chance: random.Random) -> Item:
    list_minor = chance.randrange(1_00, 5_000_00)
    return Item(
        sku=f"SKU-{number:06d}",
        title=f"{chance.choice(_BRANDS)} {chance.choice(_KINDS)} {chance.choice(_COLOURS)}",
        brand=chance.choice(_BRANDS),
        category=chance.choice(_KINDS),
        barcode=f"869{number:010d}",
        active=chance.random() > 0.1,
        list_minor=list_minor,
        sale_minor=list_minor * chance.randrange(70, 101) // 100,
        quantity=chance.randrange(0, 500),
        updated_at=_EPOCH + datetime.timedelta(minutes=chance.randrange(200_000)),
    )


def _sold(items: Sequence[Item], chance: random.Random) -> list[Order]:
    orders = []
    for number in range(1, _ORDERS + 1):
        bought = chance.sample(items, k=min(len(items), chance.randrange(1, 4)))
        lines = tuple(Line(i.sku, chance.randrange(1, 4), i.sale_minor) for i in bought)
        created = _EPOCH + datetime.timedelta(minutes=number * 60)
        updated = created + datetime.timedelta(minutes=chance.randrange(5_000))
        status = chance.choice(STATUSES)
        orders.append(Order(str(number), f"seed-{number}", status, lines, created, updated))
    return orders
