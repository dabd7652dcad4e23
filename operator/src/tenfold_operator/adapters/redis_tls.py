"""Connections to servers by TLS, and the certificates that these show."""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from redis.asyncio.connection import SSLConnection

from tenfold_operator.adapters.each import ask_each
from tenfold_operator.model.observed import TierAccess
from tenfold_operator.model.tier_tls import ServedCertificate, certificate_digest
from tenfold_operator.plan.redis_names import REDIS_PORT


class TrustingConnection(SSLConnection):
    """Trusts one authority, and not those of the system, which redis-py would add to it."""

    def __init__(self, authority: str, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = _trust(authority)


@lru_cache(maxsize=256)
def _trust(authority: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # pods are asked by their addresses
    context.load_verify_locations(cadata=authority)
    return context


async def ask_certificates(tier: TierAccess, patience: float) -> Mapping[str, ServedCertificate]:
    """Ask each server for the certificate that it shows; none without TLS, or of those silent."""
    if not tier.login.authority:
        return {}
    context = _trust(tier.login.authority)
    return await ask_each(tier.servers, lambda _, address: _ask(address, context, patience))


async def _ask(address: str, context: ssl.SSLContext, patience: float) -> ServedCertificate | None:
    try:
        async with asyncio.timeout(patience):
            _, writer = await asyncio.open_connection(address, REDIS_PORT, ssl=context)
    except (OSError, TimeoutError):
        return None
    try:
        shown: ssl.SSLObject = writer.get_extra_info("ssl_object")
        der, fields = shown.getpeercert(binary_form=True), shown.getpeercert()
    finally:
        writer.transport.abort()
    if der is None or fields is None:
        return None
    seconds = ssl.cert_time_to_seconds(str(fields["notAfter"]))
    return ServedCertificate(certificate_digest(der), datetime.fromtimestamp(seconds, UTC))
