"""Only processes that the launcher started are ever taken for its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tenfold_local import layout, processes
from tenfold_local.processes import Component
from tenfold_local.shell import Failure

SLEEPER = Component("sleeper", ["sleep", "60"])


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(processes, "RECORDS", tmp_path / "processes")
    monkeypatch.setattr(layout, "LOGS", tmp_path / "logs")
    yield
    processes.stop(SLEEPER.name, kill=True)


def test_a_component_runs_until_it_is_stopped() -> None:
    assert processes.start(SLEEPER)
    running = processes.process(SLEEPER.name)
    assert running is not None
    processes.stop(SLEEPER.name)
    assert processes.process(SLEEPER.name) is None
    assert list(processes.recorded()) == []


def test_starting_what_runs_already_starts_nothing() -> None:
    processes.start(SLEEPER)
    first = processes.process(SLEEPER.name)
    assert not processes.start(SLEEPER)
    assert processes.process(SLEEPER.name) == first


def test_a_killed_component_is_started_again() -> None:
    processes.start(SLEEPER)
    first = processes.process(SLEEPER.name)
    assert first is not None
    first.kill()
    first.wait(5)
    assert processes.process(SLEEPER.name) is None
    assert processes.start(SLEEPER)
    assert processes.process(SLEEPER.name) != first


def test_a_process_id_that_was_given_to_another_process_is_left_alone() -> None:
    processes.start(SLEEPER)
    other = processes.process(SLEEPER.name)
    assert other is not None
    record = processes.RECORDS / f"{SLEEPER.name}.json"
    recorded = json.loads(record.read_text())
    record.write_text(json.dumps({**recorded, "started": recorded["started"] - 3600}))
    processes.stop(SLEEPER.name)
    assert other.is_running()
    other.kill()
    other.wait(5)


def test_a_component_that_ended_by_itself_is_reported_with_the_end_of_its_log() -> None:
    failing = Component("failing", ["sh", "-c", "echo the reason; exit 3"])
    processes.start(failing)
    child = processes.process(failing.name)
    if child is not None:
        child.wait(5)
    with pytest.raises(Failure, match="failing ended by itself\nthe reason"):
        processes.require_running(failing.name)
