"""Certificates of a tier: who mounts, shows, renews and misses them."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from tenfold_operator.adapters import redis_tls
from tenfold_operator.handlers.tiersecrets import read_certificate
from tenfold_operator.model.generated import RedisBackup
from tenfold_operator.model.manifest import ref_of
from tenfold_operator.model.observed import Login, TierAccess, TierView
from tenfold_operator.model.tier_tls import Certificate, ServedCertificate
from tenfold_operator.plan.actions import Apply, Configure, Delete, Plan, Refuse
from tenfold_operator.plan.redis import plan_tier
from tenfold_operator.plan.redis_cluster import plan_cluster
from tenfold_operator.plan.redis_config import TLS_FILES
from tenfold_operator.plan.redis_jobs import of_backup

from tests.redis.certificates import Authority
from tests.unit.operator import redis_cluster_world
from tests.unit.operator.redis_tier import NOW, PODS, acts, after, healthy, tier
from tests.unit.operator.world import World

TLS = {"secretName": "l2-tls"}
END = datetime(2026, 2, 1, tzinfo=UTC)
MakeView = Callable[..., TierView]


def shown(digest: str = "new", expires: datetime = END) -> ServedCertificate:
    return ServedCertificate(digest, expires)


def secure(**changes: Any) -> TierView:
    """Return a tier whose servers show the certificate of the Secret."""
    view = healthy(tier({"primary": "l2-0"}, tls=TLS))
    view = replace(view, certificate=Certificate("new"), served=dict.fromkeys(PODS, shown()))
    return replace(view, **changes)


def secure_cluster(**changes: Any) -> TierView:
    """Return the same of a cluster."""
    world = redis_cluster_world.World()
    world.spec["tls"] = TLS
    world.settle()
    served = dict.fromkeys(world.servers, shown())
    return replace(world.view, **{"certificate": Certificate("new"), "served": served, **changes})


of_either_topology = pytest.mark.parametrize("make", [secure, secure_cluster])


def new_cluster() -> TierView:
    """Return one that nothing was made of yet."""
    world = redis_cluster_world.World()
    world.spec["tls"] = TLS
    return world.view


def planned(view: TierView) -> Plan:
    is_cluster = view.tier.spec.topology == "cluster"
    return plan_cluster(view, NOW) if is_cluster else plan_tier(view, NOW)


def written(plan: Plan) -> dict[str, Any]:
    manifests = [each.manifest for each in plan if isinstance(each, Apply)]
    return {f"{ref_of(each).kind} {ref_of(each).name}": each for each in manifests}


def verdict(view: TierView, name: str = "CertificateServed") -> tuple[str, str]:
    status = after(view, planned(view)).tier.status
    found = {each.type: each for each in status.conditions}[name]
    return found.status, found.reason


def test_nobody_listens_plainly_where_a_tier_has_tls() -> None:
    for view, line in ((healthy(), "port {}"), (secure(), "port 0\ntls-port {}")):
        files = written(plan_tier(view, NOW))["ConfigMap l2-config"]["data"]
        assert files["redis.conf"].startswith(line.format(6379) + "\n")
        assert files["sentinel.conf"].startswith(line.format(26379) + "\n")


def test_a_clusters_servers_speak_tls_among_each_other_and_send_clients_on_by_name() -> None:
    plain = redis_cluster_world.World().view
    files = [written(planned(each))["ConfigMap l4-config"] for each in (plain, new_cluster())]
    first, second = (set(each["data"]["redis.conf"].splitlines()) for each in files)
    assert first - second == {"port 6379"}
    assert second - first == {
        "port 0",
        "tls-port 6379",
        "tls-replication yes",
        "tls-auth-clients no",
        "tls-cluster yes",
        "cluster-preferred-endpoint-type hostname",
        *(f"{name} {path}" for name, path in TLS_FILES.items()),
    }


def test_servers_sentinels_exporters_and_backups_have_the_certificates() -> None:
    view = secure()
    found = written(plan_tier(view, NOW))
    backup = RedisBackup.model_validate(
        {
            "metadata": {"name": "b", "namespace": "shop", "uid": "u"},
            "spec": {"tier": "l2", "repository": {"claimName": "c", "secretName": "r"}},
        }
    )
    (job,) = [each for each in of_backup(backup, view.tier) if each["kind"] == "Job"]
    for each in (found["StatefulSet l2"], found["StatefulSet l2-sentinel"], job):
        pod: Any = each["spec"]
        pod = pod["template"]["spec"]
        assert {"name": "tls", "mountPath": "/tls", "readOnly": True} in pod["containers"][0][
            "volumeMounts"
        ]
        assert {"secretName": "l2-tls", "defaultMode": 0o440} in [
            volume.get("secret") for volume in pod["volumes"]
        ]
    exporter = found["StatefulSet l2"]["spec"]["template"]["spec"]["containers"][1]
    assert {"name": "REDIS_ADDR", "value": "rediss://127.0.0.1:6379"} in exporter["env"]


@pytest.mark.parametrize(
    "view",
    [
        healthy(tier({}, tls=TLS), servers=(), sentinels=()),
        secure(servers=(), sentinels=()),
        new_cluster(),
        secure_cluster(servers=(), members=()),
    ],
)
def test_without_a_whole_secret_no_object_is_touched(view: TierView) -> None:
    view = replace(view, served={}, certificate=Certificate(missing=("ca.crt", "tls.key")))
    plan = planned(view)
    assert not [each for each in plan if isinstance(each, Apply | Delete)]
    (refusal,) = [
        each for each in plan if isinstance(each, Refuse) and each.reason == "CertificateMissing"
    ]
    assert refusal.message == "Secret l2-tls has no valid ca.crt, tls.key"
    assert verdict(view, "Ready") == verdict(view) == ("False", "CertificateMissing")


@pytest.mark.parametrize("make", [new_cluster, secure_cluster])
def test_the_servers_of_a_cluster_take_no_certificate_that_is_for_servers_alone(
    make: MakeView,
) -> None:
    view = replace(make(), certificate=Certificate("unfit", is_for_clients=False))
    plan = planned(view)
    assert not [each for each in plan if isinstance(each, Apply | Delete | Configure)]
    (refusal,) = [each for each in plan if isinstance(each, Refuse)]
    assert refusal.message.startswith("tls.crt of Secret l2-tls is for servers alone")
    assert verdict(view, "Ready") == verdict(view) == ("False", "CertificateUnfit")


def test_where_servers_show_none_to_each_other_it_may_be_for_servers_alone() -> None:
    view = secure(certificate=Certificate("new", is_for_clients=False))
    assert planned(view) == planned(secure())


@of_either_topology
def test_a_server_that_shows_another_certificate_reads_the_files_anew(make: MakeView) -> None:
    view = make()
    assert acts(planned(view)) == []
    assert verdict(view) == ("True", "CertificateKnown")
    pod = max(view.served)
    late = replace(view, served={**view.served, pod: shown("old")})
    (action,) = acts(planned(late))
    assert isinstance(action, Configure)
    assert (action.pod, action.settings) == (pod, TLS_FILES)
    assert verdict(late) == ("False", "CertificateChanging")


def test_a_new_certificate_restarts_the_sentinels_alone() -> None:
    first, second = (
        written(plan_tier(secure(certificate=Certificate(digest)), NOW)) for digest in ("a", "b")
    )
    assert first["StatefulSet l2-sentinel"] != second["StatefulSet l2-sentinel"]
    assert first["StatefulSet l2"] == second["StatefulSet l2"]
    assert first["ConfigMap l2-config"] == second["ConfigMap l2-config"]


@of_either_topology
def test_another_authority_restarts_all_that_trust_it(make: MakeView) -> None:
    first, second = (
        written(planned(replace(make(), certificate=Certificate("new", authority=each))))
        for each in ("a", "b")
    )
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {name for name in first if name.startswith("StatefulSet ")}


@of_either_topology
def test_the_status_tells_when_the_first_certificate_expires(make: MakeView) -> None:
    early = datetime(2026, 1, 20, tzinfo=UTC)
    view = make()
    view = replace(view, served={**view.served, max(view.served): shown("old", early)})
    known = after(view, planned(view))
    assert known.tier.status.certificate
    assert known.tier.status.certificate.expires == early
    # While nobody answers, the last that is known stays.
    silent = replace(known, served={})
    found = after(silent, planned(silent)).tier.status.certificate
    assert found == known.tier.status.certificate
    assert verdict(silent) == ("False", "NoServerAnswers")


def read(**values: str) -> tuple[Certificate | None, str]:
    world = World()
    data = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    meta = {"name": "l2-tls", "namespace": "shop"}
    world.apply({"kind": "Secret", "metadata": meta, "data": data})
    return read_certificate(world, tier(tls=TLS))


def test_a_certificate_is_read_with_its_authority_and_told_apart_from_others() -> None:
    authority = Authority()
    first, second = authority.secret(10), authority.secret(10)
    found, signs = read(**first)
    assert found
    assert found.missing == ()
    assert signs == first["ca.crt"]
    # What follows the server's own certificate is not it.
    chain = {**first, "tls.crt": f"{first['tls.crt']}\n{first['ca.crt']}"}
    assert read(**chain)[0] == found
    other, _ = read(**second)
    assert other
    assert other.digest != found.digest
    assert other.authority == found.authority
    both, _ = read(**{**first, "ca.crt": f"{first['ca.crt']}{Authority().secret(10)['ca.crt']}"})
    assert both
    assert (both.digest, both.missing) == (found.digest, ())
    assert both.authority != found.authority
    assert read_certificate(World(), tier()) == (None, "")


@pytest.mark.parametrize(
    ("usages", "is_for_clients"),
    [
        ((), True),
        ((Usage.SERVER_AUTH,), False),
        ((Usage.SERVER_AUTH, Usage.CLIENT_AUTH), True),
        # Redis does not take it for a client's.
        ((Usage.ANY_EXTENDED_KEY_USAGE,), False),
    ],
)
def test_what_a_certificate_is_for_is_read_from_it(
    usages: tuple[ObjectIdentifier, ...], is_for_clients: bool
) -> None:
    found, _ = read(**Authority().secret(10, *usages))
    assert found
    assert found.is_for_clients == is_for_clients


@pytest.mark.parametrize("key", ["ca.crt", "tls.crt", "tls.key"])
def test_what_a_secret_lacks_is_named(key: str) -> None:
    whole = Authority().secret(10)
    found, _ = read(**{name: value for name, value in whole.items() if name != key})
    assert found
    assert found.missing == (key,)
    if key != "tls.key":
        garbled, _ = read(**{**whole, key: "no certificate"})
        assert garbled
        assert garbled.missing == (key,)
    nothing, _ = read_certificate(World(), tier(tls=TLS))
    assert nothing
    assert set(nothing.missing) == {"ca.crt", "tls.crt", "tls.key"}


def test_only_a_certificate_of_the_tiers_own_authority_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, strange = Authority(), Authority()
    secret = own.secret(10)
    for name, value in secret.items():
        (tmp_path / name).write_text(value)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")

    async def ask(authority: str) -> dict[str, ServedCertificate]:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", ssl=served)
        async with server:
            monkeypatch.setattr(redis_tls, "REDIS_PORT", server.sockets[0].getsockname()[1])
            login, addresses = Login(("x",), authority), {"l2-0": "127.0.0.1", "l2-1": "127.0.0.2"}
            access = TierAccess("shop", "l2", login, addresses, {}, "")
            return dict(await redis_tls.ask_certificates(access, 5))

    wanted, _ = read(**secret)
    assert wanted
    found = asyncio.run(ask(secret["ca.crt"]))
    assert {pod: each.digest for pod, each in found.items()} == {"l2-0": wanted.digest}
    left = found["l2-0"].expires - datetime.now(UTC)
    assert abs(left - timedelta(days=10)) < timedelta(minutes=5)
    assert asyncio.run(ask(strange.secret(10)["ca.crt"])) == {}
    assert asyncio.run(ask("")) == {}
