"""Model versions in a folder: a volume that outlives the operator's pod.

FOLDER/SERIES/VERSION.json   the record
FOLDER/SERIES/VERSION.npz    the arrays
FOLDER/SERIES/roles.json     who is champion, who challenger
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tenfold_operator.forecast import registry
from tenfold_operator.forecast.archive import Rejected
from tenfold_operator.forecast.ensemble import Ensemble
from tenfold_operator.forecast.registry import Record

_VERSION = r"^[0-9a-f]{12}$"


class Roles(BaseModel):
    """Who answers, and who is tried beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    champion: str | None = Field(default=None, pattern=_VERSION)
    challenger: str | None = Field(default=None, pattern=_VERSION)


class FileStore:
    """Versions of the models of many series.

    Args:
        folder: Made where it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, record: Record, archive: bytes) -> None:
        """Keep a version; the record comes last, so that half a version is none."""
        folder = self._folder / record.series
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / f"{record.version}.npz", archive)
        _write(folder / f"{record.version}.json", record.model_dump_json(indent=2).encode())

    def records(self, series: str) -> tuple[Record, ...]:
        """Return the records of a series that can be read, oldest first."""
        found = []
        for path in sorted((self._folder / series).glob("*.json")):
            if path.stem != "roles":
                try:
                    found.append(registry.parse(path.read_bytes()))
                except Rejected:
                    continue
        return tuple(sorted(found, key=lambda record: record.created))

    def load(self, series: str, version: str) -> tuple[Record, Ensemble]:
        """Return a version, checked.

        Raises:
            Rejected: It is not there, not of this series, or not what it was when saved.
        """
        path = self._folder / series / f"{version}.json"
        try:
            record = registry.parse(path.read_bytes())
            archive = path.with_suffix(".npz").read_bytes()
        except OSError as error:
            raise Rejected(f"{series} {version}: {error.strerror}; fit anew") from error
        if (record.series, record.version) != (series, version):
            raise Rejected(f"{path} is of {record.series} {record.version}: fit anew")
        return record, registry.unpack(record, archive)

    def roles(self, series: str) -> Roles:
        """Return who is champion and challenger of a series; none where nothing was said.

        Raises:
            Rejected: What is there says something else.
        """
        path = self._folder / series / "roles.json"
        try:
            return Roles.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return Roles()
        except ValidationError as error:
            raise Rejected(f"{path}: {error}; remove it to begin anew") from error

    def appoint(self, series: str, roles: Roles) -> None:
        """Say who is champion and challenger.

        Raises:
            Rejected: One of them is not kept here.
        """
        kept = {record.version for record in self.records(series)}
        for version in (roles.champion, roles.challenger):
            if version is not None and version not in kept:
                raise Rejected(f"{series} {version}: not kept here; save it first")
        _write(self._folder / series / "roles.json", roles.model_dump_json().encode())

    def remove(self, series: str) -> None:
        """Remove all that is kept of a series."""
        shutil.rmtree(self._folder / series, ignore_errors=True)

    def prune(self, series: str, keep: int) -> tuple[str, ...]:
        """Remove all but the newest `keep` versions and those with a role; return the removed."""
        roles = self.roles(series)
        spared = {roles.champion, roles.challenger}
        old = [record.version for record in self.records(series)][: -keep or None]
        removed = tuple(version for version in old if version not in spared)
        for version in removed:
            for suffix in (".json", ".npz"):
                (self._folder / series / f"{version}{suffix}").unlink(missing_ok=True)
        return removed


def _write(path: Path, content: bytes) -> None:
    """Replace a file whole: a reader sees the old or the new one."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)
