"""The annotation pulumi.com/waitFor: what to wait for instead of what the kind implies.

    condition=Ready            condition=Ready=False
    jsonpath={.status.phase}   jsonpath={.status.phase}=Running
    ["condition=A", "jsonpath={.status.b}"]     all of them

as `kubectl wait --for` has it. Of JSONPath it takes fields, indexes, `[*]` and filters that compare
for equality, such as `{.status.conditions[?(@.type=="Ready")].status}`.
"""

import json
import re
from collections.abc import Callable
from typing import Final, TypeAlias

from tenfold_pulumi_plugins.kubernetes import readiness
from tenfold_pulumi_plugins.kubernetes.values import Json, JsonObject

ANNOTATION: Final = "pulumi.com/waitFor"

_Test: TypeAlias = Callable[[JsonObject], readiness.Verdict]

_STEP = re.compile(
    r"""\.?(?P<name>[A-Za-z0-9_-]+)
      | \[\s*(?:(?P<index>-?\d+) | (?P<all>\*) | '(?P<quoted>[^']*)' | "(?P<double>[^"]*)"
        | \?\(\s*@\.(?P<field>[A-Za-z0-9_.-]+)\s*==\s*(?:"(?P<equals>[^"]*)"|'(?P<equals2>[^']*)'
          | (?P<bare>[A-Za-z0-9_.-]+))\s*\))\s*\]""",
    re.VERBOSE,
)


def parse(annotation: str) -> readiness.Check:
    """The check that the annotation asks for; raises ValueError saying what is wrong with it."""
    try:
        values = json.loads(annotation)
    except ValueError:
        values = annotation
    expressions = values if isinstance(values, list) else [annotation]
    if not expressions:
        raise ValueError("pulumi.com/waitFor names no condition")
    tests = [_parse_one(str(expression)) for expression in expressions]

    def check(obj: JsonObject, _: readiness.Surroundings) -> readiness.Verdict:
        for test in tests:
            verdict = test(obj)
            if verdict != readiness.Ready():
                return verdict
        return readiness.Ready()

    return check


def _parse_one(expression: str) -> _Test:
    if expression.startswith("condition="):
        kind, _, status = expression.removeprefix("condition=").partition("=")
        return lambda obj: _check_condition(obj, kind, status or "True")
    match = re.fullmatch(r"jsonpath=\{\s*\$?(?P<path>.+?)\s*\}(?:=(?P<value>.+))?", expression)
    if match is None:
        raise ValueError(
            f"pulumi.com/waitFor: {expression!r} is neither condition=TYPE[=STATUS] nor "
            "jsonpath={.path}[=VALUE]"
        )
    path, value = match["path"], match["value"]
    select({}, path)
    return lambda obj: _check_path(obj, path, value)


def _check_condition(obj: JsonObject, kind: str, status: str) -> readiness.Verdict:
    found = readiness.condition(obj, kind)
    if found is None:
        return readiness.Waiting(f"it has no condition {kind} yet")
    observed = found.get("observedGeneration", readiness.at(obj, "status", "observedGeneration"))
    if observed is not None and observed < obj["metadata"].get("generation", 0):
        return readiness.Waiting(f"its condition {kind} is of an older generation")
    if str(found.get("status", "")).lower() == status.lower():
        return readiness.Ready()
    why = ": ".join(str(found[key]) for key in ("reason", "message") if found.get(key))
    return readiness.Waiting(
        f"its condition {kind} is {found.get('status')}, not {status}"
        + (f" ({why})" if why else "")
    )


def _check_path(obj: JsonObject, path: str, value: str | None) -> readiness.Verdict:
    found = select(obj, path)
    if not found:
        return readiness.Waiting(f"it has nothing at {{{path}}} yet")
    text = found[0] if isinstance(found[0], str) else json.dumps(found[0])
    if value is None or text == value:
        return readiness.Ready()
    return readiness.Waiting(f"{{{path}}} is {text}, not {value}")


def select(obj: Json, path: str) -> list[Json]:
    """The values at the path, none where it leads nowhere; raises ValueError if malformed."""
    found = [obj]
    position = 0
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise ValueError(f"jsonpath {{{path}}} is not understood from {path[position:]!r} on")
        found = [value for candidate in found for value in _follow(candidate, step)]
        position = step.end()
    return found


def _follow(value: Json, step: re.Match[str]) -> list[Json]:
    if step["index"] is not None or step["all"] or step["field"]:
        items = value if isinstance(value, list) else []
        if step["all"]:
            return items
        if step["index"] is not None:
            index = int(step["index"])
            return [items[index]] if -len(items) <= index < len(items) else []
        wanted = step["equals"] or step["equals2"] or step["bare"]
        keys = step["field"].split(".")
        return [item for item in items if str(readiness.at(item, *keys)) == wanted]
    key = step["name"] or step["quoted"] or step["double"]
    return [value[key]] if isinstance(value, dict) and key in value else []
