"""Whether a webhook is from whom it says, and of now: HMAC-SHA256 and a replay window."""

import dataclasses
import hashlib
import hmac
from collections.abc import Mapping, Sequence


class NotAuthentic(Exception):
    """A webhook that is not to be believed; the message says why."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """What a webhook's headers say: when it was signed, over what prefix, with which result."""

    signed_at: float
    """Seconds since 1970."""
    prefix: bytes
    """What was signed before the body."""
    digest: bytes


def header(headers: Mapping[str, str], name: str) -> str:
    """Return a header; raises NotAuthentic where it is missing."""
    value = headers.get(name.lower())
    if not value:
        raise NotAuthentic(f"the header {name} is missing")
    return value


def verify(
    claim: Claim, body: bytes, secrets: Sequence[bytes], now: float, tolerance_seconds: float
) -> None:
    """Raise NotAuthentic unless one of the secrets signed this body within the window.

    Within the window a webhook may come again, as marketplaces repeat theirs: its event has an
    id, and is applied once.
    """
    # All are tried, whichever fits: how long it takes must not tell which one it was.
    fits = [
        hmac.compare_digest(
            hmac.new(secret, claim.prefix + body, hashlib.sha256).digest(), claim.digest
        )
        for secret in secrets
    ]
    if not any(fits):
        raise NotAuthentic("the signature does not fit")
    if abs(now - claim.signed_at) > tolerance_seconds:
        raise NotAuthentic(f"it was not signed within {tolerance_seconds:.0f} s of now")
