"""Reading and comparing Kubernetes objects in their JSON form."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import cast

from pydantic import JsonValue

from tenfold_operator.model.base import JsonObject

HASH = "tenfold.dev/hash"
"""Annotation with the hash of what the operator applied, so that a removed field shows."""

_QUANTITY = re.compile(r"^([0-9]+(?:\.[0-9]+)?)(m|k|Ki|M|Mi|G|Gi|T|Ti)?$")
_FACTORS = {
    None: Decimal(1),
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


@dataclass(frozen=True, order=True)
class Ref:
    """Where an object is."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def ref_of(manifest: JsonObject) -> Ref:
    """Return where `manifest` is."""
    meta = object_at(manifest, "metadata")
    return Ref(str(manifest["kind"]), text_at(meta, "namespace"), text_at(meta, "name"))


def at(manifest: JsonObject, *path: str) -> JsonValue:
    """Return the value at `path`, None when a part of it is absent."""
    found: JsonValue = manifest
    for name in path:
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def object_at(manifest: JsonObject, *path: str) -> JsonObject:
    """Return the object at `path`, empty when absent."""
    found = at(manifest, *path)
    return found if isinstance(found, dict) else {}


def objects_at(manifest: JsonObject, *path: str) -> tuple[JsonObject, ...]:
    """Return the objects of the list at `path`, none when absent."""
    found = at(manifest, *path)
    return (
        tuple(each for each in found if isinstance(each, dict)) if isinstance(found, list) else ()
    )


def text_at(manifest: JsonObject, *path: str) -> str:
    """Return the text at `path`, empty when absent."""
    found = at(manifest, *path)
    return found if isinstance(found, str) else ""


def number_at(manifest: JsonObject, *path: str) -> int:
    """Return the number at `path`, 0 when absent."""
    found = at(manifest, *path)
    return int(found) if isinstance(found, (int, float)) else 0


def time_at(manifest: JsonObject, *path: str) -> datetime | None:
    """Return the RFC 3339 time at `path`."""
    found = text_at(manifest, *path)
    return datetime.fromisoformat(found) if found else None


def holding(manifest: JsonObject, condition: str) -> JsonObject | None:
    """Return the status condition of that type where it is True; None where it is not."""
    found = objects_at(manifest, "status", "conditions")
    return next(
        (each for each in found if (each.get("type"), each.get("status")) == (condition, "True")),
        None,
    )


def json_copy(value: JsonObject) -> JsonObject:
    """Return a copy that shares nothing with `value`."""
    return cast(JsonObject, json.loads(json.dumps(value)))


def digest(value: JsonValue, length: int = 10) -> str:
    """Return a hash of `value` that does not depend on the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def stamped(manifest: JsonObject) -> JsonObject:
    """Return `manifest` with the annotation HASH over all of it."""
    copy = json_copy(manifest)
    meta = object_at(copy, "metadata")
    meta["annotations"] = {**object_at(meta, "annotations"), HASH: digest(manifest)}
    return copy


def covers(observed: JsonValue, wanted: JsonValue) -> bool:
    """Tell whether everything that `wanted` sets is so in `observed`.

    Fields that `wanted` leaves out are the API server's defaults or somebody else's. An empty
    value equals an absent one, and quantities are compared by what they mean, since the API
    server writes both in its own way.
    """
    if wanted in (None, "", False, 0) or wanted == {} or wanted == []:
        return not observed
    if isinstance(wanted, dict):
        if not isinstance(observed, dict):
            return False
        return all(covers(observed.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(observed, list) and _covers_list(observed, wanted)
    return observed == wanted or quantity(observed) == quantity(wanted) is not None


def _covers_list(observed: list[JsonValue], wanted: list[JsonValue]) -> bool:
    """Compare by name where entries have one: the API server merges in an order of its own."""
    if len(observed) != len(wanted):
        return False
    if _named(wanted) and _named(observed):
        by_name = {str(each["name"]): each for each in _objects(observed)}
        return all(covers(by_name.get(str(each["name"])), each) for each in _objects(wanted))
    return all(map(covers, observed, wanted))


def _objects(values: Iterable[JsonValue]) -> list[JsonObject]:
    return [each for each in values if isinstance(each, dict)]


def _named(values: list[JsonValue]) -> bool:
    names = [each.get("name") for each in _objects(values)]
    return len(names) == len(values) == len(set(map(str, names))) and None not in names


def quantity(value: JsonValue) -> Decimal | None:
    """Return what a Kubernetes quantity such as 100m or 1Gi means; None for what is none."""
    match = _QUANTITY.match(str(value)) if isinstance(value, (str, int, float)) else None
    return Decimal(match[1]) * _FACTORS[match[2]] if match else None
