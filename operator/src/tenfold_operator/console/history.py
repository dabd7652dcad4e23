"""Past values from Prometheus: a fixed set of questions, few at a time, and remembered."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tenfold_operator.console.questions import Question, Questions
from tenfold_operator.console.views import Chart, History, Line
from tenfold_operator.model.observed import Series
from tenfold_operator.ports import Clock, Metrics, Rejected, Unavailable

POINTS = 180
MINUTES = (15, 60, 360, 1440)
"""Windows that may be asked for."""
_AT_ONCE = 2
"""Questions that Prometheus gets at the same time from all browsers together."""
_REMEMBERED = 64
_FRESH_SECONDS = 5.0
_MOST_LINES = 12


@dataclass(frozen=True)
class Window:
    """A range of times in equal steps."""

    start: datetime
    end: datetime
    step_seconds: int

    @property
    def times(self) -> tuple[int, ...]:
        """Return the times, unix seconds."""
        start, end = round(self.start.timestamp()), round(self.end.timestamp())
        return tuple(range(start, end + 1, self.step_seconds))


def last_minutes(minutes: int, now: datetime) -> Window:
    """Return the window up to now, at whole steps, so that all who ask mean the same one."""
    return between(now - timedelta(minutes=minutes), now, minutes * 60 // POINTS)


def around(start: datetime, end: datetime, now: datetime) -> Window:
    """Return the window of something that lasted from `start` to `end`, and a bit more."""
    margin = max(timedelta(seconds=60), (end - start) * 0.2)
    first, last = start - margin, min(now, end + margin)
    return between(first, last, max(2, math.ceil((last - first).total_seconds() / POINTS)))


def between(start: datetime, end: datetime, step: int) -> Window:
    """Return the window whose ends are multiples of its step."""

    def whole(moment: datetime) -> datetime:
        return datetime.fromtimestamp(moment.timestamp() // step * step, UTC)

    return Window(whole(start), whole(end), step)


class Historian:
    """Asks Prometheus, and remembers what it said for some seconds."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._known: OrderedDict[tuple[Questions, Window], tuple[float, asyncio.Task[History]]] = (
            OrderedDict()
        )

    def now(self) -> datetime:
        """Return the time."""
        return self._clock.now()

    async def ask(self, questions: Questions, window: Window) -> History:
        """Return the charts of a resource; who asks for the same meanwhile gets the same."""
        key = questions, window
        known = self._known.get(key)
        if known is None or known[0] < time.monotonic():
            due = time.monotonic() + max(_FRESH_SECONDS, window.step_seconds / 2)
            known = due, asyncio.create_task(self._answer(questions, window))
            self._known[key] = known
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return await asyncio.shield(known[1])

    async def _answer(self, questions: Questions, window: Window) -> History:
        try:
            answers = await asyncio.gather(
                *(self._series(each, window) for each in questions.questions)
            )
        except (Unavailable, Rejected) as error:
            return _history(questions, window, (), f"Prometheus cannot be asked: {error}")
        return _history(questions, window, answers, "")

    async def _series(self, question: Question, window: Window) -> Sequence[Series]:
        async with self._turn:
            return await self._metrics.query_range(
                question.expression, window.start, window.end, window.step_seconds
            )


def _history(
    questions: Questions, window: Window, answers: Sequence[Sequence[Series]], trouble: str
) -> History:
    times = window.times
    lines: dict[str, list[Line]] = {}
    for question, found in zip(questions.questions, answers, strict=False):
        for each in sorted(found, key=lambda series: sorted(series.labels.items()))[:_MOST_LINES]:
            name = question.name or each.labels.get(question.label, "")
            lines.setdefault(question.chart, []).append(
                Line(
                    name=name,
                    role=question.role or questions.roles.get(name, "other"),
                    values=_values(times, each, question.factor),
                )
            )
    return History(
        start=window.start,
        end=window.end,
        step_seconds=window.step_seconds,
        times=times,
        charts=tuple(
            Chart(
                key=each.key,
                title=each.title,
                unit=each.unit,
                bound=each.bound,
                bound_name=each.bound_name,
                lines=tuple(lines[each.key]),
            )
            for each in questions.charts
            if each.key in lines
        ),
        marks=questions.marks,
        trouble=trouble,
    )


def _values(times: Sequence[int], series: Series, factor: float) -> tuple[float | None, ...]:
    """Return one value a time, None for gaps and for what is no number."""
    known: Mapping[int, float] = {
        round(at): value * factor
        for at, value in zip(series.times, series.values, strict=True)
        if math.isfinite(value)
    }
    return tuple(known.get(each) for each in times)
