"""L1: entries in this process, within a number of bytes."""

from __future__ import annotations

from dataclasses import dataclass

from tenfold_cache.entry import Entry
from tenfold_cache.policy import Adaptive

# What an entry costs beside its key and value: objects, dictionary slots, two ghosts. And what the
# shadows cost together, however many entries there are. Measured; a test holds them to it.
ENTRY_BYTES = 940
SHADOW_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Held:
    """An entry, when this process took it and until when it is served unasked, monotonic."""

    entry: Entry
    since: float
    until: float


class Memory:
    """Entries by key. Which to keep is the policy's to say."""

    def __init__(self, capacity: int) -> None:
        self._policy = Adaptive(capacity - SHADOW_BYTES)
        self._held: dict[str, Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    @property
    def used(self) -> int:
        """Bytes in use, those of the shadows included."""
        return self._policy.used + SHADOW_BYTES

    def get(self, key: str) -> Held | None:
        """Return what is held, fresh or not."""
        self._policy.touch(key)
        return self._held.get(key)

    def put(self, key: str, held: Held) -> int:
        """Hold an entry; return how many were given up for it."""
        self._held[key] = held
        value = held.entry.value or b""
        # The ghost queue may hold twice as many keys again.
        gone = self._policy.insert(key, 3 * len(key) + len(value) + ENTRY_BYTES)
        for other in gone:
            del self._held[other]
        return len(gone)

    def drop(self, key: str, version: float) -> None:
        """Forget an entry that is older than a version."""
        held = self._held.get(key)
        if held is not None and held.entry.version < version:
            del self._held[key]
            self._policy.remove(key)
