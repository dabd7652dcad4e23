"""Trendyol: one header `t=milliseconds,v1=hexadecimal` over `t.body`; times in milliseconds."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AliasPath, Field

from tenfold_webhooks import events, signature
from tenfold_webhooks.source import Source, one_of

HEADER = "X-Trendyol-Signature"

_Status = Annotated[
    events.Status,
    one_of(
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


class Line(events.Line):
    """One position."""

    sku: str = Field(min_length=1, validation_alias="merchantSku")


class Event(events.Event):
    """One event."""

    id: str = Field(min_length=1, validation_alias="eventId")
    order: str = Field(min_length=1, validation_alias=AliasPath("order", "orderNumber"))
    status: _Status = Field(validation_alias=AliasPath("order", "status"))
    occurred_at: events.Moment = Field(validation_alias="eventDate")
    lines: tuple[Line, ...] = Field(default=(), validation_alias=AliasPath("order", "lines"))


def _claim(headers: Mapping[str, str]) -> signature.Claim:
    parts = dict(
        part.strip().split("=", 1)
        for part in signature.header(headers, HEADER).split(",")
        if "=" in part
    )
    try:
        moment = parts["t"]
        return signature.Claim(
            int(moment) / 1000, f"{moment}.".encode(), bytes.fromhex(parts["v1"])
        )
    except (KeyError, ValueError):
        raise signature.NotAuthentic(f"{HEADER} is not like t=…,v1=…") from None


SOURCE = Source(name="trendyol", claim=_claim, model=Event)
