"""The load gate as CI calls it: real Locust processes, real services, exit codes."""

import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

import httpx
import psutil
import pytest

from tests.loadtests.processes import Redis, free_port, gateway
from tests.support import REPOSITORY, wait_until

PROGRAM = pathlib.Path(sys.executable).with_name("tenfold-load")

PASSED, MISSED, NOT_STARTED, NO_VERDICT = 0, 1, 2, 3


def _command(url: str, out: pathlib.Path, *arguments: str) -> list[str]:
    options = ["--suite", "smoke", "--host", url, "--out", str(out)]
    return [str(PROGRAM), "run", *options, *arguments]


def _load(url: str, out: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = _command(url, out, *arguments)
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


QUICK = ("--ramp", "0.5", "--duration", "3", "--rate", "50")


@pytest.fixture
def pretend() -> Iterator[Callable[..., str]]:
    """Return a function that starts a pretended gateway and returns its URL."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(**variables: str) -> str:
        port = free_port()
        command = ["uvicorn", "tests.loadtests.pretended_gateway:app", "--port", str(port)]
        quiet = ["--log-level", "critical", "--http", "httptools", "--loop", "uvloop"]
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", *command, *quiet],
                env={**os.environ, **variables},
                cwd=REPOSITORY,
            )
        )
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(url), seconds=20, what="the pretended gateway answers")
        return url

    yield start
    for process in processes:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def _outcomes(out: pathlib.Path) -> dict[str, str]:
    report = json.loads((out / "smoke.json").read_text())
    return {entry["target"]["name"]: entry["outcome"] for entry in report["judgements"]}


def _junit(out: pathlib.Path) -> ElementTree.Element:
    return ElementTree.parse(out / "smoke.xml").getroot()  # noqa: S314 (our own file)


def test_it_passes_against_the_real_gateway_and_writes_its_reports(
    redis: Redis, tmp_path: pathlib.Path
) -> None:
    with gateway(redis.url) as service:
        # Half of the rate comes from each: without one the target would be missed.
        done = _load(service.url, tmp_path, *QUICK, "--processes", "2")
    assert done.returncode == PASSED, done.stdout + done.stderr
    assert "Passed" in done.stdout
    assert set(_outcomes(tmp_path).values()) == {"held"}
    report = json.loads((tmp_path / "smoke.json").read_text())
    assert len(report["measured"]["workers"]) == 2
    assert report["figures"]["requests_per_second"] >= 50
    suite = _junit(tmp_path)
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")


def test_it_fails_when_answers_are_50_ms_slower(
    pretend: Callable[..., str], tmp_path: pathlib.Path
) -> None:
    done = _load(pretend(DELAY_SECONDS="0.05"), tmp_path, *QUICK)
    assert done.returncode == MISSED, done.stdout + done.stderr
    assert _outcomes(tmp_path) == {
        "requests_per_second": "held",
        "error_ratio": "held",
        "mean_seconds": "missed",
        "p95_seconds": "missed",
    }
    assert "Seed, Production readiness: < 20 ms average" in done.stdout
    suite = _junit(tmp_path)
    assert [case.get("name") for case in suite if case.find("failure") is not None] == [
        "mean_seconds",
        "p95_seconds",
    ]


def test_it_fails_when_one_request_in_a_hundred_fails_and_names_the_error(
    pretend: Callable[..., str], tmp_path: pathlib.Path
) -> None:
    done = _load(pretend(ERROR_EVERY="100"), tmp_path, *QUICK)
    assert done.returncode == MISSED, done.stdout + done.stderr
    assert _outcomes(tmp_path)["error_ratio"] == "missed"
    assert ": 500" in done.stdout


def test_a_run_whose_generator_cannot_keep_up_is_rejected_and_not_failed(
    pretend: Callable[..., str], tmp_path: pathlib.Path
) -> None:
    done = _load(pretend(), tmp_path, "--ramp", "3", "--duration", "5", "--rate", "5000")
    assert done.returncode == NO_VERDICT, done.stdout + done.stderr
    assert "the generator was the bottleneck" in done.stdout
    assert _outcomes(tmp_path)["requests_per_second"] == "not judged"


def test_a_generator_that_breaks_gives_no_verdict_and_names_its_log(
    pretend: Callable[..., str], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "smoke.json").write_text("of an earlier run")
    # A module that Locust needs, shadowed by one that cannot be imported.
    (tmp_path / "zmq.py").write_text("raise ImportError('broken on purpose')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = _load(pretend(), tmp_path, *QUICK)
    assert done.returncode == NO_VERDICT, done.stdout + done.stderr
    assert "smoke.log" in done.stderr
    assert "broken on purpose" in (tmp_path / "smoke.log").read_text()
    assert not (tmp_path / "smoke.json").exists()


def test_a_cancelled_run_takes_its_load_along(
    pretend: Callable[..., str], tmp_path: pathlib.Path
) -> None:
    log = tmp_path / "smoke.log"
    gate = subprocess.Popen(_command(pretend(), tmp_path), stdout=subprocess.DEVNULL)
    wait_until(
        lambda: log.exists() and "Sending spawn jobs" in log.read_text(),
        seconds=30,
        what="the load begins",
    )
    locust = psutil.Process(gate.pid).children(recursive=True)
    assert len(locust) == 2
    gate.terminate()
    assert gate.wait(10) == 128 + signal.SIGTERM
    assert psutil.wait_procs(locust, timeout=10)[1] == []


def test_it_does_not_start_against_a_host_that_is_away(tmp_path: pathlib.Path) -> None:
    done = _load(f"http://127.0.0.1:{free_port()}", tmp_path, *QUICK)
    assert done.returncode == NOT_STARTED
    assert "cannot be reached" in done.stderr
    assert not (tmp_path / "smoke.json").exists()


def test_it_does_not_send_load_to_another_machine_without_a_reason(tmp_path: pathlib.Path) -> None:
    done = _load("http://192.0.2.1", tmp_path, *QUICK)
    assert done.returncode == NOT_STARTED
    assert "--allow-remote" in done.stderr
