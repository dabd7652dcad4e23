"""N11: the time in one header, base64 of the signature over `time.body` in another."""

import base64
import binascii
import datetime
import zoneinfo
from collections.abc import Mapping
from typing import Annotated

from pydantic import AliasPath, BeforeValidator, Field

from tenfold_webhooks import events, signature
from tenfold_webhooks.source import Source, one_of

SIGNATURE_HEADER = "X-N11-Signature"
TIME_HEADER = "X-N11-Timestamp"

_ISTANBUL = zoneinfo.ZoneInfo("Europe/Istanbul")


def _local(value: object) -> datetime.datetime:
    try:
        moment = datetime.datetime.strptime(str(value), "%d/%m/%Y %H:%M:%S")
    except ValueError:
        raise ValueError("is not a time like 31/12/2026 23:59:59") from None
    return moment.replace(tzinfo=_ISTANBUL)


_Moment = Annotated[events.Moment, BeforeValidator(_local)]
_Status = Annotated[
    events.Status,
    one_of(
        {
            "1": "created",
            "2": "picking",
            "3": "shipped",
            "4": "delivered",
            "5": "cancelled",
            "6": "returned",
        }
    ),
]


class Line(events.Line):
    """One position; N11 sends the quantity as text."""

    sku: str = Field(min_length=1, validation_alias="productSellerCode")


class Event(events.Event):
    """One event."""

    id: str = Field(min_length=1, validation_alias="notificationId")
    order: str = Field(min_length=1, validation_alias=AliasPath("content", "orderNumber"))
    status: _Status = Field(validation_alias=AliasPath("content", "orderStatus"))
    occurred_at: _Moment = Field(validation_alias="date")
    lines: tuple[Line, ...] = Field(
        default=(), validation_alias=AliasPath("content", "itemList", "item")
    )


def _claim(headers: Mapping[str, str]) -> signature.Claim:
    moment = signature.header(headers, TIME_HEADER)
    try:
        digest = base64.b64decode(signature.header(headers, SIGNATURE_HEADER), validate=True)
        return signature.Claim(int(moment), f"{moment}.".encode(), digest)
    except (binascii.Error, ValueError):
        raise signature.NotAuthentic(
            f"{TIME_HEADER} is not a number of seconds or {SIGNATURE_HEADER} is not base64"
        ) from None


SOURCE = Source(name="n11", claim=_claim, model=Event)
