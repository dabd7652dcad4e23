"""`tenfold-dashboards generate`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tenfold_dashboards.generate import main


def generate(folder: Path, *options: str) -> int:
    return main(
        [
            "generate",
            *options,
            "--folder",
            str(folder),
            "--reference",
            str(folder.with_name(f"{folder.name}-reference")),
        ]
    )


def test_the_committed_files_are_up_to_date() -> None:
    assert main(["generate", "--check"]) == 0


def test_what_was_generated_passes_the_check(tmp_path: Path) -> None:
    assert generate(tmp_path) == 0
    assert generate(tmp_path, "--check") == 0


@pytest.mark.parametrize("name", ["recording.yaml", "boards/tenfold-redis.json", "of-old.yaml"])
def test_the_check_names_what_is_out_of_date_and_generating_mends_it(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    generate(tmp_path)
    (tmp_path / name).write_text("edited by hand\n")
    assert generate(tmp_path, "--check") == 1
    assert f"{name} is out of date: run `tenfold-dashboards generate`" in capsys.readouterr().out
    generate(tmp_path)
    assert generate(tmp_path, "--check") == 0


def test_the_check_writes_nothing(tmp_path: Path) -> None:
    assert generate(tmp_path / "new", "--check") == 1
    assert not (tmp_path / "new").exists()
