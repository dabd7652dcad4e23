"""A load whose rate follows a curve, and the same curve as history in Prometheus' own volume."""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import httpx

from tests.rollouts.demo import Demo
from tests.support import Kubectl, wait_until

Rate = Callable[[float], float]
"""Requests a second at a unix time."""
_PATIENCE_SECONDS = 10.0
_SCRAPE_SECONDS = 15


@dataclass
class Outcome:
    """What became of the requests to one address: when sent, how long it took, whether answered."""

    requests: list[tuple[float, float, bool]] = field(default_factory=list)

    def between(self, start: float, end: float) -> Outcome:
        """Those that were sent in [start, end)."""
        return Outcome([each for each in self.requests if start <= each[0] < end])

    @property
    def failed(self) -> int:
        """Requests that got no answer, or an error."""
        return sum(not is_good for _, _, is_good in self.requests)

    @property
    def p95_seconds(self) -> float:
        """95th percentile of the time to the answer; failed ones count with all that they took."""
        return statistics.quantiles((seconds for _, seconds, _ in self.requests), n=20)[-1]

    def __str__(self) -> str:
        p95 = f"p95 {1000 * self.p95_seconds:.0f} ms"
        return f"{self.failed} of {len(self.requests)} failed, {p95}"


async def _send(session: aiohttp.ClientSession, url: str, outcome: Outcome) -> None:
    sent, begun = time.time(), time.monotonic()
    is_good = False
    try:
        async with session.get(url) as answer:
            await answer.read()
            is_good = answer.status < 400
    except (aiohttp.ClientError, TimeoutError):
        pass
    outcome.requests.append((sent, time.monotonic() - begun, is_good))


async def _replay(outcomes: dict[str, Outcome], rate: Rate, stop: threading.Event) -> None:
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
        asyncio.TaskGroup() as group,
    ):
        due = time.time()
        while not stop.is_set():
            for url, outcome in outcomes.items():
                group.create_task(_send(session, url, outcome))
            due += 1.0 / rate(due)
            await asyncio.sleep(max(0.0, due - time.time()))


@contextmanager
def replay(urls: Sequence[str], rate: Rate) -> Iterator[dict[str, Outcome]]:
    """Send requests to each of the addresses at the same rate until the block ends."""
    outcomes, stop = {url: Outcome() for url in urls}, threading.Event()
    sender = threading.Thread(target=lambda: asyncio.run(_replay(outcomes, rate, stop)))
    sender.start()
    try:
        yield outcomes
    finally:
        stop.set()
        sender.join()


def backfill_requests(
    kubectl: Kubectl, prometheus: httpx.Client, demo: Demo, rate: Rate, hours: float
) -> None:
    """Have Prometheus know requests to a demo for so many hours until now."""
    both = f"{demo.namespace}-{demo.name}"
    gateway = "gw-tenfold-gateway-tenfold-ep-web-0"
    service = f"httproute-{both}-{gateway}-svc-{both}-0123456789-8080@kubernetesgateway"
    series = f'traefik_service_requests_total{{service="{service}"}}'
    _backfill(kubectl, series, rate, hours)
    query = {"query": f"{series} offset 1h"}
    wait_until(
        lambda: bool(prometheus.get("/query", params=query).json()["data"]["result"]),
        seconds=120,
        what="the history in Prometheus",
        every=1,
    )


def _backfill(kubectl: Kubectl, series: str, rate: Rate, hours: float) -> None:
    """Give Prometheus a counter that has grown at that rate for so many hours until now.

    The blocks are made by promtool and put into the volume of the embedded cluster's Prometheus,
    as its documentation tells; it finds them within a minute.
    """
    volume = _volume(kubectl)
    owner = volume.stat()
    with tempfile.TemporaryDirectory(prefix="tenfold-history-") as folder:
        source, blocks = Path(folder, "history.txt"), Path(folder, "blocks")
        source.write_text(_open_metrics(series, rate, time.time(), hours))
        command = ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=24h"]
        made = subprocess.run(
            [*command, "openmetrics", source, blocks], capture_output=True, text=True
        )
        assert made.returncode == 0, made.stdout + made.stderr
        for block in blocks.iterdir():
            for path in (block, *block.rglob("*")):
                os.chown(path, owner.st_uid, owner.st_gid)
            shutil.move(block, volume / block.name)


def _open_metrics(series: str, rate: Rate, end: float, hours: float) -> str:
    name = series.partition("{")[0].removesuffix("_total")
    begin = (end - hours * 3600) // _SCRAPE_SECONDS * _SCRAPE_SECONDS
    lines, count = [f"# TYPE {name} counter"], 0.0
    while begin < end:
        lines.append(f"{series} {count:.3f} {begin:.0f}")
        count += rate(begin) * _SCRAPE_SECONDS
        begin += _SCRAPE_SECONDS
    return "\n".join([*lines, "# EOF", ""])


def _volume(kubectl: Kubectl) -> Path:
    namespace = "--namespace=tenfold-monitoring"
    claim = kubectl.get("persistentvolumeclaim", "data-prometheus-0", namespace)
    volume = kubectl.get("persistentvolume", claim["spec"]["volumeName"])
    return Path(volume["spec"]["hostPath"]["path"])
