"""promtool on made-up series."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from tenfold_dashboards import recording
from tenfold_dashboards.rules import Alert, Group, Links, Recording, render_groups

RECORDINGS = [
    rule for group in recording.GROUPS for rule in group.rules if isinstance(rule, Recording)
]


def run_tests(folder: Path, rules: str, tests: Sequence[dict[str, Any]], every: str) -> None:
    """Run promtool's tests on a rule file; a failure fails the test that calls."""
    (folder / "rules.yaml").write_text(rules)
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "30s",
        "tests": [{"interval": every, **test} for test in tests],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(document))
    command = ["promtool", "test", "rules", str(folder / "test.yaml")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def series(samples: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the series as promtool takes them."""
    return [{"series": name, "values": values} for name, values in samples.items()]


def alone(alert: Alert) -> str:
    """Return a rule file with an alert and the recordings that it reads, and nothing else."""
    needed: list[Recording | Alert] = [alert]
    for rule in reversed(RECORDINGS):
        if any(rule.record in each.expr for each in needed):
            needed.insert(0, rule)
    return render_groups([Group(name="alone", rules=tuple(needed))], Links())
