"""Runbooks are pages of the site too; other links out of docs/ lead to the repository.

A link to what is not there is an error.
"""

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

_RUNBOOKS = "runbooks"
_LINK = re.compile(r"\]\((\.\./[^)#\s]+)([^)]*)\)")


def on_files(files: Files, *, config: Any) -> Files:
    """Add the runbooks, which lie beside docs/."""
    folder = Path(config["docs_dir"]).parent / _RUNBOOKS
    for path in sorted(folder.rglob("*.md")):
        place = f"{_RUNBOOKS}/{path.relative_to(folder)}"
        files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: object) -> str:
    """Rewrite the links of a page to files beside docs/."""
    folder = Path(config["docs_dir"])
    place = (folder / page.file.src_uri).parent
    repository = folder.parent

    def lead(match: re.Match[str]) -> str:
        target = Path(place, match[1]).resolve()
        if folder in target.parents:
            return match[0]
        if not target.exists():
            raise PluginError(f"{page.file.src_uri} links to {match[1]}, which is not there")
        if repository / _RUNBOOKS in target.parents:
            on_site = os.path.relpath(folder / target.relative_to(repository), place)
            return f"]({on_site}{match[2]})"
        return f"]({config['repo_url']}/blob/main/{target.relative_to(repository)}{match[2]})"

    return _LINK.sub(lead, markdown)
