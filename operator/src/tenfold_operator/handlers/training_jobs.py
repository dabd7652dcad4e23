"""Trainings as Kubernetes Jobs: many at a time, and none of them on the operator's own CPU."""

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar, cast

import structlog

from tenfold_operator import metrics
from tenfold_operator.forecast.registry import Record
from tenfold_operator.forecast.trainer import Lesson, train
from tenfold_operator.forecast.transfer import MOST_LOG_BYTES, files_of, model_in
from tenfold_operator.model.base import ObjectMeta
from tenfold_operator.model.manifest import Ref, object_at, ref_of
from tenfold_operator.model.names import TRAINING
from tenfold_operator.plan.training_job import (
    DEADLINE_SECONDS,
    TrainingJobs,
    job_of,
    lesson_of,
    look,
)
from tenfold_operator.ports import JobCluster, Rejected, Unavailable

P = ParamSpec("P")
T = TypeVar("T")
_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = DEADLINE_SECONDS + 120
"""The Job's own deadline comes first, where the API server can be asked."""
_log = structlog.get_logger()


class TrainingFailed(Exception):
    """A Job brought no model; says why."""


class _Training(Future[tuple[Record, bytes]]):
    """A training's outcome. Where it is wanted no more, its Job is deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.is_unwanted = threading.Event()

    def cancel(self) -> bool:
        self.is_unwanted.set()
        return super().cancel()


class JobTrainers(Executor):
    """Fits forecasts in Jobs; what else is submitted, which is short, is for `others`.

    A thread for each Job that may run: it waits, and works no more than to look at it.

    Args:
        cluster: Where the Jobs run. Jobs of an operator that has died are deleted there first.
        jobs: How they are to be.
        others: Ended with this.
        look_seconds: Between two looks at a Job.
    """

    def __init__(
        self,
        cluster: JobCluster,
        jobs: TrainingJobs,
        others: Executor,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._jobs = jobs
        self._others = others
        self._look_seconds = look_seconds
        self._pool = ThreadPoolExecutor(jobs.parallel, thread_name_prefix="training")
        self._open: set[_Training] = set()
        self._leftovers = self._pool.submit(self._remove_leftovers)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have `fn` called: `train` in a Job, everything else by the others."""
        if cast(object, fn) is not train:
            return self._others.submit(fn, *args, **kwargs)
        training = _Training()
        self._pool.submit(self._carry_out, training, cast(Lesson, args[0]))
        self._open.add(training)
        training.add_done_callback(self._forget)
        return cast(Future[T], training)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End; with `cancel_futures` Jobs that run are deleted."""
        if cancel_futures:
            for training in tuple(self._open):
                training.cancel()
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
        self._others.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _forget(self, training: Future[tuple[Record, bytes]]) -> None:
        self._open.discard(cast(_Training, training))

    def _remove_leftovers(self) -> None:
        try:
            for job in self._cluster.find("Job", self._jobs.namespace, TRAINING):
                self._remove(ref_of(job))
        except (Unavailable, Rejected) as error:
            # They end by their own deadlines.
            _log.warning("Jobs of an earlier operator are not looked for", error=str(error))

    def _carry_out(self, training: _Training, lesson: Lesson) -> None:
        self._leftovers.result()
        if not training.set_running_or_notify_cancel():
            return
        begun, name = time.monotonic(), f"training-{uuid.uuid4().hex[:12]}"
        try:
            found = self._run(training, lesson, name)
        except Exception as error:  # noqa: BLE001 - it is whoever waits for the outcome who looks
            ended = "cancelled" if isinstance(error, CancelledError) else "failed"
            metrics.TRAINING_JOBS.labels(ended).inc()
            training.set_exception(error)
            return
        seconds = time.monotonic() - begun
        metrics.TRAINING_JOBS.labels("fitted").inc()
        metrics.TRAINING_JOB_SECONDS.observe(seconds)
        _log.info("fitted by a Job", series=lesson.name, job=name, seconds=round(seconds, 1))
        training.set_result(found)

    def _run(self, training: _Training, lesson: Lesson, name: str) -> tuple[Record, bytes]:
        ref = Ref("Job", self._jobs.namespace, name)
        try:
            self._cluster.create(job_of(name, lesson.name, self._jobs))
            job = self._cluster.get(ref)
            if job is None:
                raise TrainingFailed(f"{ref} was deleted")
            # The Job comes first, so that the lesson is its own and goes with it.
            meta = ObjectMeta.model_validate(object_at(job, "metadata"))
            self._cluster.create(lesson_of(meta, files_of(lesson)))
            return model_in(self._answer(training, ref), lesson)
        finally:
            self._remove(ref)

    def _answer(self, training: _Training, ref: Ref) -> str:
        """Wait until the Job has succeeded; return what it has printed."""
        end, trouble = time.monotonic() + _PATIENCE_SECONDS, ""
        while not training.is_unwanted.wait(self._look_seconds):
            try:
                pods = self._cluster.find("Pod", ref.namespace, f"{TRAINING}={ref.name}")
                progress = look(self._cluster.get(ref), pods, self._jobs)
                if progress.pod:
                    return self._cluster.read_log(progress.pod, MOST_LOG_BYTES)
            except Unavailable as error:
                # The Job goes on without us.
                trouble = str(error)
            else:
                if progress.failure:
                    said = f"; before: {trouble}" if trouble else ""
                    raise TrainingFailed(f"{ref}: {progress.failure}{said}")
                trouble = progress.trouble
            if time.monotonic() > end:
                raise TrainingFailed(f"{ref}: nothing came of it, last seen: {trouble}")
        raise CancelledError

    def _remove(self, ref: Ref) -> None:
        """Delete a Job, with its pod and its lesson."""
        try:
            self._cluster.delete(ref)
        except (Unavailable, Rejected) as error:
            # It goes by itself some minutes after its end.
            _log.warning("a training's Job stays for a while", job=str(ref), error=str(error))
