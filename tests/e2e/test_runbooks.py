"""The commands that the runbooks tell people to paste work, and print what is expected."""

from __future__ import annotations

import subprocess

import pytest

from tests.runbooks import Block, changes, commands, pages

pytestmark = pytest.mark.cluster
BLOCKS = [block for page in pages() for block in commands(page)]
CHANGES = [block for page in pages() for block in changes(page)]


def name(block: Block) -> str:
    return f"{block.page.stem}: {block.text.splitlines()[0][:60]}"


def run(block: Block, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        capture_output=True,
        text=True,
        env=environment,
        timeout=90,
    )


@pytest.mark.parametrize("block", CHANGES, ids=name)
def test_what_changes_something_would_be_done(block: Block, by_hand: dict[str, str]) -> None:
    assert "--dry-run=server" in block.text
    done = run(block, by_hand)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", BLOCKS, ids=name)
def test_a_command_works_and_prints_what_is_expected(block: Block, by_hand: dict[str, str]) -> None:
    done = run(block, by_hand)
    assert done.returncode == 0, done.stdout + done.stderr
    missing = [word for word in block.expected if word not in done.stdout]
    assert not missing, f"{missing} not in:\n{done.stdout}"
