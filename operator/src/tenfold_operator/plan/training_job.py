"""A training as a Kubernetes Job: its objects, and how it goes by what the cluster says of them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tenfold_operator.model.base import JsonObject, ObjectMeta
from tenfold_operator.model.manifest import (
    Ref,
    holding,
    number_at,
    object_at,
    objects_at,
    ref_of,
    text_at,
)
from tenfold_operator.model.names import API_VERSIONS, APP, MANAGED_BY, MANAGER, TRAINING, owned
from tenfold_operator.plan import restricted

TRAINING_APP = "training"
DEADLINE_SECONDS = 1800
_KEPT_SECONDS = 300
"""A Job that has ended goes by itself so soon, where its operator has died."""
_FOLDER = "/lesson"
_HOPELESS = ("ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
"""Reasons of a waiting container that waiting does not cure."""


class Amounts(BaseModel):
    """CPU and memory, as Kubernetes writes them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu: str
    memory: str


class Resources(BaseModel):
    """Of the one container of a Job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: Amounts
    limits: Amounts


class TrainingJobs(BaseModel):
    """How trainings are carried out as Jobs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: str
    """One of their own, with no account and no Secret in it that is worth having."""
    image: str
    """The operator's own."""
    parallel: int = Field(ge=1)
    """Jobs at a time."""
    resources: Resources


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How a training goes.

    Attributes:
        pod: The one that has succeeded; None while there is none.
        failure: Why it has failed; empty while it has not.
        trouble: What it waits for; empty while nothing is known to be in its way.
    """

    pod: Ref | None = None
    failure: str = ""
    trouble: str = ""


def job_of(name: str, series: str, jobs: TrainingJobs) -> JsonObject:
    """Return the Job that fits a model of `series`, once its lesson is there."""
    labels: dict[str, JsonValue] = {APP: TRAINING_APP, TRAINING: name, MANAGED_BY: MANAGER}
    annotations: JsonObject = {"tenfold.dev/series": series}
    return {
        "apiVersion": API_VERSIONS["Job"],
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": jobs.namespace,
            "labels": labels,
            "annotations": annotations,
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": _KEPT_SECONDS,
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": _pod(name, jobs),
            },
        },
    }


def lesson_of(job: ObjectMeta, files: Mapping[str, bytes]) -> JsonObject:
    """Return the ConfigMap with the Job's lesson; it goes with the Job."""
    head = owned("ConfigMap", job.name, "Job", job, {APP: TRAINING_APP, TRAINING: job.name})
    head["binaryData"] = {
        name: base64.b64encode(content).decode() for name, content in files.items()
    }
    return head


def _container(jobs: TrainingJobs) -> JsonObject:
    return {
        "name": "train",
        "image": jobs.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["tenfold-train", _FOLDER],
        # A fit takes no more than one core, whatever the node has.
        "env": [
            {"name": name, "value": "1"} for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        ],
        "volumeMounts": [{"name": "lesson", "mountPath": _FOLDER, "readOnly": True}],
        "resources": jobs.resources.model_dump(mode="json"),
        # What it died of is said in its pod's status.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": restricted.OF_CONTAINER,
    }


def _pod(lesson: str, jobs: TrainingJobs) -> JsonObject:
    return {
        "restartPolicy": "Never",
        # Process 1 has no default for the signal to end, and nothing of it is worth waiting for.
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": restricted.OF_POD,
        "containers": [_container(jobs)],
        "volumes": [{"name": "lesson", "configMap": {"name": lesson}}],
    }


def look(job: JsonObject | None, pods: Sequence[JsonObject], jobs: TrainingJobs) -> Progress:
    """Tell how a training goes by its Job, None where it is gone, and the Job's pods."""
    if job is None:
        return Progress(failure="its Job was deleted")
    failed = holding(job, "Failed") or holding(job, "FailureTarget")
    if failed and text_at(failed, "reason") == "DeadlineExceeded":
        return Progress(failure=f"not done within {DEADLINE_SECONDS} s")
    for pod in pods:
        phase = text_at(pod, "status", "phase")
        if phase == "Succeeded":
            return Progress(pod=ref_of(pod))
        if phase == "Failed":
            return Progress(failure=_cause(pod, jobs))
    if failed:
        return Progress(failure=f"{text_at(failed, 'reason')}: {text_at(failed, 'message')}")
    if not pods:
        return Progress(trouble="it has no pod: see the events of the Job")
    return _waiting(pods[0])


def _cause(pod: JsonObject, jobs: TrainingJobs) -> str:
    """Say what a failed pod died of."""
    for container in objects_at(pod, "status", "containerStatuses"):
        ended = object_at(container, "state", "terminated")
        reason, message = text_at(ended, "reason"), text_at(ended, "message").strip()
        if reason == "OOMKilled":
            return f"out of memory: it may have {jobs.resources.limits.memory} (OOMKilled)"
        if ended and not text_at(pod, "status", "reason"):
            # A traceback's last line says what was wrong.
            last = message.splitlines()[-1] if message else "it said nothing"
            return f"it ended with exit code {number_at(ended, 'exitCode')}: {last}"
    # Evicted, or its node was shut down.
    status = object_at(pod, "status")
    reason, message = text_at(status, "reason"), text_at(status, "message")
    return f"its pod failed: {reason or 'no reason is given'} {message}".strip()


def _waiting(pod: JsonObject) -> Progress:
    """Say what a pod waits for that has not ended."""
    for container in objects_at(pod, "status", "containerStatuses"):
        waiting = object_at(container, "state", "waiting")
        reason, message = text_at(waiting, "reason"), text_at(waiting, "message")
        said = f"{reason}: {message}" if message else reason
        if reason in _HOPELESS:
            return Progress(failure=said)
        if message:
            return Progress(trouble=said)
    for condition in objects_at(pod, "status", "conditions"):
        if (condition.get("type"), condition.get("status")) == ("PodScheduled", "False"):
            return Progress(
                trouble=f"{text_at(condition, 'reason')}: {text_at(condition, 'message')}"
            )
    return Progress()
