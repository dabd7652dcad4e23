"""From samples to a model version: what a process of its own is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from tenfold_operator.forecast import registry
from tenfold_operator.forecast.registry import Record
from tenfold_operator.forecast.series import regular
from tenfold_operator.forecast.types import Calendar, Floats, Series

SEED = 0


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What is to be learned from.

    Attributes:
        name: The series' name, as registry.Record wants it.
        times: Unix seconds at which a step ended, shape (n,).
        values: Mean over that step, shape (n,).
        step_seconds: Length of a step.
        end: End of the last step that was asked for, with its time zone.
        calendar: Time zone and campaigns.
        created: Now, with its time zone.
    """

    name: str
    times: Floats
    values: Floats
    step_seconds: float
    end: datetime
    calendar: Calendar
    created: datetime


def train(lesson: Lesson) -> tuple[Record, bytes]:
    """Fit a model and return its record and archive; no samples make one that says so.

    Raises:
        ValueError: A time zone that there is not, or samples of different shapes.
    """
    # Here, so that only the trainer's process pays the memory of the fitting libraries.
    from tenfold_operator.forecast import training

    window = window_of(lesson)
    ensemble = training.fit(window.values, window.step_seconds, window.start, lesson.calendar, SEED)
    return registry.pack(ensemble, window, name=lesson.name, seed=SEED, created=lesson.created)


def window_of(lesson: Lesson) -> Series:
    """Return the load that a model is fitted to.

    Raises:
        ValueError: Samples of different shapes, or with a time that is none.
    """
    if not lesson.times.size:
        return Series(values=np.empty(0), step_seconds=lesson.step_seconds, start=lesson.end)
    # A step is named after its beginning.
    begun = lesson.times - lesson.step_seconds
    return regular(begun, lesson.values, lesson.step_seconds)
