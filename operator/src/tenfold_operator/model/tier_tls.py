"""Certificates of a RedisTier: the one that is wanted, and those that the servers show."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

AUTHORITY, CERTIFICATE, KEY = "ca.crt", "tls.crt", "tls.key"
"""Keys of the Secret."""
FOLDER = "/tls"
"""Where the pods have it."""

_USAGES = bytes.fromhex("0603551d25")
_CLIENT = bytes.fromhex("06082b06010505070302")
"""How a certificate names extKeyUsage (RFC 5280, 4.2.1.12) and, among its values, clientAuth."""


def certificate_digest(der: bytes) -> str:
    """Return what tells certificates apart."""
    return hashlib.sha256(der).hexdigest()


def is_for_clients(der: bytes) -> bool:
    """Tell whether a client may show a certificate: it says so, or does not say what it is for."""
    return _USAGES not in der or _CLIENT in der


@dataclass(frozen=True)
class Certificate:
    """What the Secret holds, as far as it concerns a plan."""

    digest: str = ""
    authority: str = ""
    """Digest of who may sign it."""
    missing: tuple[str, ...] = ()
    """Keys that it lacks, or whose value is no certificate."""
    is_for_clients: bool = True
    """Whether servers may show it to each other, as those of a cluster do."""


@dataclass(frozen=True)
class ServedCertificate:
    """What a server shows to whom connects to it."""

    digest: str
    expires: datetime
