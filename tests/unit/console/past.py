"""What a made-up Prometheus says of the past: plausible series for every expression."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tenfold_operator.model.generated import WorkloadFailedRevision
from tenfold_operator.model.observed import Series
from tenfold_operator.ports import Unavailable

MEASURED = "sum(rate(requests_total[2m]))"
NAN = math.nan
_ONE_SERIES = ("anomaly_", "forecast_", "scaling_", "sum(")
# In the expression, what is worth with the stable revision, and what with one that fails.
_OF_REVISIONS = {
    'code=~"5..': (0.0, 0.5),
    "histogram_quantile": (0.011, 0.010),
    "ready_replicas": (2.0, 1.0),
    "requests_total": (92.0, 22.0),
}
_OF_THE_LOAD = {"lower": 82.0, "upper": 118.0, "forecast_weight": 0.5, "error_ratio": 0.06}


class PastValues:
    """Implements ports.Metrics."""

    def __init__(self) -> None:
        self.revisions: tuple[str, ...] = ()
        self.failed: WorkloadFailedRevision | None = None
        self.asked: list[str] = []
        self.trouble = ""

    async def query(self, expression: str) -> Any:
        raise AssertionError("the console asks for ranges alone")

    async def query_range(
        self, expression: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        self.asked.append(expression)
        if self.trouble:
            raise Unavailable(self.trouble)
        first, last = start.timestamp(), end.timestamp()
        times = [first + step_seconds * n for n in range(int((last - first) / step_seconds) + 1)]
        return tuple(
            Series(labels, tuple(times), tuple(self._value(expression, labels, at) for at in times))
            for labels in self._labels(expression)
        )

    def _labels(self, expression: str) -> Iterator[dict[str, str]]:
        if "redis_" in expression:
            label = "replica" if "replica" in expression else "pod"
            yield from ({label: f"l2-{n}"} for n in range(3))
        elif "error_ratio" in expression or "forecast_weight" in expression:
            yield from ({"model": name} for name in ("ensemble", "seasonal"))
        elif any(each in expression for each in _ONE_SERIES):
            yield {}
        else:
            yield from ({"revision": each} for each in self.revisions)

    def _value(self, expression: str, labels: Mapping[str, str], at: float) -> float:
        wave = 1 + math.sin(at / 120) / 12
        if "revision" not in labels:
            known = (value for name, value in _OF_THE_LOAD.items() if name in expression)
            return next(known, 100.0) * wave
        is_failed, lives, serves = self._attempt(labels["revision"], at)
        if not lives:
            return NAN
        if "revision_weight" in expression:
            share = 20.0 if serves else 0.0
            return share if is_failed else 100.0 - share
        known_pair = (pair for text, pair in _OF_REVISIONS.items() if text in expression)
        good, bad = next(known_pair)
        # One scrape in ten minutes is missing.
        return NAN if not is_failed and at % 600 < 10 else bad if is_failed else good

    def _attempt(self, revision: str, at: float) -> tuple[bool, bool, bool]:
        """Tell of a revision whether it is the one that failed, exists, and that one serves."""
        failed = self.failed
        if failed is None or failed.start_time is None:
            return False, True, False
        start, end = failed.start_time.timestamp(), failed.time.timestamp()
        is_failed = revision == failed.revision
        serves = start + 2 <= at <= end
        return is_failed, not is_failed or start <= at <= end + 10, serves
