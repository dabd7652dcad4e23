"""Real processes on loopback: Redis, the gateway service, the load gate."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import httpx
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support import free_port, wait_until

PASSWORD = "not-a-secret"
_START_SECONDS = 20.0
_BIN = pathlib.Path(sys.executable).parent


class Redis:
    """A redis-server that appends to a file, so that a killed one comes back with its data."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._client = redis.Redis(
            port=self.port,
            password=PASSWORD,
            decode_responses=True,
            # By itself the client would wait for seconds between its tries.
            retry=Retry(NoBackoff(), 0),
        )

    def start(self) -> None:
        settings = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "requirepass": PASSWORD,
            "masterauth": PASSWORD,
            "repl-diskless-sync-delay": "0",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        wait_until(
            self._answers,
            seconds=_START_SECONDS,
            what="Redis answers",
            every=0.02,
        )

    def kill(self) -> None:
        if self._process:
            self._client.close()
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
        answer: object = self._client.execute_command(*words)  # type: ignore[no-untyped-call]
        return answer

    def replication(self) -> dict[str, object]:
        """Return what Redis says of its own replication."""
        answer: dict[str, object] = self._client.info("replication")
        return answer

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self._client.ping())
        return False


class Service:
    """A primary's Service: new connections go where it points, old ones stay where they are."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def move(self, port: int) -> None:
        self._target = port

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with contextlib.suppress(ConnectionRefusedError):
                    server = socket.create_connection(("127.0.0.1", self._target))
                    for pair in ((client, server), (server, client)):
                        threading.Thread(target=_pump, args=pair, daemon=True).start()
                    continue
                client.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class Gateway:
    """A gateway service as its own process."""

    def __init__(self, redis_url: str, **variables: str) -> None:
        self._port, self._metrics_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        environment = {
            **os.environ,
            "REDIS_URL": redis_url,
            "REDIS_PASSWORD": PASSWORD,
            "TENFOLD_HOST": "127.0.0.1",
            "TENFOLD_HTTP_PORT": str(self._port),
            "TENFOLD_METRICS_PORT": str(self._metrics_port),
            "TENFOLD_DRAIN_SECONDS": "0",
            **variables,
        }
        self.process = subprocess.Popen(
            [str(_BIN / "tenfold-gateway")],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # One client for all: each new one reads the certificate authorities, 30 ms of CPU.
        self._client = httpx.Client(timeout=10, limits=httpx.Limits(max_connections=None))

    def wait_until_up(self) -> None:
        wait_until(self._answers, seconds=_START_SECONDS, what="the gateway answers", every=0.02)

    def increment(self, name: str) -> httpx.Response:
        return self._client.post(f"{self.url}/v1/counters/{name}")

    def read(self, name: str) -> httpx.Response:
        return self._client.get(f"{self.url}/v1/counters/{name}")

    def is_ready(self) -> bool:
        return self._client.get(f"{self.url}/readyz").status_code == 200

    def metrics(self) -> str:
        return self._client.get(f"http://127.0.0.1:{self._metrics_port}/metrics").text

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> str:
        """End the process, if it has not ended, and return what it logged."""
        self.process.terminate()
        return self.process.communicate(timeout=30)[0]

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()[0]
        with contextlib.suppress(httpx.TransportError):
            return self._client.get(f"{self.url}/healthz").status_code == 200
        return False


@contextlib.contextmanager
def gateway(redis_url: str, **variables: str) -> Iterator[Gateway]:
    service = Gateway(redis_url, **variables)
    try:
        service.wait_until_up()
        yield service
    finally:
        service.end()
