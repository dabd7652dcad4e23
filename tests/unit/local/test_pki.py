"""Certificates: each authority vouches for its own, and keys are their owner's alone."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from tenfold_local import layout, pki
from tenfold_local.layout import Node


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pki, "PKI", tmp_path)
    monkeypatch.setattr(layout, "ADMIN_KUBECONFIG", tmp_path / "admin.kubeconfig")
    return tmp_path


def _load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_every_private_file_is_readable_by_its_owner_only(folder: Path) -> None:
    pki.Authority("cluster").issue("server", common_name="server")
    pki.service_account_key()
    pki.admin_kubeconfig()
    files = list(folder.iterdir())
    assert len(files) >= 7
    assert [file.name for file in files if file.stat().st_mode & 0o077] == []


def test_a_certificate_of_the_cluster_does_not_open_etcd() -> None:
    cluster, etcd = pki.Authority("cluster"), pki.Authority("etcd")
    certificate = _load(cluster.issue("kubelet", common_name="kubelet")[0])
    certificate.verify_directly_issued_by(_load(cluster.certificate_file))
    with pytest.raises((InvalidSignature, ValueError)):
        certificate.verify_directly_issued_by(_load(etcd.certificate_file))


def test_a_certificate_names_the_addresses_that_it_is_for() -> None:
    path, _ = pki.Authority("cluster").issue(
        "server", common_name="server", addresses=["10.99.0.1"], dns_names=["kubernetes"]
    )
    names = _load(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.99.0.1"]
    assert names.get_values_for_type(x509.DNSName) == ["kubernetes"]


def test_credentials_are_made_once_and_kept() -> None:
    first = pki.admin_kubeconfig().read_bytes()
    assert pki.admin_kubeconfig().read_bytes() == first


def test_a_kubelet_is_known_as_its_own_node() -> None:
    content = yaml.safe_load(pki.node_kubeconfig(Node(2)).read_text())
    credentials = content["users"][0]["user"]["client-certificate-data"]
    subject = x509.load_pem_x509_certificate(base64.b64decode(credentials)).subject
    assert subject.rfc4514_string() == "CN=system:node:node-2,O=system:nodes"
