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
# Of more failures than these the first tell enough.
_TOLD_FAILURES = 10


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
class Load:
    """What a steady load saw: each answer, and each request that got none."""

    answers: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    failed_at: list[float] = field(default_factory=list)
    """When the failed ones were sent, by time.monotonic."""

    @property
    def requests(self) -> int:
        """Requests that were sent and have ended."""
        return self.answers.total() + self.errors.total()

    @property
    def failed(self) -> int:
        """Requests without an answer, or with one that is an error."""
        return self.errors.total() + sum(n for status, n in self.answers.items() if status >= 400)

    def __str__(self) -> str:
        seen = [f"{what}: {count}" for what, count in (*self.answers.items(), *self.errors.items())]
        since = time.time() - time.monotonic()
        when = [
            f"{datetime.fromtimestamp(each + since, UTC):%H:%M:%S.%f}"
            for each in self.failed_at[:_TOLD_FAILURES]
        ]
        return (
            f"{self.failed} of {self.requests} failed ({', '.join(seen)}), "
            f"slowest {self.slowest_seconds:.3f} s"
            f"{', sent at ' + ', '.join(when) if when else ''}"
        )


async def _send(client: httpx.AsyncClient, url: str, load: Load) -> None:
    start = time.monotonic()
    try:
        answer = await client.get(url)
        load.answers[answer.status_code] += 1
        is_failed = answer.status_code >= 400
    except httpx.HTTPError as error:
        load.errors[repr(error)] += 1
        is_failed = True
    if is_failed:
        load.failed_at.append(start)
    load.slowest_seconds = max(load.slowest_seconds, time.monotonic() - start)


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
