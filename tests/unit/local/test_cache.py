"""What is cached is found by everything that decides it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tenfold_infra import images as catalogue
from tenfold_local import images, toolchain
from tenfold_local.toolchain import Toolchain


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toolchain:
    monkeypatch.setattr(toolchain, "GO_TOOLCHAINS", tmp_path)
    folder = tmp_path / "example"
    folder.mkdir()
    for file in ("go.mod", "go.sum"):
        (folder / file).write_text(file)
    return Toolchain(name="example", programs={"program": "example.org/program"}, variables={})


def test_the_same_inputs_have_the_same_key(chain: Toolchain) -> None:
    assert chain.key() == chain.key()


@pytest.mark.parametrize("file", ["go.mod", "go.sum"])
def test_changed_module_files_are_another_build(chain: Toolchain, file: str) -> None:
    before = chain.key()
    (chain.folder / file).write_text("changed")
    assert chain.key() != before


def test_changed_link_variables_or_tags_are_another_build(chain: Toolchain) -> None:
    others = [
        dataclasses.replace(chain, variables={"version": "2"}),
        dataclasses.replace(chain, tags=("light",)),
    ]
    assert len({chain.key(), *(other.key() for other in others)}) == 3


def test_a_half_finished_build_is_not_taken_for_a_whole_one(
    chain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENFOLD_CACHE", str(tmp_path / "cache"))
    chain.output().mkdir(parents=True)
    (chain.output() / ".program.part").touch()
    assert not chain.is_built()
    (chain.output() / "program").touch()
    assert chain.is_built()


def test_every_image_of_the_stacks_but_grafana_is_made_for_the_nodes() -> None:
    made = {build.reference for build in images.builds()}
    upstream = {image.reference for image in catalogue.UPSTREAM}
    assert upstream - made == {catalogue.GRAFANA.reference}
    assert len(made) == len(upstream) - 1 + len(catalogue.OWN)


def test_an_image_is_built_anew_when_its_dockerfile_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "_DOCKERFILES", tmp_path)
    folder = tmp_path / catalogue.REDIS.name
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM one")
    before = images._upstream(catalogue.REDIS, None).archive
    (folder / "Dockerfile").write_text("FROM another")
    assert images._upstream(catalogue.REDIS, None).archive != before
