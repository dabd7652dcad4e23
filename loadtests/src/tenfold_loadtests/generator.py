"""Runs Locust: one master and its workers, as processes of their own.

In processes because Locust has gevent patch the standard library on import, which must not
happen to whoever calls the gate.
"""

import contextlib
import math
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import pydantic

from tenfold_loadtests import measurement, targets

# Locust's own start and end around ramp and duration: workers connecting, last reports.
OVERHEAD_SECONDS = 7.0
# A run that takes this much longer than it should is broken.
_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.2

_RESULT_VARIABLE = "TENFOLD_LOAD_RESULT"


class GeneratorError(Exception):
    """The generator gave no complete measurement; the message names its log."""


def run(
    suite: targets.Suite,
    url: str,
    processes: int,
    log: pathlib.Path,
    on_progress: Callable[[float], None],
) -> measurement.Measurement:
    """Send the suite's load and return what was measured.

    `on_progress` is called with the seconds since the start, some times a second.
    """
    with tempfile.TemporaryDirectory(prefix="tenfold-load-") as folder:
        result = pathlib.Path(folder, "measurement.json")
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                _command(suite, url, processes),
                # Not the caller's folder, where Locust would pick up a locust.conf.
                cwd=folder,
                env=_environment(result),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                _wait(process, suite, on_progress)
            finally:
                _end(process)
        return _read(result, processes, log)


def _command(suite: targets.Suite, url: str, processes: int) -> list[str]:
    users = math.ceil(suite.requests_per_second)
    port = str(_free_port())
    return [
        sys.executable,
        *("-m", "locust", "--headless", "--only-summary", "--reset-stats"),
        *("--locustfile", str(pathlib.Path(__file__).with_name("locustfile.py"))),
        *("--host", url.rstrip("/")),
        *("--users", str(users), "--spawn-rate", str(users / suite.ramp_seconds)),
        *("--run-time", f"{math.ceil(suite.ramp_seconds + suite.duration_seconds)}s"),
        *("--processes", str(processes)),
        *("--master-bind-host", "127.0.0.1", "--master-bind-port", port),
        *("--master-host", "127.0.0.1", "--master-port", port),
        # Failed requests are the gate's to judge.
        *("--exit-code-on-error", "0"),
    ]


def _environment(result: pathlib.Path) -> dict[str, str]:
    # LOCUST_* variables of the caller would override the command line's defaults.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    return {**kept, _RESULT_VARIABLE: str(result)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(
    process: subprocess.Popen[bytes], suite: targets.Suite, on_progress: Callable[[float], None]
) -> None:
    start = time.monotonic()
    latest = suite.ramp_seconds + suite.duration_seconds + OVERHEAD_SECONDS + _PATIENCE_SECONDS
    while time.monotonic() - start < latest:
        on_progress(time.monotonic() - start)
        try:
            process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the master and its workers: the whole session, which holds nothing else."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(result: pathlib.Path, processes: int, log: pathlib.Path) -> measurement.Measurement:
    try:
        measured = measurement.Measurement.model_validate_json(result.read_bytes())
    except (OSError, pydantic.ValidationError) as error:
        raise GeneratorError(
            f"Locust ended without a measurement; the cause is in {log}."
        ) from error
    if len(measured.workers) != processes:
        raise GeneratorError(
            f"Only {len(measured.workers)} of {processes} workers reported; see {log}."
        )
    return measured
