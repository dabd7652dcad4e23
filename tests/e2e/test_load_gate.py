"""The load gate judges the platform itself, through Traefik."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tenfold_loadtests import reports, suites, targets, verdict

from tests.support import run_command

pytestmark = pytest.mark.cluster

# The suite's 20 ms are for a quiet machine; beside other tests, a multiple says that it answers.
_LATENCY_SECONDS = 0.2


def test_the_smoke_suite_on_the_platform_fails_loses_and_doubles_nothing(
    entrances: dict[str, str], tmp_path: Path, say: Callable[[str], None]
) -> None:
    done = run_command(
        "tenfold-load",
        "run",
        "--suite=smoke",
        "--duration=15",
        "--ramp=5",
        f"--host={entrances['gateway']}",
        f"--prometheus={entrances['prometheus']}",
        f"--out={tmp_path}",
    )
    report = reports.read(suites.SMOKE.name, tmp_path)
    assert report is not None, done.stdout + done.stderr
    say(json.dumps(report.figures))
    for judged in report.judgements:
        if judged.target.unit == "s":
            assert judged.measured is not None, done.stdout
            assert judged.measured < _LATENCY_SECONDS, done.stdout
        elif judged.target.name != targets.RATE:
            assert judged.outcome is verdict.Outcome.HELD, done.stdout
    assert {entry.user for entry in report.measured.entries} == {
        *("browse", "orders", "webhooks", "admin")
    }
    assert report.graphs, "Prometheus saw nothing of the run"
