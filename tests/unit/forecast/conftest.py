"""One ensemble, fitted once; each test gets a copy of its own."""

import copy

import pytest
from tenfold_operator.forecast.ensemble import Ensemble
from tenfold_operator.forecast.training import fit

from tests.unit.forecast.shapes import START, STEP, daily


@pytest.fixture(scope="session")
def learned() -> Ensemble:
    """An ensemble fitted to five days of daily(): do not update it."""
    return fit(daily(5), STEP, START)


@pytest.fixture
def ensemble(learned: Ensemble) -> Ensemble:
    """A copy of it."""
    return copy.deepcopy(learned)
