"""What a decision leaves for the next: the numbers asked for, and the periods of the limits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tenfold_operator.model.generated import WorkloadScalingStatus


@dataclass(frozen=True)
class Mark:
    """A number of pods from a moment on."""

    time: datetime
    replicas: int


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What a decision leaves for the next.

    Attributes:
        recommendations: Numbers asked for, each holding until the next, the oldest first.
        out: Pods at the start of the running period of scaleOut's limits.
        in_: The same of scaleIn's.
    """

    recommendations: tuple[Mark, ...] = ()
    out: Mark | None = None
    in_: Mark | None = None


EMPTY = Memory()


def recall(status: WorkloadScalingStatus | None) -> Memory:
    """Return the memory that the status holds."""
    if status is None:
        return EMPTY
    periods = {each.direction: Mark(each.time, each.replicas) for each in status.periods}
    return Memory(
        recommendations=tuple(Mark(each.time, each.replicas) for each in status.recommendations),
        out=periods.get("Out"),
        in_=periods.get("In"),
    )


def remember(memory: Memory, replicas: int, now: datetime, window_seconds: float) -> Memory:
    """Add a recommendation and forget those that ended before the window."""
    marks = memory.recommendations
    if not marks or marks[-1].replicas != replicas:
        marks = (*marks, Mark(now, replicas))
    marks = marks[_ended(marks, now, window_seconds) :]
    if marks == memory.recommendations:
        return memory
    return Memory(recommendations=marks, out=memory.out, in_=memory.in_)


def within(memory: Memory, now: datetime, window_seconds: float) -> tuple[int, ...]:
    """Return the numbers asked for within the window, the last one always among them."""
    marks = memory.recommendations
    return tuple(each.replicas for each in marks[_ended(marks, now, window_seconds) :])


def _ended(marks: tuple[Mark, ...], now: datetime, window_seconds: float) -> int:
    """How many of the recommendations were followed by another before the window."""
    if len(marks) == 1:
        return 0
    since = now - timedelta(seconds=window_seconds)
    return sum(1 for each in marks[1:] if each.time <= since)
