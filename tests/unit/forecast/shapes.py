"""Loads with known shapes."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
STEP = 300.0
DAY = 288


def daily(days: float, *, base: float = 100.0, seed: int = 0) -> NDArray[np.float64]:
    """Return counts of a load that swings by half within a day, with the noise of counting."""
    steps = np.arange(int(days * DAY))
    mean = base * (1.0 + 0.5 * np.sin(2 * np.pi * steps / DAY))
    return np.random.default_rng(seed).poisson(mean).astype(np.float64)
