"""The marketplaces that send webhooks, one module each."""

import importlib
import pkgutil
from collections.abc import Mapping

from tenfold_webhooks.source import Source


def _declared() -> dict[str, Source]:
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    declared: list[Source] = [module.SOURCE for module in modules]
    return {source.name: source for source in declared}


SOURCES: Mapping[str, Source] = _declared()
