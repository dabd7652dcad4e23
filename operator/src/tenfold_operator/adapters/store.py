"""What the watches have told so far: the objects of the watched namespaces, in memory."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref, object_at, ref_of, text_at
from tenfold_operator.model.names import BACKUP, RESTORE, TIER, WORKLOAD

_OWNER_KINDS = {
    WORKLOAD: "Workload",
    TIER: "RedisTier",
    BACKUP: "RedisBackup",
    RESTORE: "RedisRestore",
}
_RESOURCES = (*_OWNER_KINDS.values(), "AnomalyDetector")


class Store:
    """Objects by where they are, and by the custom resource that their labels name."""

    def __init__(self) -> None:
        self._objects: dict[Ref, JsonObject] = {}
        self._related: dict[Ref, set[Ref]] = defaultdict(set)
        self._changed: set[Ref] = set()
        self._listeners: list[Callable[[Ref], None]] = []

    def subscribe(self, listener: Callable[[Ref], None]) -> None:
        """Have `listener` called with the custom resource whose objects changed."""
        self._listeners.append(listener)

    def put(self, manifest: JsonObject) -> None:
        """Remember an object, unless a newer state of it is known."""
        ref = ref_of(manifest)
        self._changed.add(ref)
        known = self._objects.get(ref)
        if known and _version(known) > _version(manifest) and _uid(known) == _uid(manifest):
            return
        self.drop(ref)
        slim = {name: value for name, value in manifest.items() if name != "metadata"}
        meta = object_at(manifest, "metadata")
        # The longest part of many objects, and of no use here.
        slim["metadata"] = {name: meta[name] for name in meta if name != "managedFields"}
        self._objects[ref] = slim
        if owner := owner_of(manifest):
            self._related[owner].add(ref)
            self._tell(owner)

    def drop(self, ref: Ref) -> None:
        """Forget an object."""
        self._changed.add(ref)
        gone = self._objects.pop(ref, None)
        if gone and (owner := owner_of(gone)):
            self._related[owner].discard(ref)
            if not self._related[owner]:
                del self._related[owner]
            self._tell(owner)

    def mark(self) -> None:
        """Begin to note what changes, before a list is asked for that `replace` will bring."""
        self._changed.clear()

    def replace(self, kind: str, namespace: str, manifests: Iterable[JsonObject]) -> None:
        """Remember exactly these objects of a kind: a watch that broke may have missed an end.

        What changed since `mark` is newer than the list and stays as it is.
        """
        found = {ref_of(each): each for each in manifests}
        known = [ref for ref in self._objects if (ref.kind, ref.namespace) == (kind, namespace)]
        for ref in set(known) - found.keys() - self._changed:
            self.drop(ref)
        for ref in found.keys() - self._changed:
            self.put(found[ref])

    def get(self, ref: Ref) -> JsonObject | None:
        """Return the object as it was last seen."""
        return self._objects.get(ref)

    def related(self, owner: Ref) -> tuple[JsonObject, ...]:
        """Return the objects whose labels name this Workload or RedisTier."""
        return tuple(self._objects[ref] for ref in sorted(self._related.get(owner, ())))

    def refs(self, kind: str) -> tuple[Ref, ...]:
        """Return where all objects of a kind are, by namespace and name."""
        return tuple(sorted(ref for ref in self._objects if ref.kind == kind))

    def all(self, kind: str) -> tuple[JsonObject, ...]:
        """Return all objects of a kind, by namespace and name."""
        return tuple(self._objects[ref] for ref in self.refs(kind))

    def _tell(self, owner: Ref) -> None:
        for listener in self._listeners:
            listener(owner)


def owner_of(manifest: JsonObject) -> Ref | None:
    """Return the custom resource that an object's labels name; itself for a custom resource."""
    ref = ref_of(manifest)
    if ref.kind in _RESOURCES:
        return ref
    labels = object_at(manifest, "metadata", "labels")
    for label, kind in _OWNER_KINDS.items():
        if name := text_at(labels, label):
            return Ref(kind, ref.namespace, name)
    return None


def _version(manifest: JsonObject) -> int:
    # Numbers of one kind may be compared since Kubernetes 1.35, and always could in etcd.
    return int(text_at(manifest, "metadata", "resourceVersion") or 0)


def _uid(manifest: JsonObject) -> str:
    return text_at(manifest, "metadata", "uid")
