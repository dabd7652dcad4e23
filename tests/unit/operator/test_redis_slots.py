"""Whom the Jobs of backups and restores hold for those that hold the keys."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import pytest

SCRIPTS = resources.files("tenfold_operator.plan") / "scripts"
# The servers' answers are files; `sum` is what slots.sh takes from common.sh.
ASK = """
set -Eeuo pipefail
die() { echo "$1"; exit 1; }
eval "$(sed -n '/^sum()/,/^}/p' "$SCRIPTS/common.sh")"
trap 'die "failed at line $LINENO"' ERR
. "$SCRIPTS/slots.sh"
ask() { case $2 in info) cat "$1.info" 2>/dev/null ;; *) cat "$1" 2>/dev/null ;; esac; }
find_holders a
echo "$held"
"""
HOLDERS = {"a": "0-5460 16383", "b": "5461-16382"}
HELD = ["a 0 5460", "a 16383 16383", "b 5461 16382"]
MOVED = HOLDERS | {"a": "0-5459 16383", "b": "5460-16382"}


def nodes(myself: str, slots: Mapping[str, str] = HOLDERS, moving: str = "") -> str:
    """What a server answers to CLUSTER NODES; it tells of its own moves alone."""
    lines = [f"0{pod} 10.0.0.1:6379@16379,{pod} slave 0a 0 0 1 connected" for pod in "cd"]
    for pod, held in slots.items():
        own, more = ("myself,", moving) if pod == myself else ("", "")
        lines.append(
            f"0{pod} 10.0.0.1:6379@16379,{pod} {own}master - 0 0 1 connected {held} {more}"
        )
    return "\n".join(lines) + "\n"


def holders(folder: Path, kind: str = "1", **answers: str) -> list[str]:
    (folder / "a.info").write_text(f"# Cluster\r\ncluster_enabled:{kind}\r\n")
    for pod, answer in answers.items():
        (folder / pod).write_text(answer)
    variables = {**os.environ, "SCRIPTS": str(SCRIPTS), "PATIENCE_SECONDS": "0"}
    done = subprocess.run(
        ["bash", "-c", ASK], cwd=folder, env=variables, capture_output=True, text=True
    )
    return done.stdout.splitlines()


def test_one_server_that_is_no_cluster_holds_everything(tmp_path: Path) -> None:
    assert holders(tmp_path, "0") == ["a 0 16383"]


def test_a_cluster_at_rest_is_told_by_any_of_its_servers(tmp_path: Path) -> None:
    assert holders(tmp_path, a=nodes("a"), b=nodes("b")) == HELD


def test_a_server_without_a_name_is_called_by_its_address(tmp_path: Path) -> None:
    answers = {"a": nodes("a").replace(",a ", " "), "b": nodes("b").replace(",a ", " ")}
    found = holders(tmp_path, **answers, **{"10.0.0.1": answers["a"]})
    assert found == ["10.0.0.1 0 5460", "10.0.0.1 16383 16383", "b 5461 16382"]


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (nodes("a", moving="[5->-0b]"), nodes("b"), "slots are being moved"),
        (nodes("a"), nodes("b", moving="[5-<-0a]"), "slots are being moved"),
        (nodes("a"), nodes("b", MOVED), "slots are being moved"),
        (nodes("a"), "", "b does not answer"),
        ("", nodes("b"), "there are slots that nobody holds"),
        (
            nodes("a", HOLDERS | {"a": "0-5459"}),
            nodes("b", HOLDERS | {"a": "0-5459"}),
            "there are slots that nobody holds",
        ),
    ],
)
def test_one_that_is_not_at_rest_is_not_touched(
    tmp_path: Path, first: str, second: str, why: str
) -> None:
    (said,) = holders(tmp_path, a=first, b=second)
    assert said == f"a: {why}; try again when the tier is Ready and Balanced"
