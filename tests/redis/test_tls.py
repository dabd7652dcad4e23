"""Tiers that speak nothing but TLS."""

from __future__ import annotations

import base64
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import redis
from cryptography.x509.oid import ExtendedKeyUsageOID
from tenfold_operator.model.manifest import Ref, digest
from tenfold_operator.model.tier_tls import certificate_digest
from tenfold_operator.plan.redis_names import BUS_PORT

from tests.redis.certificates import Authority
from tests.redis.cluster import NAMESPACE
from tests.redis.lab import Tier
from tests.redis.test_backups import REPOSITORY, ended, put
from tests.redis.test_cluster import CLUSTER, wait_for_writes
from tests.redis.traffic import ClusterWriter, Writer

pytestmark = pytest.mark.lab
MakeTier = Callable[..., Tier]
SECRET = Ref("Secret", NAMESPACE, "l2-tls")
AUTHORITY = Authority()


def secret(**values: str) -> dict[str, Any]:
    meta = {"name": SECRET.name, "namespace": NAMESPACE}
    return {"kind": "Secret", "metadata": meta, "stringData": values}


@pytest.fixture
def tier(make_tier: MakeTier) -> Tier:
    return make_tier(
        secrets=[secret(**AUTHORITY.secret(days=10))],
        tls={"secretName": SECRET.name},
        sentinel={"downAfterMilliseconds": 1000},
    )


@pytest.fixture
def cluster(make_tier: MakeTier, monkeypatch: pytest.MonkeyPatch) -> Tier:
    """A Redis Cluster whose servers are found here by their names too."""
    tier = make_tier(
        secrets=[secret(**AUTHORITY.secret(days=10))], tls={"secretName": SECRET.name}, **CLUSTER
    )
    look_up = socket.getaddrinfo

    def look_up_in_lab(host: str, *rest: Any, **options: Any) -> Any:
        return look_up(tier.hosts.get(host, host), *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_in_lab)
    return tier


def shown_on_bus(tier: Tier, pod: str) -> str:
    """Return the digest of what a server shows to another one; a stranger is told to go."""
    trust = ssl.create_default_context(cadata=tier.authority)
    trust.check_hostname = False
    address = tier.cluster.pods[pod].namespace.address
    with (
        socket.create_connection((address, BUS_PORT), timeout=5) as plain,
        trust.wrap_socket(plain) as secure,
    ):
        shown = secure.getpeercert(binary_form=True)
        assert shown
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
            secure.recv(1)
    return certificate_digest(shown)


def wanted_digest(tier: Tier) -> str:
    values = tier.cluster.get(SECRET)["data"]
    return certificate_digest(
        ssl.PEM_cert_to_DER_cert(base64.b64decode(values["tls.crt"]).decode())
    )


def renew(tier: Tier, values: dict[str, str]) -> None:
    tier.cluster.edit(SECRET, lambda each: each.update(data={}, stringData=values))


def servers(tier: Tier) -> list[str]:
    return [each for each in tier.cluster.pods if "-sentinel-" not in each]


def run_ids(tier: Tier) -> dict[str, str]:
    return {pod: tier.run_id(pod) for pod in servers(tier)}


def is_outdated(tier: Tier, name: str) -> bool:
    """Tell whether the StatefulSet of a pod would make it anew."""
    owner = tier.cluster.get(Ref("StatefulSet", NAMESPACE, name.rpartition("-")[0]))
    return digest(owner["spec"]["template"]) != tier.cluster.pods[name].revision


def restart(tier: Tier, name: str) -> None:
    former = tier.cluster.pods[name]
    tier.cluster.delete_pod(name)
    tier.wait_until(lambda: tier.cluster.pods[name] is not former, f"a new {name}")


def days_left(tier: Tier) -> int:
    expires = datetime.fromisoformat(tier.status["certificate"]["expires"])
    return round((expires - datetime.now(UTC)).total_seconds() / 86400)


def assert_nobody_speaks_plainly(tier: Tier) -> None:
    for pod, each in tier.cluster.pods.items():
        port = 26379 if "-sentinel-" in pod else 6379
        with (
            redis.Redis(host=each.namespace.address, port=port, password=tier.password) as plain,
            pytest.raises(redis.ConnectionError),
        ):
            plain.ping()


def test_nobody_is_spoken_with_plainly_and_the_primary_moves_as_ever(tier: Tier) -> None:
    assert_nobody_speaks_plainly(tier)
    with Writer(tier, wait_replicas=1) as writer:
        former = tier.service
        assert former
        tier.annotate(handover=datetime.now(UTC).isoformat(timespec="seconds"))
        tier.wait_until(lambda: tier.service != former, "a hand-over")
        second = tier.service
        assert second
        tier.wait_until_ready()
        tier.cluster.pods[second].kill()
        tier.wait_until(lambda: tier.service != second, "a failover")
        moment = time.monotonic()
        tier.wait_until(lambda: writer.wrote_after(moment), "writes to the new primary")
        tier.wait_until_ready()
    assert writer.lost() == 0


def test_a_new_certificate_is_taken_over_while_the_servers_run(tier: Tier) -> None:
    assert days_left(tier) == 10
    before = run_ids(tier)
    with Writer(tier) as writer:
        renewed = time.monotonic()
        renew(tier, AUTHORITY.secret(days=20))
        tier.wait_until(lambda: days_left(tier) == 20, "the new certificate on every server")
        moment = time.monotonic()
        tier.wait_until(lambda: writer.wrote_after(moment), "writes")
    assert run_ids(tier) == before
    assert writer.longest_pause(renewed) < 1
    assert tier.condition("CertificateServed") == "CertificateKnown"
    # Sentinels cannot be told of files: their StatefulSet restarts them, one by one.
    assert is_outdated(tier, "l2-sentinel-0")
    for number in range(3):
        restart(tier, f"l2-sentinel-{number}")
        tier.wait_until_ready()


def assert_backup_comes_back(tier: Tier, keys: int) -> None:
    tier.cluster.apply(
        {
            "kind": "Secret",
            "metadata": {"name": "repository", "namespace": NAMESPACE},
            "stringData": {"RESTIC_PASSWORD": "restic"},
        }
    )
    reason, _ = ended(tier, put(tier, "RedisBackup", "first", tier="l2", repository=REPOSITORY))
    assert reason.startswith("Succeeded"), reason
    reason, status = ended(tier, put(tier, "RedisRestore", "drill", backup="first", mode="drill"))
    assert reason.startswith("Succeeded"), reason
    assert status["lastRun"]["keys"] == keys
    again: dict[str, Any] = {"tier": "l2", "mode": "replace", "confirm": "l2"}
    reason, status = ended(tier, put(tier, "RedisRestore", "again", backup="first", **again))
    assert reason.startswith("Succeeded"), reason
    assert status["lastRun"]["found"] == keys


def test_a_backup_and_its_drill_speak_tls(tier: Tier) -> None:
    assert tier.service
    with tier.server(tier.service, timeout=5) as client:
        client.mset({f"k{number}": number for number in range(500)})
        client.wait(2, 5000)
    assert_backup_comes_back(tier, 500)


def test_a_backup_of_a_cluster_and_its_drill_speak_tls(cluster: Tier) -> None:
    with ClusterWriter(cluster).connect() as client:
        for number in range(500):
            client.set(f"k{number}", number)
    assert_backup_comes_back(cluster, 500)


def test_a_cluster_fails_over_hands_over_and_moves_slots_by_tls_alone(cluster: Tier) -> None:
    assert cluster.is_settled(3)
    assert_nobody_speaks_plainly(cluster)
    for pod, each in cluster.cluster.pods.items():
        assert shown_on_bus(cluster, pod) == wanted_digest(cluster)
        assert each.execute("sh", "/config/ready.sh").returncode == 0
    # It checks the names of all servers, those that it is sent on to as well.
    with ClusterWriter(cluster) as writer:
        wait_for_writes(writer)
        cluster.cluster.delete_pod("l2-0-0")
        cluster.wait_until(lambda: cluster.shard(0).get("primary") == "l2-0-1", "a hand-over")
        cluster.wait_until(lambda: cluster.is_settled(3), "the former primary follows")
        cluster.edit(shards=4)
        cluster.wait_until(lambda: cluster.is_settled(4), "four equal shards", seconds=90)
        wait_for_writes(writer)
    assert writer.failed == []
    assert writer.lost() == 0
    assert writer.counted() == len(writer.acknowledged)
    with ClusterWriter(cluster) as writer:
        wait_for_writes(writer)
        cluster.cluster.pods["l2-1-0"].kill()
        cluster.wait_until(lambda: cluster.shard(1).get("primary") == "l2-1-1", "a failover")
        wait_for_writes(writer)
        cluster.wait_until(lambda: cluster.is_settled(4), "the former primary follows")


def test_a_cluster_takes_a_new_certificate_over_while_its_servers_run(cluster: Tier) -> None:
    assert days_left(cluster) == 10
    before, old = run_ids(cluster), wanted_digest(cluster)
    with ClusterWriter(cluster) as writer:
        wait_for_writes(writer)
        renewed = time.monotonic()
        renew(cluster, AUTHORITY.secret(20, ExtendedKeyUsageOID.SERVER_AUTH))
        cluster.wait_until(
            lambda: cluster.condition("CertificateServed") == "CertificateUnfit", "a refusal"
        )
        assert {shown_on_bus(cluster, pod) for pod in servers(cluster)} == {old}
        renew(cluster, AUTHORITY.secret(days=20))
        cluster.wait_until(lambda: days_left(cluster) == 20, "the new certificate on every server")
        wait_for_writes(writer)
    assert writer.failed == []
    assert writer.longest_pause(renewed) < 1
    assert run_ids(cluster) == before
    assert cluster.condition("CertificateServed") == "CertificateKnown"
    for pod in servers(cluster):
        assert shown_on_bus(cluster, pod) == wanted_digest(cluster)


def change_authority(tier: Tier, still_writes: Callable[[], None]) -> None:
    """Go over to another authority in the three steps of docs/redis.md."""
    data = tier.cluster.get(SECRET)["data"]
    former = {name: base64.b64decode(value).decode() for name, value in data.items()}
    other = Authority("another authority").secret(days=30)
    both = {"ca.crt": former["ca.crt"] + other["ca.crt"]}
    for values, restarts in (({**former, **both}, True), ({**other, **both}, False), (other, True)):
        before = run_ids(tier)
        renew(tier, values)
        _restart_sentinels(tier)
        if restarts:
            tier.wait_until(partial(_all_differ, tier, before), "servers that began anew", 180)
        else:
            tier.wait_until(lambda: days_left(tier) == 30, "the new certificate on every server")
            assert run_ids(tier) == before
        tier.wait_until_ready()
        still_writes()


def _restart_sentinels(tier: Tier) -> None:
    """Do what their StatefulSet does for a new template."""
    for name in [each for each in tier.cluster.pods if "-sentinel-" in each]:
        tier.wait_until(partial(is_outdated, tier, name), f"a new template for {name}")
        restart(tier, name)
        tier.wait_until_ready()


def _all_differ(tier: Tier, before: dict[str, str]) -> bool:
    now = run_ids(tier)
    return all(now[pod] not in ("", former) for pod, former in before.items())


def test_an_authority_gives_way_to_another_one_without_a_lost_write(tier: Tier) -> None:
    with Writer(tier) as writer:

        def still_writes() -> None:
            moment = time.monotonic()
            tier.wait_until(lambda: writer.wrote_after(moment), "writes")

        change_authority(tier, still_writes)
    assert writer.lost() == 0


def test_an_authority_of_a_cluster_gives_way_to_another_one(cluster: Tier) -> None:
    """A client of this kind keeps what it trusts: each step has one of its own."""

    def writes() -> None:
        with ClusterWriter(cluster) as writer:
            wait_for_writes(writer)
        assert writer.failed == []
        assert writer.lost() == 0

    change_authority(cluster, writes)
    assert cluster.is_settled(3)
