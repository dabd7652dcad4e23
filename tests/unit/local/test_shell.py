"""A failure says what failed, where to look and what to try next."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from tenfold_local.shell import Failure, run, wait_until
from tenfold_local.steps import console, reported, step


def test_the_output_of_a_command_that_works_is_returned() -> None:
    assert run(["echo", "hello"]) == "hello\n"


def test_a_failing_command_shows_the_end_of_its_output_and_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "build.log"
    with pytest.raises(Failure, match=r"(?s)ended with 3.*the reason") as failure:
        run(["sh", "-c", "echo the reason; exit 3"], log=log, hint="try again")
    assert failure.value.log == log
    assert failure.value.hint == "try again"
    assert "the reason" in log.read_text()


def test_a_condition_that_does_not_come_true_is_named() -> None:
    with pytest.raises(Failure, match="the moon's fall did not happen within 0 s"):
        wait_until(lambda: False, seconds=0.2, what="the moon's fall")


def test_a_failed_step_is_named_and_ends_the_command_with_1(tmp_path: Path) -> None:
    @reported
    def command() -> None:
        with step("build the moon"):
            raise Failure("no cheese", log=tmp_path / "moon.log", hint="buy some")

    with console.capture() as captured, pytest.raises(typer.Exit) as ended:
        command()
    assert ended.value.exit_code == 1
    shown = captured.get()
    assert "✗ build the moon" in shown
    assert "no cheese" in shown
    assert f"log:  {tmp_path / 'moon.log'}" in shown
    assert "next: buy some" in shown
