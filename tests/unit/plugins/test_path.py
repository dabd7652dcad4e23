"""The stand-ins take the place only of official plugins that are missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tenfold_pulumi_plugins.path import with_plugins

_LANGUAGE, _KUBERNETES = "pulumi-language-python", "pulumi-resource-kubernetes"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


def test_missing_plugins_are_stood_in_for(tmp_path: Path, home: Path) -> None:
    path = with_plugins(tmp_path / "links", str(tmp_path))
    for official in (_LANGUAGE, _KUBERNETES):
        found = shutil.which(official, path=path)
        assert found == str(tmp_path / "links" / official)
        assert os.access(found, os.X_OK)


def test_official_plugins_are_used_where_they_are(tmp_path: Path, home: Path) -> None:
    with_plugins(tmp_path / "links", str(tmp_path))
    official = _program(tmp_path / "bin" / _LANGUAGE)
    _program(home / "plugins" / "resource-kubernetes-v4.34.2" / _KUBERNETES)
    path = with_plugins(tmp_path / "links", f"{tmp_path / 'links'}:{tmp_path / 'bin'}")
    assert shutil.which(_LANGUAGE, path=path) == str(official)
    # A downloaded plugin is found by the engine, not on PATH, which would come first.
    assert shutil.which(_KUBERNETES, path=path) is None
