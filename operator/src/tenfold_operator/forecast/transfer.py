"""A lesson on its way to another pod, and the model on its way back: JSON and plain arrays.

No pickle, in either direction. What comes back is checked against the lesson that it answers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tenfold_operator.forecast import registry
from tenfold_operator.forecast.archive import Rejected
from tenfold_operator.forecast.registry import CampaignRecord, Record
from tenfold_operator.forecast.trainer import Lesson, window_of

MOST_LOG_BYTES = 8 * 2**20
"""More than this is no answer; a kubelet starts another file at 10 MiB."""

_HEAD, _SAMPLES = "lesson.json", "samples.npz"
_RECORD, _ARCHIVE = "tenfold-record ", "tenfold-archive "
_LINE = 8000
"""Characters of a line: container runtimes cut those above 16 KiB, others' output in between."""


class _Head(BaseModel):
    """A lesson but for its samples."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal[1] = 1
    name: str
    step_seconds: float = Field(gt=0)
    end: AwareDatetime
    timezone: str
    campaigns: tuple[CampaignRecord, ...]
    created: AwareDatetime


def files_of(lesson: Lesson) -> Mapping[str, bytes]:
    """Return a lesson as the contents of files, by their names."""
    head = _Head(
        name=lesson.name,
        step_seconds=lesson.step_seconds,
        end=lesson.end,
        timezone=lesson.calendar.timezone,
        campaigns=registry.records_of(lesson.calendar.campaigns),
        created=lesson.created,
    )
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, times=lesson.times, values=lesson.values)
    return {_HEAD: head.model_dump_json().encode(), _SAMPLES: file.getvalue()}


def lesson_in(folder: Path) -> Lesson:
    """Return the lesson whose files are in a folder.

    Raises:
        Rejected: It is none.
        OSError: A file is not there.
    """
    content, samples = (folder / _HEAD).read_bytes(), (folder / _SAMPLES).read_bytes()
    try:
        head = _Head.model_validate_json(content)
        with np.load(io.BytesIO(samples), allow_pickle=False) as file:
            times, values = file["times"], file["values"]
        calendar = registry.calendar_of(head.timezone, head.campaigns)
    except (ValidationError, zipfile.BadZipFile, ValueError, EOFError, KeyError) as error:
        raise Rejected(f"{folder} holds no lesson: {error}") from error
    if times.dtype != np.float64 or values.dtype != np.float64:
        raise Rejected(f"{folder}: samples of {times.dtype} and {values.dtype}, not float64")
    return Lesson(
        name=head.name,
        times=times,
        values=values,
        step_seconds=head.step_seconds,
        end=head.end,
        calendar=calendar,
        created=head.created,
    )


def lines_of(record: Record, archive: bytes) -> Iterator[str]:
    """Yield the lines that a model is printed as."""
    yield _RECORD + record.model_dump_json()
    text = base64.b64encode(archive).decode()
    for start in range(0, len(text), _LINE):
        yield _ARCHIVE + text[start : start + _LINE]


def model_in(log: str, lesson: Lesson) -> tuple[Record, bytes]:
    """Return the record and the archive that were printed among other lines.

    The archive is still to be unpacked, which checks what is in it.

    Raises:
        Rejected: There is none, or it is not the answer to this lesson.
    """
    records, parts = (
        [line.removeprefix(mark) for line in log.split("\n") if line.startswith(mark)]
        for mark in (_RECORD, _ARCHIVE)
    )
    if len(records) != 1:
        raise Rejected(f"{lesson.name}: {len(records)} models in {len(log)} characters, not one")
    try:
        archive = base64.b64decode("".join(parts), validate=True)
    except binascii.Error as error:
        raise Rejected(f"{lesson.name}: the archive is not whole: {error}") from error
    record = registry.parse(records[0])
    if wrong := _differences(record, archive, lesson):
        raise Rejected(f"{lesson.name}: a model with another {', '.join(wrong)}")
    return record, archive


def _differences(record: Record, archive: bytes, lesson: Lesson) -> list[str]:
    """Return what a model says otherwise than the lesson that it was to be learned from."""
    window = window_of(lesson)
    step, steps = timedelta(seconds=lesson.step_seconds), len(window.values)
    try:
        calendar = record.calendar
    except ValueError:
        calendar = None
    is_so = {
        "series": record.series == lesson.name,
        "version": record.version == record.digest[:12],
        "digest": record.digest == hashlib.sha256(archive).hexdigest(),
        "time of training": record.created == lesson.created,
        "step": record.step_seconds == lesson.step_seconds,
        # A fit may leave out the oldest steps.
        "window": record.steps <= steps
        and record.start + record.steps * step == window.start + steps * step,
        "calendar": calendar == lesson.calendar,
        "data": record.data_digest == registry.data_digest(window),
    }
    return [what for what, holds in is_so.items() if not holds]
