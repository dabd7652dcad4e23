"""A steady load from Locust, and what became of its requests in any stretch of time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.benchmarks.rollout_locustfile import FOLDER_VARIABLE
from tests.support import free_port, wait_until

_WORKERS = 2
_LATE_SECONDS = 0.05
"""Requests that leave later than this tell of a generator that does not keep up."""


@dataclass
class Recording:
    """The outcome of every request by the second that it was sent in; filled when the load ends."""

    requests_per_second: float
    seconds: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """Unix second: requests, failed ones, those that took longer than a second."""
    failures: Counter[str] = field(default_factory=Counter)
    late_seconds_p95: float = 0.0

    def count(self, start: float, end: float) -> tuple[int, int, int]:
        """Return the requests sent in the unix seconds of [start, end), as in `seconds`."""
        found = [
            counts for second, counts in self.seconds.items() if int(start) <= second < int(end)
        ]
        requests, failed, slow = (sum(column) for column in zip((0, 0, 0), *found, strict=True))
        return requests, failed, slow

    def last_failure(self, start: float) -> int | None:
        """Return the last unix second, from `start` on, in which a request was sent that failed."""
        failing = [second for second, counts in self.seconds.items() if counts[1]]
        return max((each for each in failing if each >= int(start)), default=None)

    @property
    def is_saturated(self) -> bool:
        """Whether the generator, not what it loads, was the bottleneck."""
        whole = sorted(self.seconds)[10:-2]
        sent = sum(self.seconds[each][0] for each in whole) / max(1, len(whole))
        return self.late_seconds_p95 > _LATE_SECONDS or sent < 0.98 * self.requests_per_second


@contextmanager
def locust_load(url: str, requests_per_second: int, patience: float = 60) -> Iterator[Recording]:
    """Load `url` until the block ends; the recording is complete after it."""
    wait_until(lambda: httpx.get(url).status_code == 200, seconds=patience, what=f"200 from {url}")
    recording = Recording(requests_per_second)
    with tempfile.TemporaryDirectory(prefix="tenfold-rollout-") as folder:
        with Path(folder, "log").open("w") as log:
            process = subprocess.Popen(
                _command(url, requests_per_second),
                cwd=folder,
                env={**os.environ, FOLDER_VARIABLE: folder},
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield recording
            assert process.poll() is None, Path(folder, "log").read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        _read(recording, Path(folder))


def _command(url: str, users: int) -> list[str]:
    port = str(free_port())
    locustfile = Path(__file__).with_name("rollout_locustfile.py")
    return [
        *(sys.executable, "-m", "locust", "--headless", "--only-summary", "--loglevel=WARNING"),
        *("--locustfile", str(locustfile), "--host", url),
        *("--users", str(users), "--spawn-rate", str(users)),
        *("--processes", str(_WORKERS), "--stop-timeout", "10"),
        *("--master-bind-host", "127.0.0.1", "--master-bind-port", port),
        *("--master-host", "127.0.0.1", "--master-port", port),
    ]


def _read(recording: Recording, folder: Path) -> None:
    parts = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    assert len(parts) == _WORKERS, f"{len(parts)} of {_WORKERS} workers wrote what they saw"
    for part in parts:
        for second, counts in part["seconds"].items():
            before = recording.seconds.get(int(second), (0, 0, 0))
            added = tuple(a + b for a, b in zip(before, counts, strict=True))
            recording.seconds[int(second)] = (added[0], added[1], added[2])
        recording.failures += Counter(part["failures"])
    recording.late_seconds_p95 = max(part["late_seconds_p95"] for part in parts)
