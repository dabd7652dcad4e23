"""Runs Locust: one master and its workers, as processes of their own.

In processes because Locust has gevent patch the standard library on import, which must not
happen to whoever calls the gate.
"""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pydantic

from tenfold_loadtests import measurement
from tenfold_loadtests import plan as planning

# Locust's own start and end around ramp and duration: workers connecting, last reports.
OVERHEAD_SECONDS = 7.0
# A run that takes this much longer than it should is broken.
_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.2

_STOP_SECONDS = 5


class GeneratorError(Exception):
    """The generator gave no complete measurement; the message names its log."""


def run(
    plan: planning.Plan,
    url: str,
    processes: int,
    log: pathlib.Path,
    on_progress: Callable[[float], None],
) -> measurement.Measurement:
    """Send the planned load and return what was measured.

    `on_progress` is called with the seconds since the start, some times a second.
    """
    path = plan.folder / "plan.json"
    path.write_text(plan.model_dump_json(), encoding="utf-8")
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            _command(url, processes),
            # Not the caller's folder, where Locust would pick up a locust.conf.
            cwd=plan.folder,
            env=_environment(path),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(process, plan.shape.seconds, on_progress)
        finally:
            _end(process)
    return _read(plan.measurement, processes, log)


def _command(url: str, processes: int) -> list[str]:
    port = str(_free_port())
    return [
        sys.executable,
        *("-m", "locust", "--headless", "--only-summary"),
        *("--locustfile", str(pathlib.Path(__file__).with_name("locustfile.py"))),
        *("--host", url.rstrip("/")),
        *("--processes", str(processes)),
        *("--master-bind-host", "127.0.0.1", "--master-bind-port", port),
        *("--master-host", "127.0.0.1", "--master-port", port),
        # A user that goes lets its request end.
        *("--stop-timeout", str(_STOP_SECONDS)),
        # Failed requests are the gate's to judge.
        *("--exit-code-on-error", "0"),
    ]


def _environment(plan: pathlib.Path) -> dict[str, str]:
    # LOCUST_* variables of the caller would override the command line's defaults.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    return {**kept, planning.PLAN_VARIABLE: str(plan)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(
    process: subprocess.Popen[bytes], seconds: float, on_progress: Callable[[float], None]
) -> None:
    start = time.monotonic()
    while time.monotonic() - start < seconds + OVERHEAD_SECONDS + _PATIENCE_SECONDS:
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
