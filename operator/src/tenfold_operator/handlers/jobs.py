"""What the Jobs of backups and restores reported."""

import json
from collections.abc import Iterable
from typing import cast

from tenfold_operator.adapters.store import Store
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisBackup, RedisTier
from tenfold_operator.model.manifest import Ref, object_at, objects_at, ref_of, text_at, time_at
from tenfold_operator.model.observed import JobAnswer
from tenfold_operator.ports import Cluster


class Jobs:
    """Jobs that have ended, with the termination messages of their pods."""

    def __init__(self, store: Store, cluster: Cluster) -> None:
        self._store = store
        self._cluster = cluster

    def tier(self, namespace: str, name: str) -> RedisTier | None:
        """Return the tier, None when there is none."""
        found = self._store.get(Ref("RedisTier", namespace, name))
        return RedisTier.model_validate(found) if found else None

    def backup(self, namespace: str, name: str) -> RedisBackup | None:
        """Return the backup, None when there is none."""
        found = self._store.get(Ref("RedisBackup", namespace, name))
        return RedisBackup.model_validate(found) if found else None

    def ended(self, related: Iterable[JsonObject]) -> tuple[JobAnswer, ...]:
        """Return the last of the Jobs among `related` that have ended."""
        jobs = [answer for each in related if each["kind"] == "Job" and (answer := _ended(each))]
        newest = max(jobs, key=lambda each: each.ended, default=None)
        if newest is None:
            return ()
        (namespace,) = {ref_of(each).namespace for each in related if each["kind"] == "Job"}
        pods = self._cluster.find("Pod", namespace, f"job-name={newest.name}")
        messages = [message for pod in pods if (message := _message(pod))]
        result = messages[-1] if messages else {}
        return (JobAnswer(newest.name, newest.ended, newest.succeeded, result),)


def _ended(job: JsonObject) -> JobAnswer | None:
    for condition in objects_at(object_at(job, "status"), "conditions"):
        kind, time = text_at(condition, "type"), time_at(condition, "lastTransitionTime")
        if condition.get("status") == "True" and kind in ("Complete", "Failed") and time:
            return JobAnswer(ref_of(job).name, time, kind == "Complete", {})
    return None


def _message(pod: JsonObject) -> JsonObject:
    for container in objects_at(object_at(pod, "status"), "containerStatuses"):
        text = text_at(container, "state", "terminated", "message")
        try:
            message = json.loads(text) if text else None
        except ValueError:
            message = {"error": text}
        if isinstance(message, dict):
            return cast(JsonObject, message)
    return {}
