"""Users of a RedisTier: what is wanted, and what the servers say of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


def password_digest(password: str | bytes) -> str:
    """Return a password as ACL LIST shows it: no view or log holds it itself."""
    text = password.encode() if isinstance(password, str) else password
    return hashlib.sha256(text).hexdigest()


@dataclass(frozen=True)
class TierUser:
    """A user as the spec and its Secret want it."""

    name: str
    rules: str
    """As the spec says, with what no user may do taken away."""
    password: str
    """Digest; empty while the Secret has none."""
    previous: str | None = None
    """Digest of the one that its Secret says counts too, empty for none; None where it says
    nothing of it.
    """


@dataclass(frozen=True)
class UserSetting:
    """What a server is told of a user."""

    name: str
    passwords: tuple[str, ...] = field(repr=False)
    """Digests of those that it takes."""
    rules: str


@dataclass(frozen=True)
class KnownUser:
    """A user as a server knows it."""

    passwords: frozenset[str]
    """Digests of those that it takes."""
    rules: str
    """What it may do, in the server's own form."""


@dataclass(frozen=True)
class ReadRules:
    """What a server makes of the rules of the spec, without having them applied."""

    taken: Mapping[str, str] = field(default_factory=dict)
    """In the server's own form, by user."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Why it does not take a user's rules."""
