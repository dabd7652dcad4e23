"""Kubernetes quantities: checked at the border, compared in base units."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_FORM = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<suffix>m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_FACTORS = {
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
}


def base_units(quantity: str) -> Decimal:
    """Return cores or bytes; ValueError where the text is no quantity."""
    matched = _FORM.fullmatch(quantity)
    if matched is None:
        raise ValueError(f"{quantity!r} is no Kubernetes quantity; write it like 250m, 64Mi or 4Gi")
    return Decimal(matched["number"]) * _FACTORS.get(matched["suffix"], Decimal(1))


def _from_yaml(value: object) -> object:
    # YAML reads `cpu: 1` as a number; both spellings mean the same to Kubernetes.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _checked(value: str) -> str:
    if base_units(value) <= 0:
        raise ValueError("must be greater than zero")
    return value


Quantity = Annotated[str, BeforeValidator(_from_yaml), AfterValidator(_checked)]
