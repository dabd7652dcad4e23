"""Pods without Kubernetes: each a process in a network namespace and a root folder of its own.

They run the operator's scripts as they are, under the names that they have in a cluster, and can be
killed, frozen and cut off. Needs root, as the embedded cluster does; everything is on this machine.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_BRIDGE = "tflab"
_NETWORK = "10.97.0"
_RESTART_SECONDS = 1.0
_LOCK = Path("/tmp/tenfold-lab.lock")


def run(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


class Network:
    """A bridge of this machine; namespaces that hang on it reach each other and the tests."""

    def __init__(self) -> None:
        # One at a time on a machine: what a killed run left behind is removed here.
        self._lock = _LOCK.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._clear()
        run("ip", "link", "add", _BRIDGE, "type", "bridge")
        run("ip", "addr", "add", f"{_NETWORK}.1/24", "dev", _BRIDGE)
        run("ip", "link", "set", _BRIDGE, "up")
        self._numbers = itertools.count(10)

    def add(self) -> Namespace:
        number = next(self._numbers)
        namespace = Namespace(f"{_BRIDGE}-{number}", f"{_NETWORK}.{number}", f"{_BRIDGE}{number}")
        run("ip", "netns", "add", namespace.name)
        peer = ("peer", "name", "eth0", "netns", namespace.name)
        run("ip", "link", "add", namespace.link, "type", "veth", *peer)
        run("ip", "link", "set", namespace.link, "master", _BRIDGE, "up")
        for command in (
            ("addr", "add", f"{namespace.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            run("ip", "-n", namespace.name, *command)
        return namespace

    def remove(self) -> None:
        self._clear()
        self._lock.close()

    def _clear(self) -> None:
        for line in run("ip", "netns", "list").splitlines():
            if line.startswith(f"{_BRIDGE}-"):
                name = line.split()[0]
                # By itself the link would go some time after its namespace.
                run("ip", "link", "del", name.replace("-", ""), check=False)
                run("ip", "netns", "del", name)
        run("ip", "link", "del", _BRIDGE, check=False)


@dataclass(frozen=True)
class Namespace:
    name: str
    address: str
    link: str

    def cut(self) -> None:
        run("ip", "link", "set", self.link, "down")

    def join(self) -> None:
        run("ip", "link", "set", self.link, "up")


_ENTER = """\
cd "$1"; shift
mount --bind . . && cd "$PWD"
for each in usr dev proc; do mount --rbind "/$each" "$each"; done
for each in $MOUNTS; do mount --bind "../$each" "$each"; done
mount -o remount,bind,ro . # readOnlyRootFilesystem
exec chroot . "$@"
"""


@dataclass
class Pod:
    """One container that is started again whenever it ends, until the pod is deleted."""

    name: str
    folder: Path
    namespace: Namespace
    command: Sequence[str]
    environment: Mapping[str, str]
    revision: str
    mounts: Sequence[str] = ("data", "config", "auth")
    """Names of folders beside the root that are mounted under the same name."""
    restarts: bool = True
    terminating: bool = False
    lost: bool = False
    _process: subprocess.Popen[bytes] | None = None
    _keeper: threading.Thread | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        root = self.folder / "root"
        for each in ("usr", "dev", "proc", "etc", *self.mounts):
            (root / each).mkdir(parents=True, exist_ok=True)
        for each in ("bin", "sbin", "lib", "lib64"):
            if not (root / each).is_symlink():
                (root / each).symlink_to(f"usr/{each}")
        (root / "etc/nsswitch.conf").write_text("hosts: files\n")
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _within(self, *command: str) -> list[str]:
        enter = ["nsenter", f"--net=/run/netns/{self.namespace.name}", "unshare", "--mount"]
        return [*enter, "sh", "-ec", _ENTER, "sh", str(self.folder / "root"), *command]

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the pod to its end, as `kubectl exec` does."""
        return subprocess.run(
            self._within(*command), env=self._variables(), capture_output=True, text=True
        )

    def redis_cli(self, *words: str) -> str:
        """Run a command by a client within the pod."""
        script = '. /config/ask.sh; $cli "$@"'
        return self.execute("sh", "-c", script, "sh", *words).stdout

    def _variables(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "MOUNTS": " ".join(self.mounts),
            **self.environment,
        }

    def _keep(self) -> None:
        with (self.folder / "log").open("ab") as log:
            while not self._ended.is_set():
                self._process = subprocess.Popen(
                    self._within(*self.command), env=self._variables(), stdout=log, stderr=log
                )
                self._process.wait()
                if not self.restarts:
                    return
                self._ended.wait(_RESTART_SECONDS)

    def wait(self) -> int:
        """Wait until a container that is not restarted has ended, and return its exit code."""
        assert self._keeper is not None
        self._keeper.join()
        assert self._process is not None
        return int(self._process.returncode)

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def end(self, grace_seconds: float = 0.0) -> None:
        """End the container for good."""
        self._ended.set()
        self.restarts = False
        process = self._process
        if process and grace_seconds:
            process.terminate()
            deadline = time.monotonic() + grace_seconds
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
        if process and process.poll() is None:
            process.kill()
        if self._keeper:
            self._keeper.join()

    def wipe(self) -> None:
        """Empty the volume of a pod that has ended."""
        shutil.rmtree(self.folder / "data")
        (self.folder / "data").mkdir()
