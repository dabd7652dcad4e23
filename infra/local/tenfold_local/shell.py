"""Running other programs, with their output in a log file and their failure as one exception."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LOG_TAIL_LINES = 15


class Failure(Exception):
    """Something a person has to read: what failed, where to look, what to try next."""

    def __init__(self, what: str, *, log: Path | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.log = log
        self.hint = hint


def run(
    command: Sequence[str | Path],
    *,
    log: Path | None = None,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: str | None = None,
    hint: str | None = None,
) -> str:
    """Run a command and return its standard output.

    With ``log``, both outputs are appended to that file and nothing is returned. A non-zero exit
    raises Failure with the last lines of the output.
    """
    arguments = [str(part) for part in command]
    if log is None:
        done = subprocess.run(
            arguments, capture_output=True, text=True, cwd=cwd, env=environment, input=stdin
        )
        output, tail = done.stdout, (done.stderr or done.stdout)
    else:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(f"$ {' '.join(arguments)}\n")
            file.flush()
            done = subprocess.run(
                arguments,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=cwd,
                env=environment,
                input=stdin,
            )
        output, tail = "", log_tail(log)
    if done.returncode != 0:
        lines = "\n".join(tail.strip().splitlines()[-LOG_TAIL_LINES:])
        raise Failure(
            f"{' '.join(arguments[:3])} … ended with {done.returncode}\n{lines}", log=log, hint=hint
        )
    return output


def log_tail(log: Path, lines: int = LOG_TAIL_LINES) -> str:
    """Return the last lines of a log file, or nothing where there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def wait_until(
    ready: Callable[[], bool], *, seconds: float, what: str, log: Path | None = None
) -> None:
    """Wait for a condition; raise Failure when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            tail = f"\n{log_tail(log)}" if log else ""
            raise Failure(f"{what} did not happen within {seconds:.0f} s{tail}", log=log)
        time.sleep(0.1)
