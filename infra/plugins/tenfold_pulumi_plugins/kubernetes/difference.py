"""What changes between the inputs of the last deployment and those of the program."""

import base64
from enum import Enum

from tenfold_pulumi_plugins.kubernetes import paths
from tenfold_pulumi_plugins.kubernetes.values import Json, JsonObject, Secret, Unknown

# Lists of these are sets of objects with a key: position says nothing.
_LIST_KEYS = ("name", "mountPath", "containerPort", "port", "topologyKey", "type", "ip", "uid")


class Change(Enum):
    """What happens to one property."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


def compare(old: Json, new: Json, at: paths.Path = ()) -> dict[paths.Path, Change]:
    """The changed properties by path, each as deep as old and new agree in shape."""
    old, new = _revealed(old), _revealed(new)
    if isinstance(new, Unknown):
        return {at: Change.UPDATE}
    if isinstance(old, dict) and isinstance(new, dict):
        changes = {(*at, key): Change.DELETE for key in old if key not in new}
        changes |= {(*at, key): Change.ADD for key in new if key not in old}
        for key in old.keys() & new.keys():
            changes |= compare(old[key], new[key], (*at, key))
        return changes
    if isinstance(old, list) and isinstance(new, list):
        common = min(len(old), len(new))
        changes = {(*at, index): Change.DELETE for index in range(common, len(old))}
        changes |= {(*at, index): Change.ADD for index in range(common, len(new))}
        for index in range(common):
            changes |= compare(old[index], new[index], (*at, index))
        return changes
    return {} if type(old) is type(new) and old == new else _unless_equal(old, new, at)


def _unless_equal(old: Json, new: Json, at: paths.Path) -> dict[paths.Path, Change]:
    numbers = [value for value in (old, new) if type(value) in (int, float)]
    return {} if len(numbers) == 2 and old == new else {at: Change.UPDATE}


def observed_inputs(inputs: JsonObject, live: JsonObject) -> JsonObject:
    """The inputs as the cluster has them now: what the inputs name, with the live values.

    What the inputs do not name is the server's (defaults, status) or somebody else's, and is no
    drift. What they name and the cluster lacks is left out.
    """
    observed: JsonObject = _observe(inputs, live)
    # A Secret's stringData is write-only: the server folds it into data.
    if inputs.get("kind") == "Secret" and "stringData" in inputs:
        observed["stringData"] = _observed_string_data(inputs, live)
    return observed


def _observed_string_data(inputs: JsonObject, live: JsonObject) -> Secret:
    data = live.get("data", {})
    return Secret(
        {
            key: base64.b64decode(data[key]).decode(errors="replace")
            for key in _revealed(inputs["stringData"])
            if key in data
        }
    )


def _observe(wanted: Json, live: Json) -> Json:
    if isinstance(wanted, Secret):
        return Secret(_observe(wanted.value, live))
    if isinstance(wanted, dict) and isinstance(live, dict):
        # The server drops what is empty or false: its absence is no drift.
        return {
            key: _observe(member, live[key]) if key in live else member
            for key, member in wanted.items()
            if key in live or not _revealed(member)
        }
    if isinstance(wanted, list) and isinstance(live, list):
        return _observe_list(wanted, live)
    return wanted if _same_quantity(wanted, live) else live


def _observe_list(wanted: list[Json], live: list[Json]) -> list[Json]:
    key = next((key for key in _LIST_KEYS if _is_key(key, wanted) and _is_key(key, live)), None)
    if key is None:
        paired = [_observe(*pair) for pair in zip(wanted, live, strict=False)]
        return paired + live[len(wanted) :]
    by_key = {item[key]: item for item in live}
    return [_observe(item, by_key[item[key]]) for item in wanted if item[key] in by_key]


def _is_key(key: str, items: list[Json]) -> bool:
    values = [item.get(key) for item in items if isinstance(item, dict)]
    return (
        len(values) == len(items)
        and all(isinstance(value, str | int) for value in values)
        and len(set(values)) == len(values)
    )


def _same_quantity(wanted: Json, live: Json) -> bool:
    # The server writes quantities in its own way: 1000m comes back as 1.
    if not isinstance(wanted, str | int | float) or not isinstance(live, str):
        return False
    from kubernetes.utils import quantity

    try:
        return bool(
            quantity.parse_quantity(wanted)  # type: ignore[no-untyped-call]
            == quantity.parse_quantity(live)  # type: ignore[no-untyped-call]
        )
    except ValueError:
        return False


def _revealed(value: Json) -> Json:
    return value.value if isinstance(value, Secret) else value
