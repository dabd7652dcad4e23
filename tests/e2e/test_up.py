"""Bringing up what is up already changes nothing."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable

import pytest
from tenfold_cli import target as targets
from tenfold_local import layout

from tests.support import run_command

pytestmark = pytest.mark.cluster
MOST_PREVIEWS = 4
"""A second `up` may last as long as so many previews: it looks at the cluster twice and waits for
nothing. How many seconds that are is for bench-up: here the machine may be slow and busy."""


def test_a_second_up_changes_nothing_and_waits_for_nothing(
    platform: None, say: Callable[[str], None]
) -> None:
    target = targets.find(None)
    start = time.monotonic()
    target.pulumi("preview", "--expect-no-changes", "--stack", target.stack)
    previewed = time.monotonic()
    done = run_command("tenfold", "up")
    preview, second_up = previewed - start, time.monotonic() - previewed
    say(f"preview: {preview:.1f} s, second up: {second_up:.1f} s")
    assert done.returncode == 0, done.stdout + done.stderr
    changes = re.findall(r"(\d+) (created|updated|replaced|deleted)", done.stdout)
    assert not changes, done.stdout
    assert "unchanged" in done.stdout
    assert second_up < MOST_PREVIEWS * preview


def test_the_environment_that_tenfold_prints_is_enough_for_kubectl(platform: None) -> None:
    exports = run_command("tenfold", "env").stdout
    done = subprocess.run(
        ["bash", "-c", f"{exports}\nkubectl get workloads --all-namespaces"],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
    )
    assert done.returncode == 0, done.stderr
    assert "gateway" in done.stdout


def test_kubeconfigs_and_keys_are_readable_by_their_owner_only(platform: None) -> None:
    secret = [layout.ADMIN_KUBECONFIG, *layout.PKI.glob("*.key"), *layout.PKI.glob("*.kubeconfig")]
    assert len(secret) > 5
    assert [path for path in secret if path.stat().st_mode & 0o077] == []
