"""Our services as real processes on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from tests.loadtests.processes import PASSWORD
from tests.support import free_port, wait_until

_BIN = Path(sys.executable).parent
_START_SECONDS = 60.0

MARKETPLACES = ("trendyol", "n11", "hepsiburada", "amazon", "ebay", "ozon")


class Program:
    """One of our services as its own process."""

    def __init__(self, name: str, *arguments: str, **variables: str) -> None:
        self._command = [str(_BIN / name), *arguments]
        self.port, self.metrics_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "TENFOLD_HOST": "127.0.0.1",
            "TENFOLD_HTTP_PORT": str(self.port),
            "TENFOLD_METRICS_PORT": str(self.metrics_port),
            "TENFOLD_DRAIN_SECONDS": "0",
            **variables,
        }
        # One client for all: each new one reads the certificate authorities, 30 ms of CPU.
        self.client = httpx.Client(timeout=10, base_url=self.url)
        self.process = self._start()

    def metrics(self) -> str:
        return httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics").text

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start it again on the same ports."""
        self.process = self._start()

    def wait_until_up(self) -> None:
        wait_until(self._answers, seconds=_START_SECONDS, what=f"{self.url} answers", every=0.05)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.client.close()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, env=self.environment)

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"{self._command} ended"
        with contextlib.suppress(httpx.TransportError):
            return self.client.get("/healthz").status_code == 200
        return False


@contextlib.contextmanager
def running(name: str, *arguments: str, **variables: str) -> Iterator[Program]:
    program = Program(name, *arguments, **variables)
    try:
        program.wait_until_up()
        yield program
    finally:
        program.end()


def simulator(**variables: str) -> contextlib.AbstractContextManager[Program]:
    """The six marketplaces and their identity provider."""
    return running("tenfold-marketplaces", **{"TENFOLD_PRODUCTS": "200", **variables})


def gateway(
    redis_url: str,
    upstreams: Program,
    policy: Mapping[str, float] | None = None,
    **variables: str,
) -> contextlib.AbstractContextManager[Program]:
    """A gateway in front of simulated marketplaces."""
    places = {name: {"url": f"{upstreams.url}/{name}", **(policy or {})} for name in MARKETPLACES}
    return running(
        "tenfold-gateway",
        REDIS_URL=redis_url,
        REDIS_PASSWORD=PASSWORD,
        TENFOLD_UPSTREAMS=json.dumps(places),
        TENFOLD_JWKS=f"{upstreams.url}/identity/jwks.json",
        **variables,
    )


def bearer(upstreams: Program, tenant: str = "shop", scope: str = "read write") -> dict[str, str]:
    """Headers with a token of the simulated identity provider."""
    answer = upstreams.client.post("/identity/token", json={"tenant": tenant, "scope": scope})
    return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}


def misbehave(upstreams: Program, marketplace: str, **behaviour: object) -> None:
    upstreams.client.patch(f"/admin/{marketplace}", json=behaviour).raise_for_status()
