"""How long a platform takes: from nothing with empty caches, from nothing with full ones, again.

The embedded cluster is taken down first: whatever runs on it is lost.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from tenfold_cli import target as targets
from tenfold_local.toolchain import PULUMI

from tests.benchmarks import report

_BIN = Path(sys.executable).parent


def _seconds(*command: str, environment: Mapping[str, str] = os.environ) -> float:
    start = time.monotonic()
    subprocess.run(command, check=True, env=dict(environment))
    return time.monotonic() - start


def _tenfold(command: str, environment: Mapping[str, str] = os.environ) -> float:
    return _seconds(str(_BIN / "tenfold"), command, environment=environment)


def _cold() -> float:
    """From nothing, with no cache of ours, of Go's builds or of its modules."""
    with tempfile.TemporaryDirectory(dir=Path.home(), prefix="tenfold-cold-") as folder:
        caches = {name: f"{folder}/{name}" for name in ("TENFOLD_CACHE", "GOCACHE", "GOMODCACHE")}
        environment = {**os.environ, **caches}
        seconds = _tenfold("up", environment)
        _tenfold("down", environment)
        return seconds


def main(
    cold: Annotated[
        bool, typer.Option("--cold", help="Measure empty caches too: half an hour.")
    ] = False,
) -> None:
    """Measure and write out/bench/up.json."""
    if "KUBECONFIG" in os.environ:
        raise typer.BadParameter("KUBECONFIG is set; this measures the embedded cluster alone")
    _tenfold("down")
    cold_seconds = _cold() if cold else None
    PULUMI.build()
    warm_seconds = _tenfold("up")
    again_seconds = _tenfold("up")
    target = targets.find(None)
    start = time.monotonic()
    target.pulumi("preview", "--expect-no-changes", "--stack", target.stack)
    preview_seconds = time.monotonic() - start
    figures = {
        "cold_seconds": cold_seconds,
        "warm_seconds": warm_seconds,
        "again_seconds": again_seconds,
        "preview_seconds": preview_seconds,
    }
    print(report.write("up", figures))


if __name__ == "__main__":
    typer.run(main)
