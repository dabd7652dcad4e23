"""Reading a stack's configuration: every mistake in one message, before the first resource."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tenfold_infra.config.models import Platform, Section

PREFIX = "tenfold:"


class ConfigError(Exception):
    """The stack's configuration cannot be used; the message lists every mistake."""


def parse(entries: Mapping[str, str]) -> Platform:
    """Return the platform that a stack's configuration describes.

    `entries` maps full keys (`tenfold:gateway`) to values as the engine hands them over: text,
    which for structured values is JSON. Keys of other projects and providers are left alone.
    Raises ConfigError with all mistakes, each with its key and what is allowed.
    """
    problems: list[str] = []
    values: dict[str, object] = {}
    for key, text in sorted(entries.items()):
        if not key.startswith(PREFIX):
            continue
        try:
            values[key.removeprefix(PREFIX)] = json.loads(text)
        except json.JSONDecodeError:
            problems.append(f"{key}: must be a section with keys, not the text {text!r}")
    unreadable = {problem.partition(":")[2].partition(":")[0] for problem in problems}
    try:
        platform = Platform.model_validate(values)
    except ValidationError as error:
        problems += [
            _describe(detail)
            for detail in error.errors(include_url=False)
            if not unreadable.intersection(detail["loc"][:1])
        ]
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise ConfigError(
            f"the stack's configuration has {len(problems)} mistake(s); nothing was changed:\n"
            f"{listed}\nCorrect them in infra/stacks/Pulumi.<stack>.yaml and run it again."
        )
    return platform


def _describe(detail: ErrorDetails) -> str:
    key = _key(detail["loc"])
    match detail["type"]:
        case "extra_forbidden":
            allowed = ", ".join(sorted(_keys_beside(detail["loc"])))
            return f"{key}: unknown key; allowed here: {allowed}"
        case "missing":
            return f"{key}: required"
        case "value_error":
            return f"{key}: {detail['ctx']['error']}"
        case "string_pattern_mismatch":
            return f"{key}: {detail['input']!r} must match {detail['ctx']['pattern']}"
        case _:
            return f"{key}: {detail['msg']}, not {detail['input']!r}"


def _key(location: tuple[int | str, ...]) -> str:
    if not location:
        return PREFIX.removesuffix(":")
    first, *rest = location
    return f"{PREFIX}{first}" + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest
    )


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    model: type[Section] = Platform
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        field = next(f for f in model.model_fields.values() if f.alias == part)
        model = _section(field.annotation)
    return [field.alias or name for name, field in model.model_fields.items()]


def _section(annotation: object) -> type[Section]:
    """Find the section inside `Section`, `Section | None` or `tuple[Section, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    inner = getattr(annotation, "__args__", ())
    return next(arg for arg in inner if isinstance(arg, type) and issubclass(arg, Section))
