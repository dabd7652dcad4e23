"""Property paths as Pulumi writes them: `spec.containers[0].env`, `metadata.labels["a/b"]`."""

import re
from typing import Final, TypeAlias

from tenfold_pulumi_plugins.kubernetes.values import Json

Path: TypeAlias = tuple[str | int, ...]

# Stands for any key or index in a path.
ANY: Final = "*"

_SEGMENT = re.compile(r'\.?(?P<name>[^.\["\]]+)|\[(?P<index>\d+|\*)\]|\.?\["(?P<key>[^"]*)"\]')
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$-]*\Z")


def parse(text: str) -> Path:
    """The segments of a path; raises ValueError where it is malformed."""
    segments: list[str | int] = []
    position = 0
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is not a property path (from {text[position:]!r} on)")
        index = match["index"]
        if index is not None:
            segments.append(ANY if index == "*" else int(index))
        else:
            segments.append(match["name"] if match["name"] is not None else match["key"])
        position = match.end()
    return tuple(segments)


def render(path: Path) -> str:
    """The path as Pulumi writes it."""
    text = ""
    for segment in path:
        if isinstance(segment, int):
            text += f"[{segment}]"
        elif _PLAIN_NAME.match(segment):
            text += f".{segment}" if text else segment
        else:
            text += f'["{segment}"]'
    return text


def covers(pattern: Path, path: Path) -> bool:
    """Whether the path is what the pattern names, or lies within it."""
    return len(pattern) <= len(path) and all(
        wanted in (ANY, segment) for wanted, segment in zip(pattern, path, strict=False)
    )


def overlaps(pattern: Path, path: Path) -> bool:
    """Whether one of the two lies within the other."""
    return all(wanted in (ANY, segment) for wanted, segment in zip(pattern, path, strict=False))


def copy_values(pattern: Path, source: Json, target: Json) -> None:
    """Give `target` the values that `source` has at the pattern, in place."""
    if not pattern:
        return
    head, rest = pattern[0], pattern[1:]
    for segment in _matching(head, source, target):
        if not _has(source, segment):
            if not rest and isinstance(target, dict):
                target.pop(str(segment), None)
        elif rest and _has(target, segment):
            copy_values(rest, source[segment], target[segment])
        elif not rest and (isinstance(target, dict) or _has(target, segment)):
            target[segment] = source[segment]


def _matching(head: str | int, source: Json, target: Json) -> list[str | int]:
    if head != ANY:
        return [head]
    if isinstance(target, list):
        return list(range(min(len(source), len(target)))) if isinstance(source, list) else []
    return [key for key in target if _has(source, key)] if isinstance(target, dict) else []


def _has(value: Json, segment: str | int) -> bool:
    if isinstance(value, dict):
        return segment in value
    return isinstance(value, list) and isinstance(segment, int) and segment < len(value)
