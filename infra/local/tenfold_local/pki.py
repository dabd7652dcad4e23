"""Certificates and kubeconfigs, from authorities that never leave this machine.

etcd has an authority of its own: with a shared one, any client certificate of the cluster would
open the data store. Files are made once and kept; ``down`` removes them.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tenfold_local import layout
from tenfold_local.layout import PKI, Node

LIFETIME = datetime.timedelta(days=3650)
_ADMIN_GROUP = "system:masters"


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, at no moment otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(path.suffix + ".new")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    temporary.write_bytes(content)
    temporary.rename(path)


def _private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _name(common_name: str, groups: Sequence[str] = ()) -> x509.Name:
    organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
    )


class Authority:
    """A certificate authority kept in a folder of the state."""

    def __init__(self, name: str) -> None:
        self.certificate_file = PKI / f"{name}-ca.crt"
        self._key_file = PKI / f"{name}-ca.key"
        if not self.certificate_file.exists():
            self._create(name)
        self._certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self._key_file} holds no elliptic-curve key")
        self._key = key

    def _create(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(f"tenfold-{name}-ca")
        certificate = (
            _builder(subject, subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        write_private(self._key_file, _private_pem(key))
        write_private(self.certificate_file, certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        name: str,
        *,
        common_name: str,
        groups: Sequence[str] = (),
        addresses: Sequence[str] = (),
        dns_names: Sequence[str] = (),
    ) -> tuple[Path, Path]:
        """Return the files of a certificate and its key; made where they are missing."""
        certificate_file, key_file = PKI / f"{name}.crt", PKI / f"{name}.key"
        if certificate_file.exists() and key_file.exists():
            return certificate_file, key_file
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        builder = _builder(
            _name(common_name, groups), self._certificate.subject, key.public_key()
        ).add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        alternatives: list[x509.GeneralName] = [x509.DNSName(dns) for dns in dns_names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        if alternatives:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(alternatives), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        write_private(key_file, _private_pem(key))
        write_private(certificate_file, certificate.public_bytes(serialization.Encoding.PEM))
        return certificate_file, key_file


def service_account_key() -> Path:
    """Return the key that signs service account tokens."""
    path = PKI / "service-account.key"
    if not path.exists():
        write_private(path, _private_pem(rsa.generate_private_key(65537, 2048)))
    return path


def kubeconfig(path: Path, authority: Authority, *, user: str, groups: Sequence[str] = ()) -> Path:
    """Write a kubeconfig with the credentials of one user in it; kept where it exists."""
    if path.exists():
        return path
    certificate, key = authority.issue(f"user-{path.stem}", common_name=user, groups=groups)
    cluster = {
        "server": f"https://{layout.CLUSTER_ADDRESS}:{layout.API_PORT}",
        "certificate-authority-data": _base64(authority.certificate_file),
    }
    credentials = {
        "client-certificate-data": _base64(certificate),
        "client-key-data": _base64(key),
    }
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "tenfold",
        "clusters": [{"name": "tenfold", "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": "tenfold", "context": {"cluster": "tenfold", "user": user}}],
    }
    write_private(path, yaml.safe_dump(content).encode())
    return path


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def admin_kubeconfig() -> Path:
    """Return the kubeconfig of the cluster's administrator."""
    return kubeconfig(
        layout.ADMIN_KUBECONFIG, Authority("cluster"), user="tenfold-admin", groups=[_ADMIN_GROUP]
    )


def component_kubeconfig(user: str) -> Path:
    """Return the kubeconfig of a component that the cluster knows by its user name."""
    name = user.rpartition(":")[2]
    return kubeconfig(PKI / f"{name}.kubeconfig", Authority("cluster"), user=user)


def node_kubeconfig(node: Node) -> Path:
    """Return the kubelet's kubeconfig: NodeRestriction ties it to its own node's objects."""
    return kubeconfig(
        PKI / f"{node.name}.kubeconfig",
        Authority("cluster"),
        user=f"system:node:{node.name}",
        groups=["system:nodes"],
    )
