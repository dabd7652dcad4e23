"""Runbooks and guides as tests read them: sections, links, and the commands to be run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.support import REPOSITORY

FOLDER = REPOSITORY / "runbooks"
_GUIDES = REPOSITORY / "docs" / "guides"
STORIES = (
    (REPOSITORY / "docs" / "quick-start.md",),
    (_GUIDES / "first-service.md", _GUIDES / "bad-release.md"),
    (_GUIDES / "10x-event.md",),
    (_GUIDES / "failover.md",),
    (_GUIDES / "restore.md",),
    (REPOSITORY / "docs" / "own-cluster.md",),
    (_GUIDES / "gitops.md",),
)
"""Guides that a person follows in one shell, from the top to the end."""
DRY_RUN = ("apply", "create", "delete", "patch", "scale")
"""What kubectl can be asked whether it would do it."""
SECTIONS = ("Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation")
_FENCE = re.compile(
    r"^( *)```(\w*)(?: title=\"([\w.]+)\")?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A block of code, and what is looked for in its output."""

    page: Path
    text: str
    expected: tuple[str, ...]


def pages() -> list[Path]:
    """Return all pages, procedures included."""
    return sorted(FOLDER.rglob("*.md"))


def sections(page: Path) -> tuple[str, ...]:
    """Return the titles of a page's sections."""
    return tuple(re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE))


def links(page: Path) -> list[Path]:
    """Return the files that a page links to."""
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    return [(page.parent / each).resolve() for each in targets if "://" not in each]


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return the blocks of code of a page: title and text, without their indent."""
    return [
        (title, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))
        for indent, _, title, text in _FENCE.findall(page.read_text())
    ]


def untold(page: Path) -> list[str]:
    """Return the commands of which a page does not say what to expect, right after them."""
    text = page.read_text()
    told = ('```text title="expected"', "Expect ")
    return [
        found[4]
        for found in _FENCE.finditer(text)
        if found[3] == "run" and not text[found.end() :].lstrip().startswith(told)
    ]


def files(page: Path) -> dict[str, str]:
    """Return the blocks that are files, by their name."""
    return {title: text for title, text in blocks(page) if "." in title}


def changes(page: Path) -> list[Block]:
    """Return the blocks that change something, as commands that only ask whether they may."""
    dry = r"kubectl \1 --dry-run=server"
    return [
        Block(page, re.sub(rf"\bkubectl ({'|'.join(DRY_RUN)})\b", dry, text), ())
        for title, text in blocks(page)
        if title == "change"
    ]


def commands(page: Path) -> list[Block]:
    """Return the blocks to be run as they are, each with the words that its output should have."""
    found: list[Block] = []
    for title, text in blocks(page):
        if title == "run":
            found.append(Block(page, text, ()))
        elif title == "expected":
            found[-1] = Block(page, found[-1].text, tuple(text.split()))
    return found
