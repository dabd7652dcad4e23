"""Redis servers and a Redis Cluster of three masters, as processes on loopback."""

from __future__ import annotations

import contextlib
import pathlib
import signal
import subprocess

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support import free_port, wait_until

_START_SECONDS = 20.0
_SLOTS = 16384


def cluster_port() -> int:
    """Return a free port whose cluster bus port is a valid one."""
    while (port := free_port()) + 10000 >= 65536:
        pass
    return port


class Server:
    """One redis-server that keeps nothing on disk."""

    def __init__(self, folder: pathlib.Path, *options: str) -> None:
        self.port = cluster_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.admin = redis.Redis(port=self.port, retry=Retry(NoBackoff(), 0))
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        settings = {"port": str(self.port), "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            ["redis-server", *words, "--dir", str(self._folder), *self._options],
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._answers, seconds=_START_SECONDS, what="Redis answers", every=0.02)
        return self

    def kill(self) -> None:
        if self._process:
            self.admin.close()
            self._process.kill()
            self._process.wait()
            self._process = None

    def suspend(self) -> None:
        """Stop the process in its tracks: connections stay open and nothing answers."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def command(self, *words: str | int) -> object:
        return self.admin.execute_command(*words)  # type: ignore[no-untyped-call]

    def _answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError):
            return bool(self.admin.ping())
        return False


class Cluster:
    """Three masters that share the slots."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.masters = []
        for index in range(3):
            own = folder / f"master-{index}"
            own.mkdir()
            self.masters.append(Server(own, "--cluster-enabled", "yes"))
        self.url = self.masters[0].url

    def start(self) -> Cluster:
        first = self.masters[0]
        for index, master in enumerate(self.masters):
            master.start()
            low, high = index * _SLOTS // 3, (index + 1) * _SLOTS // 3 - 1
            master.command("CLUSTER", "ADDSLOTSRANGE", low, high)
            master.command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
        for master in self.masters[1:]:
            master.command("CLUSTER", "MEET", "127.0.0.1", first.port)
        wait_until(self._complete, seconds=_START_SECONDS, what="the cluster is whole", every=0.05)
        return self

    def kill(self) -> None:
        for master in self.masters:
            master.kill()

    def _complete(self) -> bool:
        for master in self.masters:
            info = master.command("CLUSTER INFO")
            assert isinstance(info, dict)
            if info["cluster_state"] != "ok" or info["cluster_known_nodes"] != "3":
                return False
        return True
