"""How a marketplace's schema is declared, and the canonical answer made from it.

The declaration is pydantic's own: a subclass of the canonical model says for each field where the
marketplace keeps it (`validation_alias`) and in which unit (the annotation). So validation,
conversion and the name of a bad field come from one place, and all of it runs compiled.
"""

import dataclasses
import decimal
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Protocol, TypeVar

import pydantic
import pydantic_core
from tenfold_runtime import problems

from tenfold_gateway import canonical, metrics

JsonValue = pydantic.JsonValue
Body = dict[str, pydantic.JsonValue]


def one_of(meanings: Mapping[str, canonical.Status]) -> pydantic.BeforeValidator:
    """Return the unit of a status: the marketplace's word to ours."""

    def convert(value: object) -> canonical.Status:
        if isinstance(value, str) and value in meanings:
            return meanings[value]
        raise ValueError(f"is none of: {', '.join(meanings)}")

    return pydantic.BeforeValidator(convert)


def _hundredths(value: object) -> decimal.Decimal:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("is not a whole number of hundredths")
    return decimal.Decimal(value).scaleb(-2)


Hundredths = Annotated[canonical.Amount, pydantic.BeforeValidator(_hundredths)]
"""An amount as a whole number of cents, kuruş or kopecks."""


class Paging(Protocol):
    """How a list is asked for in parts."""

    @property
    def mark(self) -> pydantic.AliasPath | str:
        """Where the answer has what tells whether there is more."""

    def query(self, cursor: str | None, limit: int) -> dict[str, str]:
        """Return the query of the part that begins at the cursor; ValueError for a bad one."""

    def following(self, cursor: str | None, limit: int, mark: int | str | None) -> str | None:
        """Return the cursor of the next part."""


@dataclasses.dataclass(frozen=True)
class Pages:
    """Pages by number, counted from 0; the answer tells how many there are."""

    number: str
    size: str
    mark: pydantic.AliasPath | str

    def query(self, cursor: str | None, limit: int) -> dict[str, str]:
        """Return the query of a page."""
        return {self.number: str(int(cursor or 0)), self.size: str(limit)}

    def following(self, cursor: str | None, limit: int, mark: int | str | None) -> str | None:
        """Return the next page's number."""
        page = int(cursor or 0) + 1
        return str(page) if page < int(mark or 0) else None


@dataclasses.dataclass(frozen=True)
class Offsets:
    """Parts by offset and limit; the answer tells the total."""

    offset: str
    limit: str
    mark: pydantic.AliasPath | str

    def query(self, cursor: str | None, limit: int) -> dict[str, str]:
        """Return the query of the part at an offset."""
        return {self.offset: str(int(cursor or 0)), self.limit: str(limit)}

    def following(self, cursor: str | None, limit: int, mark: int | str | None) -> str | None:
        """Return the next offset."""
        offset = int(cursor or 0) + limit
        return str(offset) if offset < int(mark or 0) else None


@dataclasses.dataclass(frozen=True)
class Tokens:
    """Parts by a token of the answer before; without one the list is at its end."""

    token: str
    limit: str
    mark: pydantic.AliasPath | str

    def query(self, cursor: str | None, limit: int) -> dict[str, str]:
        """Return the query of the part that a token names."""
        return {self.limit: str(limit)} | ({self.token: cursor} if cursor else {})

    def following(self, cursor: str | None, limit: int, mark: int | str | None) -> str | None:
        """Return the token of the next part."""
        return str(mark) if mark else None


@dataclasses.dataclass(frozen=True)
class Resource:
    """One kind of entry: its path below the marketplace's address, where its list is, its form."""

    path: str
    items: pydantic.AliasPath | str
    model: type[canonical.Entry]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Marketplace:
    """All that the gateway knows of a marketplace.

    One entry is read, and prices and stock are PUT, below the list's path; orders are POSTed to
    it. `order` gets what the seller calls the order.
    """

    name: str
    currency: canonical.Currency
    resources: Mapping[canonical.Kind, Resource]
    paging: Paging
    price: Callable[[canonical.NewPrice], Body]
    stock: Callable[[canonical.NewStock], Body]
    order: Callable[[canonical.NewOrder, str], Body]


class _Envelope(pydantic.BaseModel):
    """A list's answer; subclasses say where the marketplace keeps these two."""

    items: tuple[canonical.Entry, ...]
    mark: int | str | None


_Model = TypeVar("_Model", bound=pydantic.BaseModel)


class Mapper:
    """Makes canonical answers from one marketplace's."""

    def __init__(self, marketplace: Marketplace) -> None:
        self._marketplace = marketplace
        self._seconds = metrics.TRANSFORMATION_SECONDS.labels(marketplace.name)
        self._envelopes = {
            kind: _envelope(resource, marketplace.paging)
            for kind, resource in marketplace.resources.items()
        }

    def query(self, cursor: str | None, limit: int) -> dict[str, str]:
        """Return the query of a part of a list; raises the problem of a bad cursor."""
        try:
            return self._marketplace.paging.query(cursor, limit)
        except ValueError as error:
            detail = "is no next_cursor of this list"
            raise problems.ProblemError(
                422,
                "invalid-request",
                "The request is not valid",
                f"query.cursor: {detail}",
                errors=[problems.FieldProblem(field="query.cursor", detail=detail)],
            ) from error

    def page(self, kind: canonical.Kind, content: bytes, cursor: str | None, limit: int) -> bytes:
        """Turn a list's answer into a canonical page, as JSON."""
        start = time.perf_counter()
        found = self._valid(self._envelopes[kind], kind, content)
        following = self._marketplace.paging.following(cursor, limit, found.mark)
        page = pydantic_core.to_json({"items": found.items, "next_cursor": following})
        self._seconds.observe(time.perf_counter() - start)
        return page

    def entry(self, kind: canonical.Kind, content: bytes) -> bytes:
        """Turn the answer about one entry into the canonical entry, as JSON."""
        start = time.perf_counter()
        model = self._marketplace.resources[kind].model
        entry = pydantic_core.to_json(self._valid(model, kind, content))
        self._seconds.observe(time.perf_counter() - start)
        return entry

    def _valid(self, model: type[_Model], kind: canonical.Kind, content: bytes) -> _Model:
        try:
            return model.model_validate_json(content)
        except pydantic.ValidationError as error:
            errors = problems.fields(error, self._marketplace.name, kind)
            raise problems.ProblemError(
                502,
                "upstream-invalid",
                "The marketplace's answer is not what it declares",
                "; ".join(f"{entry.field}: {entry.detail}" for entry in errors[:5]),
                errors=errors,
            ) from error


def _envelope(resource: Resource, paging: Paging) -> type[_Envelope]:
    items = pydantic.Field(validation_alias=resource.items)
    mark = pydantic.Field(default=None, validation_alias=paging.mark)
    return pydantic.create_model(
        f"{resource.model.__module__}.{resource.model.__name__}Envelope",
        __base__=_Envelope,
        items=(tuple[resource.model, ...], items),  # type: ignore[name-defined]
        mark=(int | str | None, mark),
    )
