"""A cached value with what has to be known about it, in memory and as bytes in Redis."""

from __future__ import annotations

import random
import struct
import time
from dataclasses import dataclass
from typing import TypeGuard

from tenfold_cache.settings import Lifetime

# Both times first and big-endian: the Lua scripts in `scripts` read them too.
_HEADER = struct.Struct(">ddB")
HEADER_BYTES = _HEADER.size

_VALUE, _ABSENT, _TOMBSTONE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known about one key. Times are in unix seconds."""

    # The origin's state that this describes is that of this time or later: when the load began,
    # or when the key was set or invalidated. Of two entries the one with the later version counts.
    version: float
    fresh_until: float
    # None: the origin has no such thing.
    value: bytes | None
    # The key was invalidated: entries of earlier versions must not be served.
    tombstone: bool = False

    def to_bytes(self) -> bytes:
        """Encode for Redis."""
        kind = _TOMBSTONE if self.tombstone else _ABSENT if self.value is None else _VALUE
        return _HEADER.pack(self.version, self.fresh_until, kind) + (self.value or b"")

    @staticmethod
    def from_bytes(content: object) -> Entry | None:
        """Decode a reply of Redis; None for none, and for what this library did not write."""
        if not isinstance(content, bytes) or len(content) < HEADER_BYTES:
            return None
        version, fresh_until, kind = _HEADER.unpack_from(content)
        if kind == _VALUE:
            return Entry(version, fresh_until, content[HEADER_BYTES:])
        if kind in (_ABSENT, _TOMBSTONE):
            return Entry(version, fresh_until, None, kind == _TOMBSTONE)
        return None


def describe(value: bytes | None, lifetime: Lifetime, version: float) -> Entry:
    """Make an entry of what the origin gave, with a drawn lifetime."""
    seconds = lifetime.negative_seconds if value is None else lifetime.fresh_seconds
    drawn = seconds * random.uniform(1 - lifetime.jitter, 1)  # noqa: S311 (no secret)
    return Entry(version, time.time() + drawn, value)


def keep_seconds(entry: Entry, lifetime: Lifetime) -> float:
    """Say how long Redis is to keep an entry, its stale time included."""
    fresh = entry.fresh_until - time.time()
    return fresh if entry.value is None else fresh + lifetime.stale_seconds


def later(one: Entry | None, other: Entry | None) -> Entry | None:
    """Return the one of the later version."""
    if one is None or other is None:
        return one or other
    return other if other.version > one.version else one


def usable(entry: Entry | None, lifetime: Lifetime) -> TypeGuard[Entry]:
    """Say whether an entry may be served where no fresh one can be had."""
    if entry is None or entry.tombstone:
        return False
    stale = 0.0 if entry.value is None else lifetime.stale_seconds
    return entry.fresh_until + stale > time.time()
