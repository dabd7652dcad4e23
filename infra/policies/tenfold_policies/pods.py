"""Rules about pods."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenfold_policies.documents import (
    Document,
    containers,
    entries,
    pod_spec,
    section,
    texts,
    where,
)

_SECRET_NAME = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIAL", re.I)
_FILE_NAME = re.compile(r"_FILE$", re.I)
"""Says where a secret is, not what it is."""
_SECRET_URL = re.compile(r"\w+://[^/\s:@]*:[^/\s@]+@")


def privileged(document: Document) -> Iterator[str]:
    """Yield what Pod Security `restricted` would refuse."""
    spec = pod_spec(document)
    if spec is None:
        return
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield f"{where(document)}: {key} shares the node's; leave it out"
    for volume in entries(spec, "volumes"):
        if "hostPath" in volume:
            yield f"{where(document)}: volume {volume.get('name')} opens the node's file system"
    shared = section(spec, "securityContext")
    for container in containers(spec):
        for problem in _unrestricted(shared, section(container, "securityContext")):
            yield f"{where(document)}: container {container.get('name')}: {problem}"


def _unrestricted(pod: Document, own: Document) -> Iterator[str]:
    def effective(key: str) -> object:
        return own.get(key, pod.get(key))

    if own.get("privileged"):
        yield "privileged is root on the node; leave it out"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "set allowPrivilegeEscalation: false"
    if effective("runAsNonRoot") is not True:
        yield "set runAsNonRoot: true"
    if effective("runAsUser") == 0:
        yield "runAsUser 0 is root; use another user"
    if "ALL" not in texts(section(own, "capabilities"), "drop"):
        yield "set capabilities: {drop: [ALL]}"
    profile = section(own, "seccompProfile") or section(pod, "seccompProfile")
    if profile.get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "set seccompProfile: {type: RuntimeDefault}"


def without_limits(document: Document) -> Iterator[str]:
    """Yield containers that say not what they need and what they may take at most."""
    for container in containers(pod_spec(document) or {}):
        missing = [
            f"{kind}.{amount}"
            for kind in ("requests", "limits")
            for amount in ("cpu", "memory")
            if not section(container, "resources", kind).get(amount)
        ]
        if missing:
            name = container.get("name")
            yield f"{where(document)}: container {name}: set resources {', '.join(missing)}"


def floating_images(document: Document) -> Iterator[str]:
    """Yield images that mean something else tomorrow."""
    for container in containers(pod_spec(document) or {}):
        image = str(container.get("image", ""))
        if "@sha256:" in image:
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        if tag in {"", "latest"}:
            name = container.get("name")
            yield f"{where(document)}: container {name}: image {image!r} names no version"


def plain_secrets(document: Document) -> Iterator[str]:
    """Yield environment variables that hold a secret in plain text."""
    for container in containers(pod_spec(document) or {}):
        for variable in entries(container, "env"):
            name, value = str(variable.get("name")), str(variable.get("value") or "")
            is_named_so = _SECRET_NAME.search(name) and not _FILE_NAME.search(name)
            if value and (is_named_so or _SECRET_URL.search(value)):
                yield (
                    f"{where(document)}: container {container.get('name')}: {name} is a secret in"
                    " plain text; take it from a Secret with valueFrom.secretKeyRef"
                )
