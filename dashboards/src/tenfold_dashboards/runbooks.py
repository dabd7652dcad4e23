"""Runbooks as pages of HTML that Prometheus serves under /consoles, beside the alerts' own page.

Whoever is woken by an alert reaches its runbook wherever the alert came from: Prometheus is up, or
there were no alert, and no other host has to be.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

INDEX: Final = "index.html"
"""What Prometheus links to from its own menu."""
_LINK = re.compile(r'href="(?:[^":]*/)?([^":/]+\.md)"')
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 100%/1.5 system-ui, sans-serif; margin: auto; max-width: 50rem; padding: 1rem }}
pre {{ border: 1px solid; border-radius: .4rem; overflow-x: auto; padding: .5rem .7rem }}
table {{ border-collapse: collapse }}
th, td {{ border: 1px solid; padding: .2rem .5rem; text-align: left }}
</style>
</head>
<body>
<nav><a href="{index}">All runbooks</a></nav>
<main>
{body}
</main>
</body>
</html>
"""


def pages(folder: Path) -> dict[str, str]:
    """Return each runbook of a folder as a page, by file name.

    A ConfigMap has no folders: procedures lie beside the alerts' pages. Raises ValueError for two
    pages of one name.
    """
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.md")):
        name = _name(path.name)
        if name in found:
            raise ValueError(f"two runbooks are called {path.name}")
        found[name] = _page(path.read_text())
    return found


def _name(file: str) -> str:
    return INDEX if file == "README.md" else file.removesuffix(".md") + ".html"


def _page(text: str) -> str:
    body = MarkdownIt().enable("table").render(text)
    body = _LINK.sub(lambda link: f'href="{_name(link[1])}"', body)
    title = text.partition("\n")[0].removeprefix("# ")
    # Prometheus reads its pages as templates, in which two braces begin an expression.
    return _PAGE.format(title=title, index=INDEX, body=body.replace("{{", '{{"{{"}}'))
