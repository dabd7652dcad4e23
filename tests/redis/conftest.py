"""Real tiers, one at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.redis.lab import Tier


@pytest.fixture
def make_tier(tmp_path: Path) -> Iterator[Callable[..., Tier]]:
    """Start a tier with this spec and wait until it is in sync."""
    made: list[Tier] = []

    def make(**spec: Any) -> Tier:
        tier = Tier(tmp_path, **spec)
        made.append(tier)
        tier.wait_until_ready()
        tier.wait_until_grown()
        return tier

    yield make
    for tier in made:
        tier.close()
