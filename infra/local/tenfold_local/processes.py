"""Long-running processes of the cluster, recorded so that exactly they can be ended later.

A record holds the process id and its start time: an id that the system has given to another
process since is never taken for ours.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tenfold_local import layout
from tenfold_local.shell import Failure, log_tail, wait_until

RECORDS = layout.STATE / "processes"
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Component:
    """A program to be kept running: its name, its command line and the namespace it runs in."""

    name: str
    command: Sequence[str]
    network_namespace: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        """Command line, inside the network namespace where there is one.

        ``ip netns exec`` would remount /sys and hide the cgroups; nsenter changes nothing else.
        """
        if self.network_namespace is None:
            return list(self.command)
        return ["nsenter", f"--net=/run/netns/{self.network_namespace}", *self.command]


def log_file(name: str) -> Path:
    """Return the file with both outputs of a component."""
    return layout.LOGS / f"{name}.log"


def _record(name: str) -> Path:
    return RECORDS / f"{name}.json"


def recorded() -> Iterator[str]:
    """Names of all components that were started and not yet stopped."""
    if RECORDS.exists():
        yield from sorted(path.stem for path in RECORDS.glob("*.json"))


def process(name: str) -> psutil.Process | None:
    """Return the running process of a component, or None where it is not running."""
    try:
        record = json.loads(_record(name).read_text())
        found = psutil.Process(record["pid"])
        same = abs(found.create_time() - record["started"]) < 1.0
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    except (FileNotFoundError, json.JSONDecodeError, psutil.NoSuchProcess):
        return None


def start(component: Component) -> bool:
    """Start a component in a session of its own; return False where it is running already."""
    if process(component.name) is not None:
        return False
    RECORDS.mkdir(parents=True, exist_ok=True)
    log_path = log_file(component.name)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        child = subprocess.Popen(
            component.arguments(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **component.environment},
        )
    record = {"pid": child.pid, "started": psutil.Process(child.pid).create_time()}
    temporary = _record(component.name).with_suffix(".new")
    temporary.write_text(json.dumps(record))
    temporary.rename(_record(component.name))
    return True


def require_running(name: str) -> None:
    """Raise Failure, with the end of its log, where a component has ended by itself."""
    if process(name) is None:
        log = log_file(name)
        raise Failure(f"{name} ended by itself\n{log_tail(log)}", log=log)


def wait_for(
    names: Sequence[str], condition: Callable[[], bool], *, seconds: float, what: str
) -> None:
    """Wait for what these components bring about; Failure where one ends or time is up.

    The last of them is the one whose log tells why it takes so long.
    """

    def came_true() -> bool:
        for name in names:
            require_running(name)
        return condition()

    wait_until(came_true, seconds=seconds, what=what, log=log_file(names[-1]))


def stop(name: str, *, kill: bool = False) -> None:
    """End a component and wait until it is gone, so that nothing meets a dying predecessor."""
    found = process(name)
    if found is not None:
        try:
            found.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            _wait_until_gone(name)
        except Failure:
            found.kill()
            _wait_until_gone(name)
        except psutil.NoSuchProcess:
            pass
    _record(name).unlink(missing_ok=True)


def _wait_until_gone(name: str) -> None:
    # Not psutil's wait: it takes one that has ended for alive until its parent has asked for it.
    wait_until(lambda: process(name) is None, seconds=STOP_SECONDS, what=f"the end of {name}")


def leftovers() -> list[str]:
    """List running processes that were started from our folders, recorded or not."""
    ours = (str(layout.STATE), str(layout.RUN))
    found = []
    for candidate in psutil.process_iter(["pid", "name", "cmdline"]):
        command = " ".join(candidate.info["cmdline"] or [])
        programs = ("containerd", "kube", "etcd", "pause")
        if candidate.info["name"].startswith(programs) and any(path in command for path in ours):
            found.append(f"process {candidate.pid} {candidate.info['name']}")
    return found


def uptime_seconds(name: str) -> float | None:
    """Seconds since a component was started, or None where it is not running."""
    found = process(name)
    return None if found is None else time.time() - found.create_time()
