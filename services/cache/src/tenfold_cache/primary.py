"""L2: entries, and what keeps processes from loading the same thing at once or serving the old."""

from __future__ import annotations

import enum
import secrets
import struct
from dataclasses import dataclass, replace

from tenfold_cache.entry import Entry
from tenfold_cache.remote import RemoteTier, milliseconds
from tenfold_cache.scripts import CLAIM, RELEASE, REPLACE

_VERSION = struct.Struct(">d")


class State(enum.IntEnum):
    """What a claim found."""

    FRESH = 0
    # This process is to load.
    OURS = 1
    # Another process is loading.
    THEIRS = 2


@dataclass(frozen=True)
class Claim:
    """The answer to a claim; `entry` may be stale or a tombstone unless the state is FRESH."""

    state: State
    version: float
    entry: Entry | None
    token: str


class Primary(RemoteTier):
    """The replicated tier, whose clock gives versions.

    A look-up that finds nothing fresh takes a lease on the key in the same step, so that over all
    processes one loads. A lease ends by itself after `load_seconds`.
    """

    async def claim(self, key: str, load_seconds: float) -> Claim:
        """Look a key up and take the lease on it if it has to be loaded. Raises Down."""
        token = secrets.token_hex(8)
        reply = await self.run(
            "get",
            CLAIM,
            [self.key(key), self.key(key, "lease")],
            [token, milliseconds(load_seconds)],
        )
        match reply:
            case [int(state), bytes(version), content]:
                entry = Entry.from_bytes(content)
                self.count(entry)
                seconds: float = _VERSION.unpack(version)[0] if version else 0.0
                return Claim(State(state), seconds, entry, token)
        raise TypeError(f"{self.name} answered {reply!r} to a claim")

    async def now(self) -> float:
        """Return the server's clock, unix seconds. Raises Down."""
        match await self.command("time", "TIME"):
            case (int(seconds), int(microseconds)):
                return seconds + microseconds / 1e6
            case reply:
                raise TypeError(f"{self.name} answered {reply!r} to TIME")

    async def release(self, key: str, token: str) -> None:
        """Give a lease back. Raises Down."""
        await self.run("release", RELEASE, [self.key(key, "lease")], [token])

    async def replace(self, key: str, entry: Entry, keep_seconds: float) -> Entry:
        """Make an entry the latest and tell all processes; return it with its version. Raises Down.

        The entry's own version is disregarded.
        """
        content = entry.to_bytes()[_VERSION.size :]
        reply = await self.run(
            "replace",
            REPLACE,
            [self.key(key), self.key(key, "lease")],
            [content, milliseconds(keep_seconds), self.channel, key],
        )
        if not isinstance(reply, bytes):
            raise TypeError(f"{self.name} answered {reply!r} to a replacement")
        return replace(entry, version=_VERSION.unpack(reply)[0])

    @property
    def channel(self) -> str:
        """Where invalidations are published."""
        return f"{self._namespace}:invalidations"


def read_invalidation(message: bytes) -> tuple[str, float]:
    """Decode a message of the channel: the key and the version that replaces what is older."""
    return message[_VERSION.size :].decode(), _VERSION.unpack_from(message)[0]
