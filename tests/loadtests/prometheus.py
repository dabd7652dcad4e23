"""A real Prometheus on loopback."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.support import free_port, wait_until

_CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: pods
    static_configs: [{{targets: ["127.0.0.1:{port}"], labels: {{workload: gateway}}}}]
"""


@contextlib.contextmanager
def prometheus(folder: Path, scraped_port: int) -> Iterator[str]:
    """Scrape one port each second; the URL to ask at."""
    config = folder / "prometheus.yml"
    config.write_text(_CONFIG.format(port=scraped_port))
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address={address}",
        ],
        stderr=subprocess.DEVNULL,
    )
    url = f"http://{address}"
    try:
        wait_until(lambda: _is_ready(url), seconds=60, what="Prometheus answers")
        yield url
    finally:
        process.terminate()
        process.wait(60)


def _is_ready(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/-/ready").status_code == 200
    return False
