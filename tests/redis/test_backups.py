"""A snapshot goes into a restic repository and comes back as it was."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from tenfold_operator.model.manifest import Ref

from tests.redis.cluster import NAMESPACE
from tests.redis.lab import Tier
from tests.redis.traffic import Writer
from tests.support import wait_until

pytestmark = pytest.mark.lab
MakeTier = Callable[..., Tier]
REPOSITORY = {"claimName": "backups", "secretName": "repository"}
FILL = """
for i = 1, 3000 do redis.call('SET', 'k' .. i, string.rep('x', 100) .. i) end
for i = 1, 300 do
    redis.call('HSET', 'h' .. i, 'field', i, 'b\\n', i)
    redis.call('ZADD', 'z' .. i, i, 'm', i + 1, 'n')
    redis.call('SADD', 's' .. i, '1', 'b', 'c')
    redis.call('RPUSH', 'l' .. i, '1', '2')
    redis.call('XADD', 'x' .. i, '1-1', 'a', 'b')
    redis.call('SET', 't' .. i, 'v', 'EX', 1000 + i)
end
redis.call('SET', 'we ird\\n"key\\0', 'v')
"""
KEYS = 3000 + 6 * 300 + 1


def put(lab: Tier, kind: str, name: str, **spec: Any) -> Ref:
    lab.cluster.apply(
        {
            "apiVersion": "tenfold.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": spec,
        }
    )
    return Ref(kind, NAMESPACE, name)


def ended(tier: Tier, ref: Ref, seconds: float = 90) -> tuple[str, dict[str, Any]]:
    """Wait for the resource's Job and return its condition's reason and its status."""

    def status() -> dict[str, Any]:
        found: dict[str, Any] = tier.cluster.get(ref)["status"]
        return found

    wait_until(lambda: "lastJob" in status(), seconds=seconds, what=f"{ref} to end", every=0.1)
    (condition,) = status()["conditions"]
    return f"{condition['reason']}: {condition['message']}", status()


@pytest.fixture
def tier(make_tier: MakeTier) -> Tier:
    tier = make_tier(evictionPolicy="noeviction")
    secret = {"kind": "Secret", "metadata": {"name": "repository", "namespace": NAMESPACE}}
    tier.cluster.apply({**secret, "stringData": {"RESTIC_PASSWORD": "restic"}})
    with tier.server("l2-0", timeout=10) as client:
        client.eval(FILL, 0)
        client.wait(2, 5000)
    return tier


def backed_up(tier: Tier, name: str = "first", of: str = "l2") -> dict[str, Any]:
    reason, status = ended(tier, put(tier, "RedisBackup", name, tier=of, repository=REPOSITORY))
    assert reason.startswith("Succeeded"), reason
    found: dict[str, Any] = status["lastBackup"]
    return found


def test_a_backup_is_proved_by_a_drill(tier: Tier, say: Callable[[str], None]) -> None:
    with Writer(tier) as writer:
        backup = backed_up(tier)
    assert backup["keys"] >= KEYS
    assert backup["kept"] == 1
    reason, status = ended(tier, put(tier, "RedisRestore", "drill", backup="first", mode="drill"))
    assert reason.startswith("Succeeded"), reason
    run = status["lastRun"]
    assert run["equal"] is True
    assert run["keys"] == run["found"] >= KEYS
    assert run["sampled"] > 100
    assert run["different"] == 0
    assert status["lastGood"] == run["time"]
    say(f"backed up in {backup['seconds']:.1f} s, drilled in {run['seconds']:.1f} s")
    say(f"the longest pause between writes was {1000 * writer.longest_pause():.0f} ms")


def test_what_was_deleted_comes_back_in_place_only_when_asked_for_twice(tier: Tier) -> None:
    backed_up(tier)
    with tier.server("l2-0") as client:
        client.delete("k1", "h1")
        client.set("later", "1")
    refused, status = ended(tier, put(tier, "RedisRestore", "a", backup="first", tier="l2"))
    assert refused.startswith("Failed")
    assert "keys: restore into an empty tier" in refused
    assert "lastRun" not in status
    ref = put(tier, "RedisRestore", "b", backup="first", tier="l2", mode="replace", confirm="l2")
    reason, status = ended(tier, ref)
    assert reason.startswith("Succeeded"), reason
    with tier.server("l2-0") as client:
        assert client.get("k1") == "x" * 100 + "1"
        assert client.hgetall("h1") == {"field": "1", "b\n": "1"}
        assert client.get("later") is None
        assert 900 < client.ttl("t1") <= 1001
        assert client.dbsize() == KEYS
    tier.wait_until_ready()


def test_a_restore_waits_while_the_tier_refuses_writes(tier: Tier) -> None:
    backed_up(tier)
    replicas = [tier.cluster.pods[name] for name in ("l2-1", "l2-2")]
    with tier.server("l2-0") as client:

        def refusals() -> int:
            found = client.info("errorstats").get("errorstat_NOREPLICAS", {"count": 0})
            return int(found["count"])

        def refuses() -> bool:
            try:
                return not client.set("later", "1")
            except redis.ResponseError:
                return True

        for each in replicas:
            each.freeze()
        tier.wait_until(refuses, "a tier without replicas that takes no writes")
        before = refusals()
        spec = {"backup": "first", "mode": "replace", "tier": "l2", "confirm": "l2"}
        ref = put(tier, "RedisRestore", "back", **spec)
        tier.wait_until(lambda: refusals() > before + 1, "a restore that is refused")
        for each in replicas:
            each.thaw()
        reason, _ = ended(tier, ref)
        assert reason.startswith("Succeeded"), reason
        assert client.dbsize() == KEYS


def test_what_was_not_finished_is_no_backup_and_an_older_form_of_one_is(
    tier: Tier, tmp_path: Path
) -> None:
    done = backed_up(tier)

    def restic(*words: str, given: str = "") -> str:
        place = {"RESTIC_REPOSITORY": str(tmp_path / "claims/backups"), "RESTIC_PASSWORD": "restic"}
        return subprocess.run(
            ["restic", *words],
            env={**os.environ, **place},
            input=given,
            text=True,
            check=True,
            capture_output=True,
        ).stdout

    half = ("backup", "--stdin", "--stdin-filename", "dump.rdb", "--host", "l2")
    for _ in range(2):
        restic(*half, "--tag", "unfinished:shop/l2", given="REDIS0010")
    reason, status = ended(tier, put(tier, "RedisRestore", "drill", backup="first", mode="drill"))
    assert reason.startswith("Succeeded"), reason
    assert status["lastRun"]["snapshot"] == done["snapshot"]
    assert backed_up(tier, "second")["kept"] == 2
    assert restic("snapshots", "--json").count('"unfinished:') == 1
    # Before there were clusters, a snapshot did not say what parts it has.
    (parts,) = re.findall(r'"(parts=\d+)"', restic("snapshots", "--json", "latest"))
    restic("tag", "--remove", parts, "--tag", "shop/l2")
    assert '"parts=' not in restic("snapshots", "--json")
    reason, _ = ended(tier, put(tier, "RedisRestore", "older", backup="first", mode="drill"))
    assert reason.startswith("Succeeded"), reason


def test_a_damaged_repository_is_noticed(tier: Tier, tmp_path: Path) -> None:
    backed_up(tier)
    packs = [each for each in (tmp_path / "claims/backups/data").rglob("*") if each.is_file()]
    largest = max(packs, key=lambda each: each.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 3] ^= 0xFF
    largest.chmod(0o600)
    largest.write_bytes(content)
    reason, status = ended(tier, put(tier, "RedisRestore", "drill", backup="first", mode="drill"))
    assert reason.startswith("Failed")
    assert "cannot be read" in reason
    assert "lastGood" not in status


def test_a_backup_needs_a_replica_and_a_tier(tier: Tier) -> None:
    missing = put(tier, "RedisBackup", "other", tier="l9", repository=REPOSITORY)
    tier.wait_until(lambda: "conditions" in tier.cluster.get(missing)["status"], "a refusal")
    (condition,) = tier.cluster.get(missing)["status"]["conditions"]
    assert condition["reason"] == "TierMissing"
    for name in ("l2-1", "l2-2"):
        tier.cluster.pods[name].freeze()
    reason, _ = ended(tier, put(tier, "RedisBackup", "none", tier="l2", repository=REPOSITORY))
    assert reason.startswith("Failed")
    assert "no replica of l2 is connected" in reason
