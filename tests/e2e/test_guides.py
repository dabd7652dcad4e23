"""The guides' commands, run on the cluster from the top to the end, as a person pastes them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import TENANT
from tests.runbooks import STORIES, commands, files
from tests.support import REPOSITORY, Kubectl

pytestmark = pytest.mark.cluster
NAMES = ["+".join(page.stem for page in pages) for pages in STORIES]
SECONDS = 900.0
LEFT_BEHIND = (
    "workload/shop",
    "configmap/shop",
    "redisrestore/try-backup",
    "redisbackup/try-backup",
    "secret/try-backup",
    "pvc/try-backup",
)
"""What the guides make and, where they fail midway, do not remove."""


@pytest.fixture
def clean(kubectl: Kubectl) -> Iterator[None]:
    """The tenant's namespace without what guides make, before and after."""

    def remove() -> None:
        kubectl("delete", "--namespace", TENANT, "--ignore-not-found", *LEFT_BEHIND)

    remove()
    yield
    remove()


@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.parametrize("pages", STORIES, ids=NAMES)
def test_a_guides_commands_work_one_after_the_other(
    pages: tuple[Path, ...], clean: None, by_hand: dict[str, str], tmp_path: Path
) -> None:
    written = {name: text for page in pages for name, text in files(page).items()}
    for name, text in written.items():
        (tmp_path / name).write_text(text)
    blocks = [block for page in pages for block in commands(page)]
    script = "\n".join(f"echo '=== {n}'\n{block.text}" for n, block in enumerate(blocks))
    told = run(script, tmp_path if written else REPOSITORY, by_hand)
    parts = told.split("=== ")[1:]
    assert len(parts) == len(blocks), told
    for block, part in zip(blocks, parts, strict=True):
        missing = [word for word in block.expected if word not in part]
        assert not missing, f"{missing} not in what {block.text!r} says:\n{part}"


def run(script: str, folder: Path, environment: dict[str, str]) -> str:
    """Run it in one shell; whatever it left running ends with it."""
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        told, _ = shell.communicate(timeout=SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, told
    return told
