"""A fitted ensemble as plain arrays with a record, and back with nothing trusted.

No pickle: an archive of arrays (npz) and JSON. What is loaded is checked first: the digest that the
record names, size, names, types, shapes, finite numbers, and tree links that stay inside.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tenfold_operator.forecast.archive import Rejected, arrays_of, ensemble_of
from tenfold_operator.forecast.days import Days
from tenfold_operator.forecast.ensemble import Ensemble
from tenfold_operator.forecast.members import KNOTS
from tenfold_operator.forecast.types import FAMILIES, Calendar, Campaign, Floats, Series

MOST_BYTES = 64 * 2**20
"""An archive may hold no more, unpacked."""

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "statsmodels")
_SERIES = r"^[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?$"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CampaignRecord(_Frozen):
    """A campaign of the calendar that was fitted with."""

    name: str
    start: AwareDatetime
    end: AwareDatetime


class Record(_Frozen):
    """What a model version is and where it comes from.

    Attributes:
        series: The series' name: lower case letters, digits, dashes and dots.
        version: First digits of the archive's digest.
        digest: SHA-256 of the archive.
        created: When it was fitted.
        start: First moment of the training window.
        step_seconds: Distance of two steps.
        steps: Steps of the training window.
        timezone: IANA name.
        campaigns: Of the calendar.
        data_digest: SHA-256 of the training values.
        libraries: Versions that it was fitted with.
        scores: Error over load at each horizon in steps, of the ensemble, of repeating the last
            value and of each family, on the part of the window that was not fitted to.
        seed: Of the fit.
    """

    format: Literal[1] = 1
    series: str = Field(pattern=_SERIES)
    version: str = Field(pattern=r"^[0-9a-f]{12}$")
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    created: AwareDatetime
    start: AwareDatetime
    step_seconds: float = Field(gt=0)
    steps: int = Field(ge=0)
    timezone: str
    campaigns: tuple[CampaignRecord, ...] = ()
    data_digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    libraries: dict[str, str]
    scores: dict[str, dict[int, float]]
    seed: int

    @property
    def calendar(self) -> Calendar:
        """The calendar that was fitted with."""
        return calendar_of(self.timezone, self.campaigns)


def calendar_of(timezone: str, campaigns: Iterable[CampaignRecord]) -> Calendar:
    """Return the calendar that was recorded.

    Raises:
        ValueError: A campaign without time zones, or that ends before it begins.
    """
    found = (Campaign(name=each.name, start=each.start, end=each.end) for each in campaigns)
    return Calendar(timezone=timezone, campaigns=tuple(found))


def records_of(campaigns: Iterable[Campaign]) -> tuple[CampaignRecord, ...]:
    """Return campaigns as they are recorded."""
    return tuple(
        CampaignRecord(name=each.name, start=each.start, end=each.end) for each in campaigns
    )


def pack(
    ensemble: Ensemble, window: Series, *, name: str, seed: int, created: datetime
) -> tuple[Record, bytes]:
    """Return a fresh fit's record and archive.

    Args:
        ensemble: As training.fit returned it.
        window: What it was fitted to.
        name: The series' name: lower case letters, digits, dashes and dots.
        seed: What it was fitted with.
        created: Now, with its time zone.
    """
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays_of(ensemble))
    archive = file.getvalue()
    digest = hashlib.sha256(archive).hexdigest()
    days = ensemble.history.days
    return Record(
        series=name,
        version=digest[:12],
        digest=digest,
        created=created,
        start=days.start,
        step_seconds=days.step_seconds,
        steps=ensemble.history.steps,
        timezone=days.calendar.timezone,
        campaigns=records_of(days.calendar.campaigns),
        data_digest=data_digest(window),
        libraries={library: importlib.metadata.version(library) for library in _LIBRARIES},
        scores=_scores(ensemble),
        seed=seed,
    ), archive


def data_digest(window: Series) -> str:
    """Return the SHA-256 of the values that a model was fitted to."""
    return hashlib.sha256(np.ascontiguousarray(window.values).tobytes()).hexdigest()


def parse(text: str | bytes) -> Record:
    """Return a record from its JSON.

    Raises:
        Rejected: It is none.
    """
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        raise Rejected(f"not a model's record: {error}") from error


def unpack(record: Record, archive: bytes) -> Ensemble:
    """Return the ensemble of a record and its archive, as it was after its last step.

    Raises:
        Rejected: The archive is not the record's, or is no model of this format.
    """
    if hashlib.sha256(archive).hexdigest() != record.digest:
        raise Rejected(f"{record.series} {record.version}: the archive is not the one recorded")
    try:
        days = Days(record.start, record.step_seconds, record.calendar)
    except ValueError as error:
        raise Rejected(f"{record.series} {record.version}: {error}") from error
    return ensemble_of(_read(archive), days)


def _read(archive: bytes) -> Mapping[str, NDArray[np.generic]]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as members:
            unpacked = sum(member.file_size for member in members.infolist())
        if unpacked > MOST_BYTES:
            raise Rejected(f"an archive of {unpacked} bytes: at most {MOST_BYTES} are read")
        with np.load(io.BytesIO(archive), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, KeyError) as error:
        raise Rejected(f"not an archive of plain arrays: {error}") from error


def _scores(ensemble: Ensemble) -> dict[str, dict[int, float]]:
    track = ensemble.track
    rows: dict[str, Floats] = {"ensemble": track.ensemble, "last_value": track.last_value}
    rows.update(zip(FAMILIES, track.errors, strict=True))
    load = max(track.load, 1e-12)
    return {
        name: {
            steps: float(error) / load
            for steps, error in zip(KNOTS, row, strict=True)
            if np.isfinite(error)
        }
        for name, row in rows.items()
    }
