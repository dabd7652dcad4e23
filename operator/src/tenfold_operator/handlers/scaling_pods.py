"""What pods tell of their start, and which of them fail."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import at, holding, objects_at, text_at, time_at
from tenfold_operator.plan.scaling.load import Signals
from tenfold_operator.plan.scaling.startup import LAST

_LATE = 2.0
"""A pod that takes longer than so many usual starts does not start: it fails."""


class Starts:
    """How long pods took to start, also those that have gone since."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._newest = datetime.min.replace(tzinfo=UTC)

    def see(self, pods: Iterable[JsonObject]) -> tuple[float, ...]:
        """Note pods that have become ready; return the seconds of the last ones, oldest first."""
        found = [
            (ready, uid, (ready - scheduled).total_seconds())
            for pod in pods
            if (uid := text_at(pod, "metadata", "uid")) not in self._seconds
            and (ready := _since(pod, "Ready"))
            and ready >= self._newest
            and (scheduled := _since(pod, "PodScheduled"))
            # One whose containers began anew was ready before.
            and not any(each.get("restartCount") for each in _containers(pod))
        ]
        self._newest = max((ready for ready, _, _ in found), default=self._newest)
        self._seconds |= {uid: seconds for _, uid, seconds in sorted(found)}
        self._seconds = dict(list(self._seconds.items())[-LAST:])
        return tuple(self._seconds.values())


def signals(
    pods: Iterable[JsonObject],
    start_seconds: float,
    targets_up: float | None,
    errors: float | None,
    now: datetime,
) -> Signals:
    """Return what else tells whether the load can be believed."""
    staying = [each for each in pods if not at(each, "metadata", "deletionTimestamp")]
    late = now - timedelta(seconds=_LATE * start_seconds)
    return Signals(
        targets_up=targets_up,
        errors=errors,
        pods_failing=sum(_fails(each, late) for each in staying),
        pods=len(staying),
    )


def _fails(pod: JsonObject, late: datetime) -> bool:
    reasons = {text_at(each, "state", "waiting", "reason") for each in _containers(pod)}
    if "CrashLoopBackOff" in reasons:
        return True
    scheduled = _since(pod, "PodScheduled")
    return _since(pod, "Ready") is None and scheduled is not None and scheduled < late


def _since(pod: JsonObject, condition: str) -> datetime | None:
    """Return since when a condition holds; None where it does not."""
    found = holding(pod, condition)
    return time_at(found, "lastTransitionTime") if found else None


def _containers(pod: JsonObject) -> tuple[JsonObject, ...]:
    return objects_at(pod, "status", "containerStatuses")
