"""The only writer: carries out plans."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from tenfold_operator import metrics
from tenfold_operator.model.base import JsonObject, ObjectMeta
from tenfold_operator.model.manifest import Ref, object_at, objects_at, ref_of, text_at
from tenfold_operator.plan.actions import (
    Action,
    Announce,
    Apply,
    Delete,
    MakePassword,
    Merge,
    Scale,
    SetStatus,
)
from tenfold_operator.ports import Cluster, Rejected

_PASSWORD_BYTES = 32


class Applier:
    """Carries out actions in their order."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def run(self, kind: str, owner: ObjectMeta, actions: Iterable[Action], now: datetime) -> None:
        """Carry out `actions` for a custom resource.

        Raises Rejected or Unavailable at the first that fails; those after it are left out.
        """
        for action in actions:
            match action:
                case Apply(manifest=manifest, is_new=is_new):
                    if is_new:
                        self._refuse_foreign(ref_of(manifest), owner)
                    self._cluster.apply(manifest)
                case MakePassword(manifest=manifest):
                    # create, not apply: whoever made one meanwhile keeps it.
                    self._cluster.create({**manifest, **_password()})
                case Scale(ref=ref, replicas=replicas):
                    self._cluster.scale(ref, replicas)
                case Merge(ref=ref, patch=patch):
                    self._cluster.merge(ref, patch)
                case Delete(ref=ref, alone=alone):
                    self._cluster.delete(ref, alone=alone)
                case SetStatus(ref=ref, status=status):
                    self._cluster.apply_status(ref, status)
                case Announce():
                    ref = Ref(kind, owner.namespace, owner.name)
                    self._cluster.record(ref, owner.uid, action, now)
                case _:
                    continue
            metrics.ACTIONS.labels(kind, type(action).__name__).inc()

    def _refuse_foreign(self, ref: Ref, owner: ObjectMeta) -> None:
        found = self._cluster.get(ref)
        if found is not None and not is_owned(found, owner):
            message = f"{ref} exists and is not ours: rename it or this {owner.name}"
            raise Rejected("NameTaken", message)


def is_owned(manifest: JsonObject, owner: ObjectMeta) -> bool:
    """Tell whether `owner` is one of the object's owners."""
    references = objects_at(object_at(manifest, "metadata"), "ownerReferences")
    return any(text_at(each, "uid") == owner.uid for each in references)


def _password() -> JsonObject:
    return {"type": "Opaque", "stringData": {"password": secrets.token_urlsafe(_PASSWORD_BYTES)}}
