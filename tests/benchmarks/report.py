"""What every benchmark writes: a table to read and a JSON file to compare."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import psutil
from rich.console import Console
from rich.table import Table

OUT = Path(__file__).resolve().parents[2] / "out" / "bench"
_VERSIONS = ("pulumi", "pulumi-kubernetes", "kopf", "redis", "locust", "libcachesim")


Figure: TypeAlias = "float | Mapping[str, Figure] | None"


def write(name: str, figures: Mapping[str, Figure]) -> Path:
    """Print figures as a table and write them to out/bench/NAME.json with machine and versions.

    Nested figures are written only: their benchmark prints them in a table of their own.
    """
    table = Table("figure", "value", title=name, title_justify="left")
    for key, value in figures.items():
        if not isinstance(value, Mapping):
            table.add_row(key, "not measured" if value is None else f"{value:.4g}")
    Console().print(table)
    machine = {
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
    versions = {package: importlib.metadata.version(package) for package in _VERSIONS}
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{name}.json"
    content = {**figures, "machine": machine, "versions": versions}
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path
