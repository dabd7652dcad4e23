"""Certificates for a tier in the lab."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_NAMES = ("l2.shop.svc.cluster.local", "*.l2-nodes.shop.svc.cluster.local")
"""Of the tier in the lab: its Service, and its servers."""


class Authority:
    """Signs certificates, all with one key, since only who signed them counts here."""

    def __init__(self, name: str = "authority") -> None:
        # OpenSSL finds who signed by the name: two that are trusted side by side need two.
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = self._sign(name, self._key, 100, constraints)

    def secret(self, days: int, *usages: x509.ObjectIdentifier) -> dict[str, str]:
        """Return what a Secret holds of a certificate that is valid for so many days.

        Without usages it does not say what it is for.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        extensions: list[x509.ExtensionType] = [
            x509.BasicConstraints(ca=False, path_length=None),
            x509.SubjectAlternativeName([x509.DNSName(each) for each in _NAMES]),
        ]
        if usages:
            extensions.append(x509.ExtendedKeyUsage(usages))
        shown = self._sign("tier", key, days, *extensions)
        return {
            "ca.crt": self._certificate.public_bytes(serialization.Encoding.PEM).decode(),
            "tls.crt": shown.public_bytes(serialization.Encoding.PEM).decode(),
            "tls.key": private.decode(),
        }

    def _sign(
        self, name: str, key: ec.EllipticCurvePrivateKey, days: int, *extensions: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        common_name, issuer = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)])
            for each in (name, self._name)
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(common_name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=days))
        )
        for each in extensions:
            builder = builder.add_extension(each, critical=isinstance(each, x509.BasicConstraints))
        return builder.sign(self._key, hashes.SHA256())
