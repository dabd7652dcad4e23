"""Whether JSON is what Grafana's schema says, as its SDK states it in types.

The SDK is made by Grafana out of its own schemas, one release for each of Grafana. They cover
boards, the options and fields of each kind of panel, and the queries of each source.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterator

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

# Without it, what belongs to a kind of panel or of data source is passed on unread.
plugins.register_default_plugins()


def violations(document: dict[str, typing.Any]) -> list[str]:
    """Return what is wrong with a board: unknown fields, and values of another type."""
    read = Dashboard.from_json(document)
    return [*_differences(document, _plain(read), "board"), *_mismatches(read, "board")]


def _plain(value: object) -> typing.Any:
    to_json = getattr(value, "to_json", None)
    if callable(to_json):
        return _plain(to_json())
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.value if isinstance(value, enum.Enum) else value


def _differences(before: object, after: object, path: str) -> Iterator[str]:
    """What the schema does not know gets lost between reading and writing."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before | after:
            if key not in after:
                yield f"{path}.{key} is not in the schema"
            elif key in before:
                yield from _differences(before[key], after[key], f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            yield from _differences(*pair, f"{path}[{number}]")
    elif before != after:
        yield f"{path} is {before!r}, and {after!r} after reading it"


def _mismatches(value: object, path: str) -> Iterator[str]:
    for name, hint in typing.get_type_hints(type(value)).items():
        if not name.startswith("_") and hasattr(value, name):
            yield from _against(getattr(value, name), hint, f"{path}.{name}")


def _against(value: object, hint: typing.Any, path: str) -> Iterator[str]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        wanted = [each for each in arguments if value is None or each is not type(None)]
        found = [list(_against(value, each, path)) for each in wanted]
        if all(found):
            yield from found[0]
    elif origin is typing.Literal:
        if value not in arguments:
            yield f"{path} is {value!r}, not one of {arguments}"
    elif origin is list:
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for number, each in enumerate(value):
            yield from _against(each, arguments[0], f"{path}[{number}]")
    elif origin is dict:
        if not isinstance(value, dict):
            yield f"{path} is no object"
            return
        for key, each in value.items():
            yield from _against(each, arguments[1], f"{path}.{key}")
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        if value not in {each.value for each in hint}:
            yield f"{path} is {value!r}, which {hint.__name__} has not"
    elif hint in (object, typing.Any):
        yield from _mismatches(value, path)
    elif isinstance(hint, type):
        kinds = (int, float) if hint is float else (hint,)
        if not isinstance(value, kinds) or (hint in (int, float) and isinstance(value, bool)):
            yield f"{path} is {value!r}, not {hint.__name__}"
        else:
            yield from _mismatches(value, path)
