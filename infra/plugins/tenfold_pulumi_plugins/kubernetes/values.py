"""Pulumi's property values: JSON, and two things more: secrets, and what a preview cannot know."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

# Objects of every kind pass through this provider unread, so their shape is JSON's: any.
Json: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Secret:
    """A value that the state encrypts and no output shows."""

    value: Json


class Unknown:
    """A value that is known only once what it comes from has been created."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


def decode(struct: struct_pb2.Struct) -> JsonObject:
    """The properties in a request, with Secret and UNKNOWN in them and without nulls in objects."""
    return {
        key: decoded
        for key, value in struct.fields.items()
        if (decoded := _decode(value)) is not None
    }


def _decode(value: struct_pb2.Value) -> Json:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if rpc._special_sig_key not in fields:
            return decode(value.struct_value)
        if fields[rpc._special_sig_key].string_value != rpc._special_secret_sig:
            raise ValueError("assets and resource references have no place in a Kubernetes object")
        return Secret(_decode(fields["value"]))
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
    if kind == "number_value":
        # The wire has floats only; Kubernetes wants its integers back.
        return int(value.number_value) if value.number_value.is_integer() else value.number_value
    if kind == "bool_value":
        return value.bool_value
    return None


def encode(properties: JsonObject) -> struct_pb2.Struct:
    """The inverse of `decode`."""
    struct = struct_pb2.Struct()
    struct.update(_encode(properties))
    return struct


def _encode(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _encode(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_encode(item) for item in value]
    if isinstance(value, Secret):
        return {rpc._special_sig_key: rpc._special_secret_sig, "value": _encode(value.value)}
    if isinstance(value, Unknown):
        return rpc.UNKNOWN
    return value


def plain(value: Json) -> Json:
    """The value without its secret marks, and apart from the original."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def has_unknown(value: Json) -> bool:
    """Whether any part of the value is UNKNOWN."""
    return any(isinstance(leaf, Unknown) for leaf, _ in _leaves(value, secret=False))


def secret_texts(value: Json) -> set[str]:
    """Every text in the value that is secret."""
    return {leaf for leaf, secret in _leaves(value, secret=False) if secret and _is_text(leaf)}


def redact(message: str, secrets: set[str]) -> str:
    """The message with every secret text in it replaced."""
    for text in sorted(secrets, key=len, reverse=True):
        message = message.replace(text, "[secret]")
    return message


def mark_secrets(properties: JsonObject, like: JsonObject) -> JsonObject:
    """The properties with those marked secret that are secret in `like`, or are a Secret's data."""
    marked = {key: _mark(value, like.get(key)) for key, value in properties.items()}
    if properties.get("kind") == "Secret":
        for key in marked.keys() & {"data", "stringData"}:
            marked[key] = Secret(plain(marked[key]))
    return marked


def _mark(value: Json, like: Json) -> Json:
    if isinstance(value, Secret):
        return value
    if isinstance(value, dict) and isinstance(like, dict):
        return mark_secrets(value, like)
    if any(secret for _, secret in _leaves(like, secret=False)):
        return Secret(plain(value))
    return value


def rename_keys(value: Json, rename: Callable[[str], str]) -> Json:
    """The value with every key of every object in it renamed."""
    if isinstance(value, Secret):
        return Secret(rename_keys(value.value, rename))
    if isinstance(value, dict):
        return {rename(key): rename_keys(member, rename) for key, member in value.items()}
    if isinstance(value, list):
        return [rename_keys(item, rename) for item in value]
    return value


def _is_text(leaf: Json) -> bool:
    return isinstance(leaf, str) and leaf != ""


def _leaves(value: Json, *, secret: bool) -> Iterator[tuple[Json, bool]]:
    if isinstance(value, Secret):
        yield from _leaves(value.value, secret=True)
    elif isinstance(value, dict):
        for member in value.values():
            yield from _leaves(member, secret=secret)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, secret=secret)
    else:
        yield value, secret
