"""Reading Kubernetes objects whose shape nobody has checked yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Document: TypeAlias = Mapping[str, object]

_TEMPLATED = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Workload"})


def section(document: Document, *path: str) -> Document:
    """Return the mapping at `path`, empty where there is none."""
    current = document
    for key in path:
        value = current.get(key)
        if not isinstance(value, Mapping):
            return {}
        current = value
    return current


def entries(document: Document, key: str) -> Iterator[Document]:
    """Yield the mappings of the list under `key`."""
    yield from (entry for entry in _items(document.get(key)) if isinstance(entry, Mapping))


def texts(document: Document, key: str) -> list[str]:
    """Return the texts of the list under `key`."""
    return [entry for entry in _items(document.get(key)) if isinstance(entry, str)]


def _items(value: object) -> Sequence[object]:
    # The engine shows views of its own, neither lists nor dicts.
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def where(document: Document) -> str:
    """Return an object's kind and place, as people write it."""
    metadata = section(document, "metadata")
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{document.get('kind')} {place}{metadata.get('name')}"


def pod_spec(document: Document) -> Document | None:
    """Return the spec of the pods that an object makes, None where it makes none."""
    kind = document.get("kind")
    if kind == "Pod":
        return section(document, "spec")
    if kind == "CronJob":
        return section(document, "spec", "jobTemplate", "spec", "template", "spec")
    if kind in _TEMPLATED:
        return section(document, "spec", "template", "spec")
    return None


def containers(spec: Document) -> Iterator[Document]:
    """Yield all containers of a pod, those that run before the others included."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from entries(spec, kind)
