"""AnomalyDetectors: rows are read as they come due, scored here and learned from elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import structlog
from numpy.typing import NDArray

from tenfold_operator.adapters.store import Store
from tenfold_operator.anomaly.detector import Detector, Judged, train
from tenfold_operator.apply import Applier
from tenfold_operator.handlers.outcome import carry_out
from tenfold_operator.journal import Journal
from tenfold_operator.model.generated import (
    AnomalyDetector,
    AnomalyDetectorModel,
    AnomalyDetectorSpec,
)
from tenfold_operator.model.manifest import Ref, at
from tenfold_operator.model.observed import Series
from tenfold_operator.plan import anomaly_rows as rows
from tenfold_operator.plan.anomaly import DetectorView, plan_detector
from tenfold_operator.plan.anomaly_rows import Trouble
from tenfold_operator.ports import Clock, Metrics, Rejected, Unavailable

Answers = tuple[tuple[Series, ...], ...]
_log = structlog.get_logger()


@dataclass
class _Live:
    """A detector that scores, and the last that it said."""

    spec: AnomalyDetectorSpec
    detector: Detector
    judged: Judged
    newest: float
    """Time of the newest row that it took, unix seconds."""
    model: AnomalyDetectorModel


class AnomalyDetectorHandler:
    """Keeps one model for each AnomalyDetector, in memory: after a restart it is fitted anew."""

    def __init__(
        self,
        *,
        store: Store,
        prometheus: Metrics,
        applier: Applier,
        journal: Journal,
        clock: Clock,
        pool: Executor,
        wake: Callable[[Ref], Awaitable[None]],
    ) -> None:
        self._store = store
        self._prometheus = prometheus
        self._applier = applier
        self._journal = journal
        self._clock = clock
        self._pool = pool
        self._wake = wake
        self._live: dict[Ref, _Live] = {}
        self._training: dict[Ref, asyncio.Task[None]] = {}
        self._failed: dict[Ref, Trouble] = {}

    async def reconcile(self, ref: Ref) -> float | None:
        """Observe, plan, apply; return in how many seconds to look again."""
        manifest = self._store.get(ref)
        if manifest is None or at(manifest, "metadata", "deletionTimestamp"):
            self._forget(ref)
            return None
        detector = AnomalyDetector.model_validate(manifest)
        now = self._clock.now()
        trouble = await self._observe(ref, detector, now.timestamp())
        plan = plan_detector(self._view(ref, detector, trouble, now.timestamp()), now)
        self._journal.write(ref, plan, now)
        return await asyncio.to_thread(
            carry_out, self._applier, detector, "AnomalyDetector", plan, now, "Ready"
        )

    def _forget(self, ref: Ref) -> None:
        self._journal.forget(ref)
        self._live.pop(ref, None)
        self._failed.pop(ref, None)
        if task := self._training.pop(ref, None):
            task.cancel()

    def _view(
        self, ref: Ref, detector: AnomalyDetector, trouble: Trouble | None, now: float
    ) -> DetectorView:
        live, step = self._live.get(ref), detector.spec.interval_seconds
        return DetectorView(
            detector=detector,
            judged=live.judged if live else None,
            row_time=datetime.fromtimestamp(live.newest, UTC) if live else None,
            model=live.model if live else None,
            trouble=trouble or (None if live else self._failed.get(ref)),
            next_row=datetime.fromtimestamp(rows.newest_row(now, step) + step, UTC),
        )

    async def _observe(self, ref: Ref, detector: AnomalyDetector, now: float) -> Trouble | None:
        """Take the rows that are due, and have the model fitted when that is due."""
        live = self._live.get(ref)
        if live and live.spec != detector.spec:
            # What was learned for another question says nothing of this one.
            live = None
            self._forget(ref)
        try:
            if live is None or rows.is_due(
                now, live.model.trained_at.timestamp(), live.judged.is_warm, detector.spec
            ):
                return await self._begin(ref, detector, now)
            return await self._take(live, detector, now)
        except Unavailable as error:
            return Trouble("PrometheusUnavailable", f"{error}; looked for again with the next row")
        except Rejected as error:
            return Trouble("QueryFailed", error.message)

    async def _take(self, live: _Live, detector: AnomalyDetector, now: float) -> Trouble | None:
        step = detector.spec.interval_seconds
        end = rows.newest_row(now, step)
        start = min(live.newest + step, end - rows.LOOK_BACK_ROWS * step)
        answers = await self._ask(detector, start, end)
        trouble = rows.find_trouble(rows.settings_of(detector.spec).names, answers, end, step)
        found = rows.rows_of(answers, start, end, step)
        new = found[round((live.newest + step - start) / step) :]
        if len(new):
            live.judged = live.detector.replay(new)
            live.newest = end
        return trouble

    async def _begin(self, ref: Ref, detector: AnomalyDetector, now: float) -> Trouble | None:
        """Read the training window and have it learned from; one training for each at a time."""
        if ref in self._training:
            return None
        step = detector.spec.interval_seconds
        end = rows.newest_row(now, step)
        start = rows.first_row(end, detector.spec)
        answers = await self._ask(detector, start, end)
        trouble = rows.find_trouble(rows.settings_of(detector.spec).names, answers, end, step)
        found = rows.rows_of(answers, start, end, step)
        self._training[ref] = asyncio.create_task(self._train(ref, detector.spec, found, end, now))
        return trouble

    async def _train(
        self,
        ref: Ref,
        spec: AnomalyDetectorSpec,
        found: NDArray[np.float64],
        newest: float,
        now: float,
    ) -> None:
        settings = rows.settings_of(spec)
        loop = asyncio.get_running_loop()
        try:
            detector, judged = await loop.run_in_executor(self._pool, train, settings, found)
        except Exception as error:  # noqa: BLE001 - shown in the status, and tried again
            _log.exception("training failed", owner=str(ref))
            self._failed[ref] = Trouble("TrainingFailed", f"{error}; tried again with the next row")
        else:
            self._failed.pop(ref, None)
            trained = datetime.fromtimestamp(int(now), UTC)
            version = rows.version_of(settings, found)
            model = AnomalyDetectorModel(version=version, trained_at=trained, rows=judged.rows)
            self._live[ref] = _Live(spec, detector, judged, newest, model)
            await self._wake(ref)
        finally:
            self._training.pop(ref, None)

    async def _ask(self, detector: AnomalyDetector, start: float, end: float) -> Answers:
        span = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
        step = float(detector.spec.interval_seconds)
        asked = (
            self._prometheus.query_range(each.expr, *span, step) for each in detector.spec.queries
        )
        return tuple(await asyncio.gather(*asked))
