"""Puts the stand-ins under the official names on a PATH, where the official ones are missing."""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

_STAND_INS: Final = {
    "pulumi-language-python": "tenfold-pulumi-language-python",
    "pulumi-resource-kubernetes": "tenfold-pulumi-resource-kubernetes",
}
# Where `pulumi plugin install` puts the resource plugins that it downloads.
_DOWNLOADED: Final = {"pulumi-resource-kubernetes": "plugins/resource-kubernetes-v*"}


def with_plugins(directory: Path, path: str) -> str:
    """The PATH with which the engine finds both plugins.

    `directory` holds links to the stand-ins of those official plugins that are neither on `path`
    nor downloaded, and no other. It is created as needed, and comes last.
    """
    directory.mkdir(parents=True, exist_ok=True)
    elsewhere = os.pathsep.join(
        entry for entry in path.split(os.pathsep) if Path(entry) != directory
    )
    for official, stand_in in _STAND_INS.items():
        link = directory / official
        # Beside this interpreter: the environment that has the program's packages.
        target = Path(sys.executable).parent / stand_in
        if shutil.which(official, path=elsewhere) or _is_downloaded(official):
            link.unlink(missing_ok=True)
        elif not link.is_symlink() or link.readlink() != target:
            link.unlink(missing_ok=True)
            link.symlink_to(target)
    return os.pathsep.join([elsewhere, str(directory)])


def _is_downloaded(official: str) -> bool:
    home = Path(os.environ.get("PULUMI_HOME", "~/.pulumi")).expanduser()
    pattern = _DOWNLOADED.get(official)
    return pattern is not None and any(home.glob(f"{pattern}/{official}"))
