"""What tests in several folders use: our commands, kubectl, waiting, and a steady load."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from tenfold_local import cluster, layout
from tenfold_local.toolchain import KUBERNETES

REPOSITORY = Path(__file__).resolve().parents[1]
# Of many failures so many of the first and of the last tell enough.
_TOLD_FAILURES = 5


def run_command(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of our commands from this environment, its output kept for the assertion."""
    program = Path(sys.executable).with_name(name)
    return subprocess.run([program, *arguments], capture_output=True, text=True, cwd=REPOSITORY)


def wait_until(
    condition: Callable[[], bool], *, seconds: float, what: str, every: float = 0.25
) -> float:
    """Wait for a condition and return the seconds that it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"{what} not within {seconds:.0f} s"
        time.sleep(every)
    return time.monotonic() - start


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_ready(obj: dict[str, Any]) -> bool:
    """Whether an object's Ready condition is True."""
    conditions = obj.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def manifest(version: str, kind: str, namespace: str, name: str, **content: Any) -> dict[str, Any]:
    """Return an object of Kubernetes."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}


@dataclass(frozen=True)
class Kubectl:
    """kubectl as the cluster's administrator."""

    kubeconfig: Path

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl and return how it ended, whatever that is."""
        command = [str(KUBERNETES.output() / "kubectl"), f"--kubeconfig={self.kubeconfig}"]
        return subprocess.run([*command, *arguments], capture_output=True, text=True, input=stdin)

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return its output; a failure fails the test."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def get(self, *arguments: str) -> Any:
        """Return objects as JSON."""
        return json.loads(self("get", *arguments, "--output=json"))

    def apply(self, *objects: dict[str, Any]) -> None:
        """Apply objects on the server."""
        content = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=content)

    def patch(self, *arguments: str, merge: dict[str, Any]) -> None:
        """Merge a patch into an object."""
        self("patch", *arguments, "--type=merge", "--patch", json.dumps(merge))


def other_gateway_node(kubectl: Kubectl, entrance: str) -> layout.Node:
    """Return a node with a gateway pod, other than the one that clients address."""
    selector = "--selector=app.kubernetes.io/name=traefik"
    pods = kubectl.get("pods", "--namespace=tenfold-gateway", selector)["items"]
    names = {each["spec"]["nodeName"] for each in pods}
    nodes = cluster.existing_nodes()
    return next(each for each in nodes if each.name in names and each.address not in entrance)


@dataclass
class Failure:
    """A request without an answer, or with one that is an error."""

    sent: float
    """By time.monotonic."""
    took_seconds: float
    reason: str

    def __str__(self) -> str:
        sent = datetime.fromtimestamp(self.sent + time.time() - time.monotonic(), UTC)
        return f"{sent:%H:%M:%S.%f} {self.reason} after {self.took_seconds:.3f} s"


@dataclass
class Load:
    """What a steady load saw of the requests that have ended."""

    requests: int = 0
    slowest_seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """How many requests failed."""
        return len(self.failures)

    def __str__(self) -> str:
        seen = Counter(each.reason for each in self.failures)
        sent = sorted(self.failures, key=lambda each: each.sent)
        told = (
            sent
            if len(sent) <= 2 * _TOLD_FAILURES
            else sent[:_TOLD_FAILURES] + sent[-_TOLD_FAILURES:]
        )
        return "\n".join(
            [
                f"{self.failed} of {self.requests} requests failed, "
                f"slowest {self.slowest_seconds:.3f} s",
                *(f"{count} times {reason}" for reason, count in seen.items()),
                *map(str, told),
            ]
        )


async def _send(client: httpx.AsyncClient, url: str, load: Load) -> None:
    sent = time.monotonic()
    try:
        answer = await client.get(url)
        reason = str(answer.status_code) if answer.is_error else ""
    except httpx.HTTPError as error:
        reason = repr(error)
    took_seconds = time.monotonic() - sent
    if reason:
        load.failures.append(Failure(sent, took_seconds, reason))
    load.requests += 1
    load.slowest_seconds = max(load.slowest_seconds, took_seconds)


async def _send_steadily(
    url: str, per_second: float, kept: int, load: Load, stop: threading.Event
) -> None:
    limits = httpx.Limits(max_connections=64 if kept else None, max_keepalive_connections=kept)
    start, sent = time.monotonic(), 0
    async with httpx.AsyncClient(timeout=10, limits=limits) as client, asyncio.TaskGroup() as group:
        while not stop.is_set():
            group.create_task(_send(client, url, load))
            sent += 1
            await asyncio.sleep(max(0.0, start + sent / per_second - time.monotonic()))


@contextmanager
def steady_load(url: str, per_second: float, *, keep_alive: bool = True) -> Iterator[Load]:
    """Send requests at a steady rate until the block ends; every request has then ended too.

    Without `keep_alive` each of them has a connection of its own.
    """
    load, stop = Load(), threading.Event()
    sender = threading.Thread(
        target=lambda: asyncio.run(
            _send_steadily(url, per_second, 64 if keep_alive else 0, load, stop)
        )
    )
    sender.start()
    try:
        wait_until(lambda: load.requests >= 10, seconds=15, what="the load's first answers")
        yield load
    finally:
        stop.set()
        sender.join()
