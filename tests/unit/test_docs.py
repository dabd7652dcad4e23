"""The documentation's commands exist, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
from tenfold_cli.app import app as tenfold
from tenfold_kubectl.app import app as kubectl_tenfold
from tenfold_loadtests.cli import app as tenfold_load
from tenfold_local.cli import app as tenfold_local

from tests.support import REPOSITORY

PAGES = sorted(
    path
    for folder in ("docs", "runbooks")
    for path in (REPOSITORY / folder).rglob("*.md")
    if "reference" not in path.parts
)
PAGES += [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(REPOSITORY)))
PROGRAMS = {
    "tenfold": tenfold,
    "tenfold-local": tenfold_local,
    "tenfold-load": tenfold_load,
    "kubectl tenfold": kubectl_tenfold,
}


@dataclass(frozen=True)
class Command:
    """What a command knows."""

    options: frozenset[str]
    commands: Mapping[str, Command]


@cache
def command(program: str) -> Command:
    return _read(typer.main.get_command(PROGRAMS[program]))


def _read(found: Any) -> Command:
    """Read Typer's own tree, whose classes differ from one version to the next."""
    options = frozenset(name for each in found.params for name in each.opts)
    subcommands = getattr(found, "commands", {})
    return Command(options, {name: _read(each) for name, each in subcommands.items()})


def code(page: Path) -> list[str]:
    """Return the lines and words of a page that are code."""
    text = page.read_text()
    fenced = re.findall(r"^ *```(?:sh|text)?.*?\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
    lines = [line for block in fenced for line in block.replace("\\\n", " ").splitlines()]
    return [*lines, *indented, *re.findall(r"`([^`\n]+)`", text)]


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))


@EVERY_PAGE
def test_make_targets_exist(page: Path) -> None:
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)\b", "\n".join(code(page))))
    assert named - {"bench-"} <= makefile_targets()


def usages(page: Path) -> list[tuple[str, list[str]]]:
    """Return each use of a program of ours: the program, and the words after it."""
    found = []
    for line in code(page):
        for program in PROGRAMS:
            for match in re.finditer(
                rf"(?<![\w/-])(?<!kubectl ){program}(?![\w./-])([^|&;)`]*)", line
            ):
                rest = re.sub(r"(^|\s)#.*", "", match[1])
                try:
                    found.append((program, shlex.split(rest)))
                except ValueError:
                    found.append((program, rest.split()))
    return found


@EVERY_PAGE
def test_commands_and_their_options_exist(page: Path) -> None:
    unknown = [problem for use in usages(page) if (problem := missing(*use))]
    assert unknown == []


def missing(program: str, words: list[str]) -> str:
    """Return what a program does not know of a use of it."""
    current = command(program)
    options = {"--help", *current.options}
    for word in words:
        if word.startswith("-"):
            if word.split("=")[0] not in options:
                return f"{program} {' '.join(words)}: {word}"
        elif word in current.commands:
            current = current.commands[word]
            options |= current.options
        elif current.commands and not options & {"-n"} and re.fullmatch(r"[a-z][a-z-]+", word):
            return f"{program} {' '.join(words)}: {word}"
    return ""


def test_a_misspelt_command_is_found() -> None:
    assert missing("tenfold-local", ["nodes", "cut", "node-2"])
    assert missing("kubectl tenfold", ["promote", "shop", "--ful"])
    assert not missing("kubectl tenfold", ["promote", "-n", "shop", "web", "--full"])


def test_the_site_builds_and_a_broken_link_is_an_error(tmp_path: Path) -> None:
    mkdocs = str(Path(sys.executable).with_name("mkdocs"))
    command = [mkdocs, "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    # A numbered list goes on after a block of code.
    assert '<ol start="2">' in (tmp_path / "site/guides/bad-release.html").read_text()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[gone](gone.md)\n")
    text = (REPOSITORY / "mkdocs.yml").read_text()
    config = text[: text.index("\nnav:")].replace("hooks: [docs/site_hooks.py]", "hooks: []")
    (tmp_path / "mkdocs.yml").write_text(config)
    done = subprocess.run([mkdocs, "build"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode != 0
    assert "gone.md" in done.stderr
