"""The marketplaces, one module each: whatever module is here with a MARKETPLACE is served."""

import importlib
import pkgutil
from collections.abc import Mapping

from tenfold_gateway.mapping import Marketplace


def _declared() -> dict[str, Marketplace]:
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    declared: list[Marketplace] = [module.MARKETPLACE for module in modules]
    return {marketplace.name: marketplace for marketplace in declared}


MARKETPLACES: Mapping[str, Marketplace] = _declared()
