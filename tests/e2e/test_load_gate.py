"""The load gate judges the platform itself, through Traefik."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import run_command

pytestmark = pytest.mark.cluster


def test_the_smoke_suite_passes_on_the_platform(
    entrances: dict[str, str], tmp_path: Path, say: Callable[[str], None]
) -> None:
    done = run_command(
        "tenfold-load",
        "run",
        "--suite=smoke",
        "--duration=15",
        "--ramp=3",
        f"--host={entrances['gateway']}",
        f"--out={tmp_path}",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    say(str(json.loads((tmp_path / "smoke.json").read_text())["figures"]))
