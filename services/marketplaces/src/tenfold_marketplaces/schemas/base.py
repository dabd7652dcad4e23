"""What the schema of a marketplace has to say of itself."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from tenfold_marketplaces.catalogue import Item, Line, Order

Json = dict[str, object]
Kind = Literal["products", "prices", "stock", "orders"]
Name = Literal["trendyol", "n11", "hepsiburada", "amazon", "ebay", "ozon"]
Query = Mapping[str, str]


class BadRequest(Exception):
    """A query or body that the marketplace does not take."""


@dataclasses.dataclass(frozen=True)
class Window:
    """The part of a list that a request asks for."""

    offset: int
    limit: int
    total: int

    @property
    def end(self) -> int:
        """Where the next part begins."""
        return min(self.offset + self.limit, self.total)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Schema:
    """One marketplace's own form of products, prices, stock and orders.

    A list is at its path; one entry below it, by SKU or order number; prices and stock of a SKU
    are PUT there, and orders are POSTed to the list.
    """

    name: Name
    paths: Mapping[Kind, str]
    window: Callable[[Query, int], tuple[int, int]]
    """Query and total to (offset, limit)."""
    envelope: Callable[[Kind, Sequence[Json], Window], Json]
    render: Mapping[Kind, Callable[[Item], Json]]
    render_order: Callable[[Order], Json]
    read_price: Callable[[Json], tuple[int, int]]
    """Body to (list, sale) in hundredths."""
    read_stock: Callable[[Json], int]
    read_order: Callable[[Json], tuple[str, Sequence[Line]]]
    """Body to (reference, lines)."""
    error: Callable[[int, str], Json]


def number(query: Query, name: str, default: int, *, least: int = 0, most: int = 1000) -> int:
    """Return a whole number of the query; raises BadRequest for anything else."""
    try:
        value = int(query.get(name, default))
    except ValueError as error:
        raise BadRequest(f"{name} is not a number") from error
    if not least <= value <= most:
        raise BadRequest(f"{name} is not between {least} and {most}")
    return value


def at(body: object, *path: str) -> object:
    """Return what is at a path of a body; raises BadRequest where there is nothing."""
    for part in path:
        if not isinstance(body, dict) or part not in body:
            raise BadRequest(f"{'.'.join(path)} is missing")
        body = body[part]
    return body


def rows(body: object, *path: str) -> list[object]:
    """Return the list at a path of a body."""
    found = at(body, *path)
    if not isinstance(found, list):
        raise BadRequest(f"{'.'.join(path)} is not a list")
    return found


def minor(value: object) -> int:
    """Turn 12.34, as number or text, into 1234."""
    try:
        return round(float(str(value)) * 100)
    except ValueError as error:
        raise BadRequest(f"{value!r} is not an amount") from error


def whole(value: object) -> int:
    """Return a whole number; raises BadRequest for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest(f"{value!r} is not a whole number")
    return value


def major(amount: int) -> str:
    """Turn 1234 into the text 12.34."""
    return f"{amount // 100}.{amount % 100:02d}"
