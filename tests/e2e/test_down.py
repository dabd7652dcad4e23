"""Down leaves nothing behind. Runs last: tests/conftest.py puts it there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import pytest

from tests.support import run_command

pytestmark = pytest.mark.cluster


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_down_leaves_no_process_mount_link_rule_cgroup_or_file(platform: None) -> None:
    done = run_command("tenfold", "down")
    assert done.returncode == 0, done.stdout + done.stderr
    commands = [" ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])]
    ours = ("/var/lib/tenfold", "/run/tenfold", "/.cache/tenfold/bin")
    assert [command for command in commands if any(path in command for path in ours)] == []
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    assert [line for line in mounts if "tenfold" in line or "/cni-" in line] == []
    assert "tenfold" not in _output("ip", "-brief", "link")
    assert "tenfold" not in _output("ip", "netns", "list")
    assert "10.244." not in _output("ip", "route")
    assert _output("nft", "list", "tables") == ""
    assert list(Path("/sys/fs/cgroup").glob("*/tenfold-*")) == []
    folders = ["/var/lib/tenfold", "/run/tenfold", "/tmp/hostpath_pv"]
    assert [folder for folder in folders if Path(folder).exists()] == []
