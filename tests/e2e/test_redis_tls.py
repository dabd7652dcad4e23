"""A tier that speaks TLS alone and has users: it is scraped, it renews, and its primary moves."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import TENANT
from tests.e2e.redis_tiers import network_policy, primary
from tests.redis.certificates import Authority
from tests.support import Kubectl, is_ready, manifest, wait_until

pytestmark = pytest.mark.cluster
NAME, PASSWORDS = "e2e-tls", "e2e-app"
TIER = ("redistier", NAME, "--namespace", TENANT)
SERVERS = f"app.kubernetes.io/name=redis,tenfold.dev/tier={NAME}"
AUTHORITY = Authority()
SECONDS = 120.0
RENEWAL_SECONDS = 240.0
"""A kubelet brings the files of a Secret up to date within two minutes; then Sentinels restart."""


def _secret(name: str, values: dict[str, str]) -> dict[str, Any]:
    return manifest("v1", "Secret", TENANT, name, stringData=values)


@pytest.fixture(scope="module")
def tier(kubectl: Kubectl) -> Iterator[None]:
    """A tier of a primary and a replica."""
    small = {"cpu": "10m", "memory": "32Mi"}
    user = {
        "name": "app",
        "passwordSecret": {"name": PASSWORDS},
        "rules": "~cache:* +@read +@write +@connection -@dangerous",
    }
    kubectl.apply(
        _secret(NAME, AUTHORITY.secret(days=10)),
        _secret(PASSWORDS, {"password": "first"}),
        network_policy(NAME),
        manifest(
            "tenfold.dev/v1alpha1",
            "RedisTier",
            TENANT,
            NAME,
            spec={
                "replicas": 1,
                "memory": "16Mi",
                "persistence": {"size": "64Mi"},
                "tls": {"secretName": NAME},
                "users": [user],
                "resources": {"requests": small, "limits": {"cpu": "500m", "memory": "64Mi"}},
            },
        ),
    )
    _wait_for(kubectl, "UsersKnown", "CertificateKnown")
    wait_until(lambda: is_ready(kubectl.get(*TIER)), seconds=SECONDS, what="a ready tier", every=1)
    yield
    kubectl("delete", *TIER)
    kubectl("delete", "secret,networkpolicy", NAME, "--namespace", TENANT, "--ignore-not-found")
    kubectl("delete", "secret", PASSWORDS, "--namespace", TENANT)
    kubectl("delete", "pvc", "--namespace", TENANT, "--selector", f"tenfold.dev/tier={NAME}")


def _wait_for(kubectl: Kubectl, *reasons: str) -> None:
    def has_all() -> bool:
        conditions = kubectl.get(*TIER).get("status", {}).get("conditions", [])
        return {each["reason"] for each in conditions}.issuperset(reasons)

    wait_until(has_all, seconds=SECONDS, what=" and ".join(reasons), every=1)


def _pods(kubectl: Kubectl) -> dict[str, tuple[str, int]]:
    """Return each server's pod, and how often its containers restarted."""
    found = kubectl.get("pods", "--namespace", TENANT, "--selector", SERVERS)["items"]
    return {
        each["metadata"]["name"]: (
            each["metadata"]["uid"],
            sum(one["restartCount"] for one in each["status"]["containerStatuses"]),
        )
        for each in found
    }


def _ask(
    kubectl: Kubectl, *command: str, word: str = "first", plainly: bool = False
) -> subprocess.CompletedProcess[str]:
    """Ask the primary as the tier's user."""
    cli = ["redis-cli", "-e", *([] if plainly else ["--tls", "--cacert", "/tls/ca.crt"])]
    login = ["--user", "app", "--pass", word, "--no-auth-warning"]
    pod = ("exec", primary(kubectl, NAME), "--namespace", TENANT, "--container", "redis", "--")
    return kubectl.run(*pod, *cli, *login, *command)


@pytest.mark.usefixtures("tier")
def test_a_user_may_do_its_own_by_tls_alone(kubectl: Kubectl) -> None:
    assert _ask(kubectl, "SET", "cache:x", "1").stdout.strip() == "OK"
    for refused in (("GET", "sessions:x"), ("CONFIG", "GET", "*"), ("FLUSHALL",)):
        assert "NOPERM" in _ask(kubectl, *refused).stderr
    assert "WRONGPASS" in _ask(kubectl, "PING", word="other").stderr
    assert _ask(kubectl, "PING", plainly=True).returncode != 0


@pytest.mark.usefixtures("tier")
def test_exporters_get_in(prometheus: httpx.Client) -> None:
    def are_up() -> bool:
        query = {"query": f'redis_up{{pod=~"{NAME}-[0-9]"}}'}
        result = prometheus.get("/query", params=query).json()["data"]["result"]
        return [each["value"][1] for each in result] == ["1", "1"]

    wait_until(are_up, seconds=SECONDS, what="both servers' series", every=1)


@pytest.mark.usefixtures("tier")
def test_the_primary_moves(kubectl: Kubectl) -> None:
    assert _ask(kubectl, "SET", "cache:moved", "here").stdout.strip() == "OK"
    before, asked = primary(kubectl, NAME), datetime.now(UTC).isoformat()
    kubectl("annotate", *TIER, "--overwrite", f"tenfold.dev/handover={asked}")
    wait_until(lambda: primary(kubectl, NAME) != before, seconds=60, what="a hand-over", every=0.5)
    assert _ask(kubectl, "GET", "cache:moved").stdout.strip() == "here"
    wait_until(lambda: is_ready(kubectl.get(*TIER)), seconds=SECONDS, what="a ready tier", every=1)


@pytest.mark.usefixtures("tier")
def test_password_and_certificate_are_renewed_while_the_servers_run(kubectl: Kubectl) -> None:
    pods = _pods(kubectl)
    expires = kubectl.get(*TIER)["status"]["certificate"]["expires"]
    kubectl.apply(
        _secret(NAME, AUTHORITY.secret(days=20)), _secret(PASSWORDS, {"password": "second"})
    )
    wait_until(
        lambda: _ask(kubectl, "PING", word="second").stdout.strip() == "PONG",
        seconds=SECONDS,
        what="the new password",
        every=1,
    )
    # Clients that have not heard of it go on.
    assert _ask(kubectl, "PING").stdout.strip() == "PONG"

    def is_renewed() -> bool:
        found = kubectl.get(*TIER)
        return found["status"]["certificate"]["expires"] > expires and is_ready(found)

    wait_until(is_renewed, seconds=RENEWAL_SECONDS, what="the new certificate", every=1)
    _wait_for(kubectl, "UsersKnown", "CertificateKnown")
    assert _pods(kubectl) == pods
