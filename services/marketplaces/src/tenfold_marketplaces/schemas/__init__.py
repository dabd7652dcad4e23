"""The six marketplaces' own schemas, one module each."""

from collections.abc import Mapping

from tenfold_marketplaces.schemas import amazon, ebay, hepsiburada, n11, ozon, trendyol
from tenfold_marketplaces.schemas.base import Name, Schema

SCHEMAS: Mapping[Name, Schema] = {
    module.SCHEMA.name: module.SCHEMA for module in (trendyol, n11, hepsiburada, amazon, ebay, ozon)
}
