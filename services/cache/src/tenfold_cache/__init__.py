"""Four cache tiers behind one `get`: memory, Redis, the predictive tier, Redis Cluster."""

from tenfold_cache.cache import Cache, Load
from tenfold_cache.errors import CacheError, Incomplete, LoadTimeout, SettingsError
from tenfold_cache.settings import LEAST_MEMORY_BYTES, Lifetime, Settings, Tier
from tenfold_cache.warmer import Warmer

__all__ = [
    "LEAST_MEMORY_BYTES",
    "Cache",
    "CacheError",
    "Incomplete",
    "Lifetime",
    "Load",
    "LoadTimeout",
    "Settings",
    "SettingsError",
    "Tier",
    "Warmer",
]
