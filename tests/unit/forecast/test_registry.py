"""Models in a folder: the same after as before, and nothing trusted on the way."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tenfold_operator.forecast import registry
from tenfold_operator.forecast.archive import Rejected, arrays_of, ensemble_of
from tenfold_operator.forecast.ensemble import Ensemble
from tenfold_operator.forecast.registry import Record
from tenfold_operator.forecast.store import FileStore, Roles
from tenfold_operator.forecast.training import fit
from tenfold_operator.forecast.types import Calendar, Campaign, Series

from tests.unit.forecast.shapes import DAY, START, STEP, daily

WINDOW = Series(values=daily(5), step_seconds=STEP, start=START)


def packed(ensemble: Ensemble, age: int = 0) -> tuple[Record, bytes]:
    created = START + timedelta(days=10 - age)
    return registry.pack(ensemble, WINDOW, name="shop.orders", seed=0, created=created)


def archive_of(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=True, **arrays)
    return file.getvalue()


def signed(record: Record, archive: bytes) -> Record:
    digest = hashlib.sha256(archive).hexdigest()
    return record.model_copy(update={"digest": digest, "version": digest[:12]})


def test_a_loaded_model_forecasts_what_the_saved_one_did(
    ensemble: Ensemble, tmp_path: Path
) -> None:
    store = FileStore(tmp_path)
    record, archive = packed(ensemble)
    store.save(record, archive)
    again, loaded = store.load("shop.orders", record.version)
    assert again == record
    for value in daily(6)[5 * DAY : 5 * DAY + 50]:
        ensemble.update(value)
        loaded.update(value)
    assert loaded.predict(30).mean == pytest.approx(ensemble.predict(30).mean, rel=0.02)


def test_a_cold_model_and_its_calendar_are_kept(tmp_path: Path) -> None:
    sale = Campaign(name="sale", start=START, end=START + timedelta(days=1))
    calendar = Calendar(timezone="Europe/Istanbul", campaigns=(sale,))
    ensemble = fit(np.full(20, 7.0), STEP, START, calendar)
    record, archive = packed(ensemble)
    store = FileStore(tmp_path)
    store.save(record, archive)
    _, loaded = store.load("shop.orders", record.version)
    assert loaded.history.days.calendar == calendar
    assert loaded.predict(3).mean == pytest.approx(ensemble.predict(3).mean)


def test_a_record_says_where_a_model_comes_from(learned: Ensemble) -> None:
    record, _ = packed(learned)
    assert record.steps == 5 * DAY
    assert record.start == START
    assert record.data_digest == hashlib.sha256(daily(5).tobytes()).hexdigest()
    assert {"numpy", "scikit-learn", "statsmodels"} <= set(record.libraries)
    assert 0.0 < record.scores["ensemble"][10] < record.scores["last_value"][10]


def test_an_archive_that_was_changed_is_rejected(learned: Ensemble) -> None:
    record, archive = packed(learned)
    with pytest.raises(Rejected, match="not the one recorded"):
        registry.unpack(record, archive[:-1] + bytes([archive[-1] ^ 1]))


def test_pickled_code_is_not_run(learned: Ensemble, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path(tmp_path / "run").touch, ()  # type: ignore[return-value]

    record, _ = packed(learned)
    archive = archive_of({"history.log": np.array([Trap()], dtype=object)})
    with pytest.raises(Rejected, match="plain arrays"):
        registry.unpack(signed(record, archive), archive)
    assert not (tmp_path / "run").exists()


def test_an_archive_that_would_fill_memory_is_rejected(
    learned: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, archive = packed(learned)
    monkeypatch.setattr(registry, "MOST_BYTES", 1_000)
    with pytest.raises(Rejected, match="at most 1000"):
        registry.unpack(record, archive)


def test_something_else_is_rejected(learned: Ensemble) -> None:
    record, _ = packed(learned)
    with pytest.raises(Rejected, match="plain arrays"):
        registry.unpack(signed(record, b"hello"), b"hello")
    with pytest.raises(Rejected, match="not a model's record"):
        registry.parse('{"format": 1}')


@pytest.mark.parametrize("name", ["history.log", "near.left", "network.weights1", "track.spread"])
def test_a_missing_array_is_named(learned: Ensemble, name: str) -> None:
    arrays = arrays_of(learned)
    del arrays[name]
    with pytest.raises(Rejected, match=name):
        ensemble_of(arrays, learned.history.days)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("near.left", np.int64(10**6)),
        ("far.feature", np.int64(-1)),
        ("far.roots", np.int64(10**6)),
        ("near.depth", np.int64(10**9)),
        ("near.value", np.nan),
        ("network.scale", 0.0),
        ("network.weights0", np.inf),
        ("track.spread", -1.0),
        ("history.numbers", 0.0),
        ("statistical.transition", np.nan),
    ],
)
def test_arrays_that_would_lead_astray_are_rejected(
    learned: Ensemble, name: str, value: float
) -> None:
    arrays = arrays_of(learned)
    arrays[name] = np.full_like(arrays[name], value)
    with pytest.raises(Rejected, match=name.split(".")[0]):
        ensemble_of(arrays, learned.history.days)


def test_arrays_of_another_type_or_shape_are_rejected(learned: Ensemble) -> None:
    for change in (np.float32(0.0), np.zeros((2, 2))):
        arrays = arrays_of(learned)
        arrays["habit"] = np.asarray(change)
        with pytest.raises(Rejected, match="habit"):
            ensemble_of(arrays, learned.history.days)


def test_roles_go_to_versions_that_are_kept(learned: Ensemble, tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    record, archive = packed(learned)
    assert store.roles("shop.orders") == Roles()
    with pytest.raises(Rejected, match="save it first"):
        store.appoint("shop.orders", Roles(champion=record.version))
    store.save(record, archive)
    store.appoint("shop.orders", Roles(champion=record.version))
    assert store.roles("shop.orders").champion == record.version


def test_old_versions_go_but_not_those_with_a_role(learned: Ensemble, tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    versions = []
    for age in (4, 3, 2, 1):
        record, archive = packed(learned, age)
        archive += bytes(age)  # four archives that differ
        record = signed(record, archive)
        store.save(record, archive)
        versions.append(record.version)
    store.appoint("shop.orders", Roles(champion=versions[0]))
    assert store.prune("shop.orders", keep=2) == (versions[1],)
    assert {record.version for record in store.records("shop.orders")} == {
        versions[0],
        versions[2],
        versions[3],
    }


def test_a_version_that_is_not_there_or_is_of_another_series_is_rejected(
    learned: Ensemble, tmp_path: Path
) -> None:
    store = FileStore(tmp_path)
    with pytest.raises(Rejected, match="fit anew"):
        store.load("shop.orders", "0" * 12)
    record, archive = packed(learned)
    store.save(record, archive)
    (tmp_path / "shop.orders").rename(tmp_path / "other")
    with pytest.raises(Rejected, match="is of shop"):
        store.load("other", record.version)


def test_a_series_whose_name_would_leave_the_folder_has_no_record(learned: Ensemble) -> None:
    with pytest.raises(ValueError, match="series"):
        registry.pack(learned, WINDOW, name="../etc", seed=0, created=START)
