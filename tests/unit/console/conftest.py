"""A console with something to show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.console.scene import Scene
from tests.unit.console.site import Site


@pytest.fixture
def scene() -> Scene:
    """A Workload whose second revision was rolled back, a tier that handed over, a detector."""
    scene = Scene()
    scene.roll_back()
    scene.add_tier()
    scene.hand_over()
    scene.add_detector()
    return scene


@pytest.fixture
def site(scene: Scene) -> Iterator[Site]:
    """The scene's console."""
    with Site(scene).running() as site:
        yield site
