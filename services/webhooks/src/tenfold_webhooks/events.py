"""What a webhook tells, whichever marketplace it came from."""

import datetime
from typing import Annotated, Literal

import pydantic

Status = Literal["created", "picking", "shipped", "delivered", "cancelled", "returned"]
Moment = Annotated[
    pydantic.AwareDatetime,
    pydantic.AfterValidator(lambda moment: moment.astimezone(datetime.UTC)),
]


class Line(pydantic.BaseModel):
    """One position of an order."""

    model_config = pydantic.ConfigDict(frozen=True)

    sku: str = pydantic.Field(min_length=1, max_length=128)
    quantity: int = pydantic.Field(gt=0)


class Event(pydantic.BaseModel):
    """An order was created, or has another status."""

    model_config = pydantic.ConfigDict(frozen=True)

    id: str = pydantic.Field(min_length=1, max_length=128)
    order: str = pydantic.Field(min_length=1, max_length=128)
    status: Status
    occurred_at: Moment
    lines: tuple[Line, ...] = ()
    """What was ordered; with `created` only."""
