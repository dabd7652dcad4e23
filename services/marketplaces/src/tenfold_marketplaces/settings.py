"""What the simulator reads from its environment."""

from collections.abc import Mapping

import pydantic
from tenfold_runtime import settings

from tenfold_marketplaces.behaviour import Behaviour
from tenfold_marketplaces.schemas.base import Name


class Settings(settings.Serving):
    """The simulator's environment variables."""

    seed: int = 0
    products: int = pydantic.Field(default=2500, ge=1, le=1_000_000)
    """Products of each marketplace."""
    behaviour: Mapping[Name, Behaviour] = {}
    """As JSON: {"n11": {"outage": "refuse"}}; what is not named behaves well."""
