"""Fixtures of the operator's tests."""

import pytest

from tests.unit.operator.world import World


@pytest.fixture
def world() -> World:
    """A Workload with one revision that serves."""
    world = World()
    world.edit()
    world.settle()
    return world
