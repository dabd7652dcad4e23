"""Guides say only what can be run: commands parse, files are valid, their service serves."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import BaseModel
from tenfold_operator.model.generated import RedisBackup, RedisRestore, Workload

from tests.runbooks import DRY_RUN, STORIES, changes, commands, files, pages
from tests.support import free_port, wait_until

GUIDES = [page for story in STORIES for page in story]
EVERY_GUIDE = pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
MODELS: dict[str, type[BaseModel]] = {
    "Workload": Workload,
    "RedisBackup": RedisBackup,
    "RedisRestore": RedisRestore,
}
MANIFESTS = [
    pytest.param(document, id=f"{page.stem}: {name}")
    for page in GUIDES
    for name, text in files(page).items()
    if name.endswith(".yaml") and (document := yaml.safe_load(text)).get("kind") in MODELS
]


@EVERY_GUIDE
def test_a_guide_has_commands_that_are_run_and_valid_shell(page: Path) -> None:
    blocks = commands(page)
    assert blocks, "nothing of it is run"
    for block in blocks:
        done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("document", MANIFESTS)
def test_a_guides_resources_are_what_they_say(document: dict[str, Any]) -> None:
    MODELS[document["kind"]].model_validate(document)


def test_the_service_of_the_first_guide_serves_fails_as_told_and_ends_on_a_signal(
    tmp_path: Path,
) -> None:
    (first,) = (page for page in GUIDES if page.stem == "first-service")
    port = free_port()
    program = tmp_path / "shop.py"
    program.write_text(files(first)["shop.py"].replace("8080", str(port)))
    serving = subprocess.Popen([sys.executable, str(program)], env={"ERROR_RATIO": "1"})
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:

        def status(path: str) -> int:
            try:
                return client.get(path).status_code
            except httpx.TransportError:
                return 0

        try:
            wait_until(lambda: status("/readyz") == 200, seconds=20, what="shop.py")
            assert status("/shop") == 500
        finally:
            serving.send_signal(signal.SIGTERM)
        assert serving.wait(20) == 0


@pytest.mark.parametrize("page", [page for page in pages() if changes(page)], ids=lambda p: p.stem)
def test_what_is_only_tried_changes_nothing(page: Path) -> None:
    """Each command of such a block either reads or is asked with --dry-run."""
    for block in changes(page):
        found = re.findall(r"kubectl (\w+)(?: (--dry-run=server))?", block.text)
        assert all(verb == "get" or (verb in DRY_RUN and dry) for verb, dry in found)
        assert any(dry for _, dry in found)
