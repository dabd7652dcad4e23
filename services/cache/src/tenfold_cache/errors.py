"""What a cache raises. A tier that fails during a `get` raises nothing: the next one is asked."""

from collections.abc import Sequence


class CacheError(Exception):
    """Anything that this library raises."""


class SettingsError(CacheError):
    """The settings contradict themselves; nothing was opened."""


class LoadTimeout(CacheError):
    """A `load` took too long and there was no stale value to serve in its place."""

    def __init__(self, key: str, seconds: float) -> None:
        super().__init__(
            f"{key!r} was not loaded within {seconds:g} s and no earlier value was left to serve."
            " Try again, or raise load_seconds if the origin is that slow by nature."
        )
        self.key = key


class Incomplete(CacheError):
    """A `set` or `invalidate` that did not reach every tier."""

    def __init__(self, keys: Sequence[str], tiers: Sequence[str], seconds: float) -> None:
        super().__init__(
            f"{', '.join(keys)}: {' and '.join(tiers)} could not be told. The old value may be"
            f" served for up to {seconds:g} s more. Call again: it is safe to repeat."
        )
        self.keys = tuple(keys)
        self.tiers = tuple(tiers)
