"""Lessons and models between pods: the same after as before, and nothing trusted on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tenfold_operator.forecast import transfer
from tenfold_operator.forecast.archive import Rejected
from tenfold_operator.forecast.registry import CampaignRecord, Record, unpack
from tenfold_operator.forecast.trainer import Lesson, train
from tenfold_operator.forecast.types import Calendar
from tenfold_operator.handlers.trainers import Trainers

from tests.unit.operator.training_cluster import (
    END,
    ENVIRONMENT,
    fitted_by_program,
    lesson,
    run_program,
    write,
)


def printed(each: Lesson) -> tuple[Record, bytes, list[str]]:
    record, archive = train(each)
    return record, archive, list(transfer.lines_of(record, archive))


def test_the_program_of_a_job_fits_what_the_operators_process_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the operator's pod: with more threads sums are in another order.
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    each = lesson(400)
    record, archive = transfer.model_in(fitted_by_program(each, tmp_path), each)
    process = Trainers()
    assert process.submit(train, each).result(300) == (record, archive)
    process.shutdown()
    assert unpack(record, archive).members.learned is not None


def test_the_program_of_a_job_says_at_last_why_it_failed(tmp_path: Path) -> None:
    nowhere = replace(lesson(), calendar=Calendar(timezone="Mars/Olympus"))
    done = run_program(nowhere, tmp_path)
    assert done.returncode == 1
    assert "Mars/Olympus" in done.stderr.strip().splitlines()[-1]
    assert not done.stdout


def test_a_lesson_arrives_as_it_was(tmp_path: Path) -> None:
    before, after = lesson(), transfer.lesson_in(write(lesson(), tmp_path))
    assert (after.times == before.times).all()
    assert (after.values == before.values).all()
    empty = np.empty(0)
    assert replace(after, times=empty, values=empty) == replace(before, times=empty, values=empty)


def test_a_lesson_without_samples_is_answered() -> None:
    empty = replace(lesson(), times=np.empty(0), values=np.empty(0))
    record, archive, lines = printed(empty)
    assert transfer.model_in("\n".join(lines), empty) == (record, archive)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"series": "shop.other"}, "series"),
        ({"version": "0" * 12}, "version"),
        ({"digest": "0" * 64, "version": "0" * 12}, "digest"),
        ({"created": END}, "time of training"),
        ({"step_seconds": 30.0}, "step"),
        ({"start": END}, "window"),
        ({"steps": 10**15}, "window"),
        ({"timezone": "UTC"}, "calendar"),
        ({"campaigns": (CampaignRecord(name="x", start=END, end=END),)}, "calendar"),
        ({"data_digest": "0" * 64}, "data"),
    ],
)
def test_a_model_of_something_else_is_refused(change: dict[str, object], wrong: str) -> None:
    record, archive, _ = printed(lesson())
    lines = transfer.lines_of(record.model_copy(update=change), archive)
    with pytest.raises(Rejected, match=f"another {wrong}"):
        transfer.model_in("\n".join(lines), lesson())


def test_what_is_cut_or_twice_there_is_refused() -> None:
    _, _, lines = printed(lesson())
    for log in (
        "",
        "\n".join(lines[1:]),
        "\n".join(lines[:-1]),
        "\n".join(lines)[:-1],
        "\n".join([*lines, *lines]),
        "\n".join(["tenfold-record {}", *lines[1:]]),
    ):
        with pytest.raises(Rejected):
            transfer.model_in(log, lesson())


def test_a_lesson_that_is_none_is_refused(tmp_path: Path) -> None:
    write(lesson(), tmp_path)
    (tmp_path / "samples.npz").write_bytes(b"no archive")
    with pytest.raises(Rejected, match="no lesson"):
        transfer.lesson_in(tmp_path)
