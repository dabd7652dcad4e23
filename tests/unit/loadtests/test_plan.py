"""What the load asks for fits the platform and the traces."""

import gzip
import os
import pathlib

import numpy as np
import pytest
from tenfold_gateway.marketplaces import MARKETPLACES
from tenfold_loadtests import plan, signing
from tenfold_marketplaces import settings
from tenfold_webhooks import signature
from tenfold_webhooks.sources import SOURCES

from tests.benchmarks.cache_platform import zipf

DATA = pathlib.Path(os.environ.get("TENFOLD_DATA", "../shared/data"))
PAGES = DATA / "cache" / "cache2k_web12.csv.gz"


def test_the_marketplaces_are_those_that_the_gateway_serves() -> None:
    assert {name: m.currency for name, m in MARKETPLACES.items()} == plan.MARKETPLACES


def test_every_product_is_one_that_the_simulator_has() -> None:
    has = settings.Settings.model_fields["products"].default
    last = max(int(plan.product(rank)[1].removeprefix("SKU-")) for rank in range(plan.PRODUCTS))
    assert last < has


def test_products_are_different_ones_over_all_marketplaces() -> None:
    products = {plan.product(rank) for rank in range(600)}
    assert len(products) == 600
    assert {marketplace for marketplace, _ in products} == set(plan.MARKETPLACES)


@pytest.mark.parametrize("marketplace", ["trendyol", "n11"])
def test_its_webhooks_are_authentic_and_well_formed(marketplace: str) -> None:
    body = signing.event(marketplace, "name-1", "SKU-1")
    headers = signing.signed(marketplace, "secret", body)
    claim = SOURCES[marketplace].claim({name.lower(): value for name, value in headers.items()})
    signature.verify(claim, body, [b"secret"], claim.signed_at, 300)
    event = SOURCES[marketplace].model.model_validate_json(body)
    assert (event.id, event.order, event.status) == ("name-1", "name-1", "created")
    assert [(line.sku, line.quantity) for line in event.lines] == [("SKU-1", 1)]


@pytest.mark.skipif(not PAGES.exists(), reason="TENFOLD_DATA has no product pages' trace")
def test_popularity_is_that_of_the_product_pages() -> None:
    keys = np.array(gzip.decompress(PAGES.read_bytes()).split()[1:], dtype=np.int64)
    shares = zipf(keys)
    assert len(shares) == plan.PRODUCTS
    assert shares[0] / shares[1] == pytest.approx(2**plan.ZIPF_EXPONENT, rel=1e-3)
