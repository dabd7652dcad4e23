"""What a tier's Secrets hold. Users' passwords leave here as digests, the key of TLS never."""

import base64
import ssl
from functools import cache

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import Ref, digest, object_at, text_at
from tenfold_operator.model.tier_tls import (
    AUTHORITY,
    CERTIFICATE,
    KEY,
    Certificate,
    certificate_digest,
    is_for_clients,
)
from tenfold_operator.model.tier_users import TierUser, password_digest
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan.redis_users import rules_of
from tenfold_operator.ports import Cluster


def read_passwords(cluster: Cluster, tier: RedisTier) -> tuple[str, ...]:
    """Return the password and, while it changes, the previous one; none without a password."""
    data = _data(cluster, tier, names.secret(tier))
    found = [text_at(data, key) for key in ("password", "previous")]
    chosen = [base64.b64decode(each).decode() for each in found if each]
    return tuple(dict.fromkeys(chosen)) if found[0] else ()


def read_certificate(cluster: Cluster, tier: RedisTier) -> tuple[Certificate | None, str]:
    """Return the certificate that the servers should show, and who may sign it, in PEM."""
    if tier.spec.tls is None:
        return None, ""
    data = _data(cluster, tier, tier.spec.tls.secret_name)
    shown, authority = (_certificate(data, key) for key in (CERTIFICATE, AUTHORITY))
    missing = [key for key, each in ((AUTHORITY, authority), (CERTIFICATE, shown)) if not each]
    if not text_at(data, KEY):
        missing.append(KEY)
    if not shown:
        return Certificate(missing=tuple(missing)), authority
    der = ssl.PEM_cert_to_DER_cert(_first(shown))
    found = Certificate(
        digest=certificate_digest(der),
        authority=digest(authority),
        missing=tuple(missing),
        is_for_clients=is_for_clients(der),
    )
    return found, authority


def _certificate(data: JsonObject, key: str) -> str:
    """Return certificates in PEM; nothing where the Secret holds none under `key`."""
    try:
        text = base64.b64decode(text_at(data, key)).decode()
        ssl.create_default_context(cadata=_first(text))
    except (ValueError, ssl.SSLError):
        return ""
    return text


def _first(pem: str) -> str:
    """Return the first certificate: the server's own one, before those that signed it."""
    body, end, _ = pem.partition(ssl.PEM_FOOTER)
    return f"{body.strip()}\n{end}"


def _data(cluster: Cluster, tier: RedisTier, name: str) -> JsonObject:
    found = cluster.get(Ref("Secret", tier.metadata.namespace, name))
    return object_at(found or {}, "data")


def read_users(cluster: Cluster, tier: RedisTier) -> tuple[TierUser, ...]:
    """Return the users that the spec names; one whose Secret has no password is without one."""

    @cache  # several users may share a Secret
    def secret(name: str) -> JsonObject:
        return _data(cluster, tier, name)

    users = []
    for user in tier.spec.users:
        source = user.password_secret
        data = secret(source.name)
        previous = _digest(data, source.previous_key) if source.previous_key in data else None
        password = _digest(data, source.key)
        users.append(TierUser(user.name, rules_of(user), password, previous))
    return tuple(users)


def _digest(data: JsonObject, key: str) -> str:
    password = base64.b64decode(text_at(data, key))
    return password_digest(password) if password else ""
