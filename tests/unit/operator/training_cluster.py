"""A cluster that runs the Jobs of trainings: tests say how each one ends."""

from __future__ import annotations

import base64
import copy
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from tenfold_operator.forecast.registry import Record
from tenfold_operator.forecast.trainer import Lesson
from tenfold_operator.forecast.transfer import files_of, lesson_in, lines_of
from tenfold_operator.forecast.types import Calendar, Campaign
from tenfold_operator.model.manifest import Ref, ref_of
from tenfold_operator.ports import Unavailable

Manifest = dict[str, Any]
Fit = Callable[[Lesson], tuple[Record, bytes]]


END = datetime(2026, 3, 2, 12, tzinfo=UTC)
SALE = Campaign(name="sale\u2028of winter", start=END, end=END + timedelta(days=1))


ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""Of a Job's container: ours knows more."""


def lesson(minutes: int = 200, name: str = "shop.web") -> Lesson:
    times = END.timestamp() - 60.0 * np.arange(minutes - 1, -1, -1, dtype=np.float64)
    return Lesson(
        name=name,
        times=times,
        values=50.0 + 40.0 * np.sin(2 * np.pi * times / 900) + np.sin(times * 1.7),
        step_seconds=60.0,
        end=END,
        calendar=Calendar(timezone="Europe/Istanbul", campaigns=(SALE,)),
        created=END + timedelta(seconds=7, microseconds=3),
    )


def fitted_by_program(each: Lesson, folder: Path) -> str:
    """Return what the program of a Job prints for a lesson."""
    done = run_program(each, folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_program(each: Lesson, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the program of a Job on a lesson that is unpacked into a folder."""
    command = [Path(sys.executable).with_name("tenfold-train"), write(each, folder)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)


def write(each: Lesson, folder: Path) -> Path:
    """Write a lesson into a folder, as a Job finds it."""
    for name, content in files_of(each).items():
        (folder / name).write_bytes(content)
    return folder


class TrainingCluster:
    """Implements ports.JobCluster. A Job's pod waits until a test has it end.

    Args:
        folder: Where lessons are unpacked, as the kubelet mounts them.
        fit: What the pods do.
    """

    def __init__(self, folder: Path, fit: Fit) -> None:
        self.objects: dict[Ref, Manifest] = {}
        self.logs: dict[Ref, str] = {}
        self.created: list[Ref] = []
        self.ways: list[str] = []
        """Calls, for what may be called: verb and kind."""
        self.is_away = False
        self._folder = folder
        self._fit = fit
        self._changed = threading.Condition()

    # What the operator calls.

    def get(self, ref: Ref) -> Manifest | None:
        self._answer("get", ref.kind)
        return copy.deepcopy(self.objects.get(ref))

    def find(self, kind: str, namespace: str, selector: str) -> tuple[Manifest, ...]:
        self._answer("list", kind)
        label, _, value = selector.partition("=")
        with self._changed:
            found = [
                each
                for ref, each in self.objects.items()
                if (ref.kind, ref.namespace) == (kind, namespace)
                and label in each["metadata"]["labels"]
                and value in ("", each["metadata"]["labels"][label])
            ]
            return tuple(copy.deepcopy(found))

    def create(self, manifest: Manifest) -> None:
        self._answer("create", manifest["kind"])
        ref = ref_of(manifest)
        with self._changed:
            self.objects[ref] = copy.deepcopy(manifest)
            self.objects[ref]["metadata"]["uid"] = f"uid-{len(self.created)}"
            self.created.append(ref)
            if ref.kind == "Job":
                template = copy.deepcopy(manifest["spec"]["template"])
                pod = Ref("Pod", ref.namespace, f"{ref.name}-abcde")
                template["metadata"] |= {"name": pod.name, "namespace": pod.namespace}
                self.objects[pod] = {"kind": "Pod", **template, "status": {"phase": "Pending"}}
            self._changed.notify_all()

    def delete(self, ref: Ref) -> None:
        self._answer("delete", ref.kind)
        with self._changed:
            self.objects.pop(ref, None)
            # The pod by the label of its owner, the lesson by its owner reference.
            self.objects = {
                each: manifest
                for each, manifest in self.objects.items()
                if not each.name.startswith(ref.name)
            }
            self._changed.notify_all()

    def read_log(self, pod: Ref, most_bytes: int) -> str:
        self._answer("get", "Pod/log")
        if pod not in self.logs:
            raise Unavailable("the kubelet does not answer")
        return self.logs[pod][:most_bytes]

    def _answer(self, verb: str, kind: str) -> None:
        with self._changed:
            self.ways.append(f"{verb} {kind}")
            self._changed.notify_all()
        if self.is_away:
            raise Unavailable("the API server is away")

    # What the cluster does.

    @property
    def jobs(self) -> list[Ref]:
        return [ref for ref in tuple(self.objects) if ref.kind == "Job"]

    def pod(self, job: Ref) -> Manifest:
        return self.objects[Ref("Pod", job.namespace, f"{job.name}-abcde")]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until what the operator has created or deleted makes it so."""
        with self._changed:
            assert self._changed.wait_for(condition, 30), self.objects.keys()

    def wait_for_looks(self, more: int) -> None:
        """Wait until the operator has called so many times more."""
        wanted = len(self.ways) + more
        self.wait_for(lambda: len(self.ways) >= wanted)

    def wait_for_jobs(self, count: int) -> None:
        """Wait until so many Jobs have their lessons."""
        self.wait_for(lambda: sum(self._lesson(job) in self.objects for job in self.jobs) == count)

    def wait_until_gone(self, ref: Ref) -> None:
        """Wait until the operator has deleted it."""
        self.wait_for(lambda: ref not in self.objects)

    def next_job(self) -> Ref:
        """Wait for a Job with its lesson, and return it."""
        self.wait_for(lambda: any(self._lesson(job) in self.objects for job in self.jobs))
        return next(job for job in self.jobs if self._lesson(job) in self.objects)

    def succeed(self, job: Ref, log: str | None = None) -> None:
        """The pod fits the lesson that it is given, prints the model and ends."""
        self.logs[ref_of(self.pod(job))] = self.answer(job) if log is None else log
        self.pod(job)["status"] = {"phase": "Succeeded"}

    def answer(self, job: Ref) -> str:
        """What the pod prints."""
        folder = self._folder / job.name
        folder.mkdir()
        for name, content in self.objects[self._lesson(job)]["binaryData"].items():
            (folder / name).write_bytes(base64.b64decode(content))
        return "\n".join(["a library's warning", *lines_of(*self._fit(lesson_in(folder))), ""])

    def end_container(self, job: Ref, **terminated: Any) -> None:
        """The pod's container ends, and the pod has failed."""
        container = {"name": "train", "state": {"terminated": terminated}}
        self.pod(job)["status"] = {"phase": "Failed", "containerStatuses": [container]}

    def hold_container(self, job: Ref, reason: str, message: str) -> None:
        """The pod's container cannot start."""
        waiting = {"reason": reason, "message": message}
        container = {"name": "train", "state": {"waiting": waiting}}
        self.pod(job)["status"] = {"phase": "Pending", "containerStatuses": [container]}

    def fail(self, job: Ref, reason: str, message: str = "") -> None:
        """The Job has failed, and its pod is gone."""
        self.objects.pop(ref_of(self.pod(job)))
        condition = {"type": "Failed", "status": "True", "reason": reason, "message": message}
        self.objects[job]["status"] = {"conditions": [condition]}

    @staticmethod
    def _lesson(job: Ref) -> Ref:
        return Ref("ConfigMap", job.namespace, job.name)
