"""Objects that have to be as a spec says."""

from collections.abc import Iterator

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import at, covers
from tenfold_operator.plan.actions import Apply


def ensure(observed: JsonObject | None, manifest: JsonObject, why: str) -> Iterator[Apply]:
    """Apply `manifest` where what was observed at its place does not have all of it.

    One that is about to go is left to go: its place is taken once it is free.
    """
    if observed is not None and at(observed, "metadata", "deletionTimestamp"):
        return
    if observed is None or not covers(observed, manifest):
        yield Apply(manifest=manifest, is_new=observed is None, why=why)
