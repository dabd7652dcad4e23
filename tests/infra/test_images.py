"""The one list of images."""

from __future__ import annotations

import dataclasses
import re
import string
from pathlib import Path

import pytest
from tenfold_infra import images
from tenfold_infra.images import OwnImage

IMAGE = OwnImage(name="app", dockerfile="app/Dockerfile", inputs=("app", "uv.lock"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "app" / "src").mkdir(parents=True)
    (tmp_path / "app" / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "app" / "src" / "main.py").write_text("print(1)\n")
    (tmp_path / "uv.lock").write_text("version = 1\n")
    return tmp_path


def source_reference(root: Path) -> str:
    return IMAGE.reference("docker.io/tenfold", "source", root)


def test_the_same_code_has_the_same_reference(checkout: Path) -> None:
    before = source_reference(checkout)
    (checkout / "app" / "src" / "__pycache__").mkdir()
    (checkout / "app" / "src" / "__pycache__" / "main.cpython-311.pyc").write_bytes(b"\0")
    (checkout / "README.md").write_text("not an input\n")
    assert source_reference(checkout) == before
    assert re.fullmatch(r"docker\.io/tenfold/app:src-[0-9a-f]{16}", before)


@pytest.mark.parametrize("changed", ["app/src/main.py", "app/src/new.py", "uv.lock"])
def test_changed_code_has_another_reference(checkout: Path, changed: str) -> None:
    before = source_reference(checkout)
    (checkout / changed).write_text("changed\n")
    assert source_reference(checkout) != before


def test_a_renamed_file_is_a_change(checkout: Path) -> None:
    before = source_reference(checkout)
    (checkout / "app" / "src" / "main.py").rename(checkout / "app" / "src" / "other.py")
    assert source_reference(checkout) != before


def test_another_build_argument_is_a_change(checkout: Path) -> None:
    other = dataclasses.replace(IMAGE, arguments={"SERVICE": "app"})
    assert other.reference("docker.io/tenfold", "source", checkout) != source_reference(checkout)


def test_any_other_tag_is_used_as_it_is(checkout: Path) -> None:
    assert IMAGE.reference("ghcr.io/x", "1.2.3", checkout) == "ghcr.io/x/app:1.2.3"


def test_a_missing_input_is_an_error(checkout: Path) -> None:
    (checkout / "uv.lock").unlink()
    with pytest.raises(FileNotFoundError, match=r"uv\.lock is a build input"):
        source_reference(checkout)


@pytest.mark.parametrize("image", images.OWN, ids=lambda image: image.name)
def test_whatever_a_dockerfile_copies_is_an_input(image: OwnImage) -> None:
    dockerfile = (images.REPOSITORY / image.dockerfile).read_text()
    copies = [
        source
        for line in dockerfile.splitlines()
        if line.startswith("COPY ") and "--from=" not in line
        for source in string.Template(line).substitute(image.arguments).split()[1:-1]
    ]
    assert copies
    for source in copies:
        assert any(source == i or source.startswith(f"{i}/") for i in image.inputs), source


def test_upstream_images_name_a_version() -> None:
    for image in images.UPSTREAM:
        assert image.version not in {"", "latest"}
        assert image.reference == f"{image.repository}:{image.version}"
