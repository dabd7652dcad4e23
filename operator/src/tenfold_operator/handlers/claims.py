"""The volumes of a RedisTier as the watch told of their claims, and which of them may grow."""

from collections.abc import Iterable, Iterator

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref, at, objects_at, ref_of, text_at
from tenfold_operator.model.observed import Claim
from tenfold_operator.ports import Cluster


def claims(related: Iterable[JsonObject]) -> tuple[Claim, ...]:
    """Return the claims among the objects of a tier, those of its Sentinels included."""
    return tuple(_claim(each) for each in related if each["kind"] == "PersistentVolumeClaim")


def _claim(manifest: JsonObject) -> Claim:
    is_bound = text_at(manifest, "status", "phase") == "Bound"
    return Claim(
        name=ref_of(manifest).name,
        requested=text_at(manifest, "spec", "resources", "requests", "storage"),
        capacity=text_at(manifest, "status", "capacity", "storage") if is_bound else "",
        storage_class=text_at(manifest, "spec", "storageClassName"),
        notes=", ".join(_notes(manifest)),
    )


def _notes(manifest: JsonObject) -> Iterator[str]:
    for each in objects_at(manifest, "status", "conditions"):
        if each.get("status") == "True":
            yield ": ".join(filter(None, (text_at(each, "type"), text_at(each, "message"))))


def growable(cluster: Cluster, classes: Iterable[str]) -> frozenset[str]:
    """Return those of the StorageClasses whose volumes may grow.

    Raises Unavailable when the API server cannot be asked.
    """
    found = {name: cluster.get(Ref("StorageClass", "", name)) for name in classes if name}
    return frozenset(
        name for name, each in found.items() if each and at(each, "allowVolumeExpansion") is True
    )
