"""Fixtures of kubectl tenfold's tests."""

from __future__ import annotations

import pytest

from tests.unit.kubectl.rollouts import canary
from tests.unit.operator.world import World


@pytest.fixture
def world() -> World:
    """A Workload with one revision that serves."""
    world = World()
    world.edit()
    world.settle()
    return world


@pytest.fixture
def holding() -> World:
    """A canary that holds at 10%."""
    return canary()
