"""What the gate tells the generating processes: one file, named by a variable."""

import os
import pathlib
from typing import Self

import pydantic

from tenfold_loadtests import shapes

PLAN_VARIABLE = "TENFOLD_LOAD_PLAN"

MARKETPLACES = {
    "trendyol": "TRY",
    "n11": "TRY",
    "hepsiburada": "TRY",
    "amazon": "USD",
    "ebay": "EUR",
    "ozon": "RUB",
}
"""The six, each with its currency."""

# Number of keys and exponent of the product pages in TENFOLD_DATA/cache/cache2k_web12, by
# tests.benchmarks.cache_platform.zipf; a test compares them where the data is there.
PRODUCTS = 13_756
ZIPF_EXPONENT = 0.83


class Plan(pydantic.BaseModel):
    """One run, as its workers need it."""

    model_config = pydantic.ConfigDict(frozen=True)

    run: str
    """Begins the names of all orders and webhooks of this run."""
    folder: pathlib.Path
    """Where workers note what was sent and taken, and the master leaves the measurement."""
    shape: shapes.Shape
    products: int
    tokens: tuple[str, ...]
    """Bearer tokens, one a tenant."""
    webhook_secrets: dict[str, str]

    @classmethod
    def read(cls) -> Self:
        """Read the plan that the environment names."""
        return cls.model_validate_json(pathlib.Path(os.environ[PLAN_VARIABLE]).read_bytes())

    @property
    def measurement(self) -> pathlib.Path:
        """Where the measurement is written."""
        return self.folder / "measurement.json"

    def noted(self, what: str) -> list[str]:
        """Return what the workers noted: a line `MARKETPLACE NAME` each."""
        return [
            line
            for path in sorted(self.folder.glob(f"{what}-*.txt"))
            for line in path.read_text(encoding="ascii").splitlines()
        ]


def product(rank: int) -> tuple[str, str]:
    """Return the marketplace and SKU of the product that is so many-th popular, from 0 on.

    Popular products are spread over the marketplaces; SKUs are those of the simulator.
    """
    marketplaces = tuple(MARKETPLACES)
    return marketplaces[rank % len(marketplaces)], f"SKU-{rank // len(marketplaces):06d}"
