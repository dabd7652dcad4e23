"""A Redis Cluster goes into a restic repository and comes back, however many shards it has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import redis
from redis.exceptions import MovedError
from tenfold_operator.model.generated import RedisBackup, RedisRestore, RedisTier
from tenfold_operator.model.manifest import Ref, ref_of
from tenfold_operator.plan import redis_jobs

from tests.redis.cluster import NAMESPACE
from tests.redis.lab import Tier
from tests.redis.test_backups import REPOSITORY, backed_up, ended, put
from tests.redis.test_cluster import CLUSTER, wait_for_writes
from tests.redis.traffic import ClusterWriter
from tests.support import is_ready

pytestmark = pytest.mark.lab
MakeTier = Callable[..., Tier]
Contents = dict[bytes, tuple[object, int]]
REPLACE: dict[str, Any] = {"tier": "l2", "mode": "replace", "confirm": "l2"}
# By their braces, keys are in slots of others: {a}1 is where a is; the empty ones say nothing.
ODD = ("a", "{a}1", "x{a}{b}", "{}", "{}{a}", "{a", "a}{", 'we ird\n"key\0', "{{a}}")
READ: dict[str, Callable[[redis.Redis, bytes], Any]] = {
    "string": lambda client, key: client.get(key),
    "hash": lambda client, key: client.hgetall(key),
    "set": lambda client, key: client.smembers(key),
    "zset": lambda client, key: client.zrange(key, 0, -1, withscores=True),
    "list": lambda client, key: client.lrange(key, 0, -1),
    "stream": lambda client, key: client.xrange(key),
}


def fill(tier: Tier, count: int = 300) -> None:
    # One that gave up waiting and tried again would add an entry twice.
    with ClusterWriter(tier).connect(answer_seconds=20) as client:
        for number in range(count):
            pipeline = client.pipeline()
            pipeline.set(f"k{number}", "x" * 100 + str(number))
            pipeline.set(f"t{number}", "v", ex=1000 + number)
            pipeline.hset(f"h{number}", "b\n", str(number))
            pipeline.zadd(f"z{number}", {"m": number, "n": number + 1})
            pipeline.sadd(f"s{number}", "1", "b")
            pipeline.rpush(f"l{number}", "1", "2")
            pipeline.xadd(f"x{number}", {"a": "b"}, id="1-1")
            pipeline.execute()
        for key in ODD:
            client.set(key, f"odd {key}")


def primaries(tier: Tier) -> list[str]:
    return [each["primary"] for each in tier.status["shards"]]


def contents(tier: Tier, servers: Iterable[str] = ()) -> Contents:
    """All keys of the shards' primaries: type and value, and when they expire (-1: never)."""
    found: Contents = {}
    for pod in servers or primaries(tier):
        with tier.server(pod, timeout=10, decode=False) as client:
            for key in client.scan_iter(count=1000):
                kind = client.type(key).decode()
                if kind == "none":
                    continue  # it has just expired
                assert key not in found, f"{key!r} is on two shards"
                found[key] = (kind, READ[kind](client, key)), client.pexpiretime(key)
    return found


def assert_same(found: Contents, wanted: Contents) -> None:
    assert {key: value for key, (value, _) in found.items()} == {
        key: value for key, (value, _) in wanted.items()
    }
    for key, (_, expires) in wanted.items():
        # What is left of it is copied.
        assert abs(found[key][1] - expires) < 3000, key


def restored(lab: Tier, name: str, **spec: Any) -> dict[str, Any]:
    """Restore to the end and return what it saw."""
    reason, status = ended(lab, put(lab, "RedisRestore", name, **spec))
    assert reason.startswith("Succeeded"), reason
    found: dict[str, Any] = status["lastRun"]
    return found


@pytest.fixture
def tier(make_tier: MakeTier) -> Tier:
    tier = make_tier(**CLUSTER)
    secret = {"kind": "Secret", "metadata": {"name": "repository", "namespace": NAMESPACE}}
    tier.cluster.apply({**secret, "stringData": {"RESTIC_PASSWORD": "restic"}})
    tier.wait_until(lambda: tier.is_settled(3), "a cluster at rest")
    fill(tier)
    return tier


def test_a_backup_under_writes_is_proved_and_goes_into_an_empty_cluster_of_another_size(
    tier: Tier, say: Callable[[str], None]
) -> None:
    steady = contents(tier)
    with ClusterWriter(tier).connect() as client:
        for number in range(600):  # that expire one after the other while all this goes on
            client.set(f"e{number}", "v", px=20_000 + 200 * number)
    with ClusterWriter(tier) as writer:
        wait_for_writes(writer)
        before = len(writer.acknowledged)
        backup = backed_up(tier)
        wait_for_writes(writer)
    assert writer.failed == []
    say(f"backed up in {backup['seconds']:.1f} s; the longest pause between writes was")
    say(f"{1000 * writer.longest_pause():.0f} ms")
    assert backup["kept"] == 1
    drill = restored(tier, "drill", backup="first", mode="drill")
    assert drill["found"] >= drill["keys"] > len(steady) + before
    assert drill["sampled"] > 100
    tier.edit(shards=4)
    tier.wait_until(lambda: tier.is_settled(4), "four shards", seconds=90)
    refused, _ = ended(tier, put(tier, "RedisRestore", "full", backup="first", tier="l2"))
    assert "keys: restore into an empty tier" in refused
    for pod in primaries(tier):
        with tier.server(pod, timeout=10) as client:
            client.flushall()
    run = restored(tier, "copy", backup="first", tier="l2")
    say(f"drilled in {drill['seconds']:.1f} s, restored in {run['seconds']:.1f} s")
    assert drill["keys"] >= run["found"] >= run["keys"]
    found = contents(tier)
    written = {f"w{number}".encode() for number in range(before)}
    assert written <= found.keys(), "a write from before the backup is missing"
    assert_same({key: value for key, value in found.items() if key in steady}, steady)
    assert all(key[:1] in b"wce" for key in found.keys() - steady.keys())
    assert 0 < sum(key[:1] == b"e" for key in found) < 600, "none expired meanwhile, or all had"
    with ClusterWriter(tier).connect() as client:
        assert [client.get(key) for key in ODD] == [f"odd {key}" for key in ODD]


def test_what_was_deleted_comes_back_in_place(tier: Tier) -> None:
    before = contents(tier)
    backed_up(tier)
    with ClusterWriter(tier).connect() as client:
        for number in range(100):
            client.delete(f"k{number}")
            client.persist(f"t{number}")
            client.set(f"later{number}", "1")
    assert restored(tier, "back", backup="first", **REPLACE)["keys"] == len(before)
    assert_same(contents(tier), before)
    assert tier.is_settled(3)


def test_a_cluster_goes_into_a_replicated_tier_and_that_into_a_cluster(tier: Tier) -> None:
    before = contents(tier)
    backed_up(tier)
    other = {"memory": "64Mi", "evictionPolicy": "noeviction", "auth": {"secretName": "l2-auth"}}
    l9 = put(tier, "RedisTier", "l9", **other)
    tier.wait_until(lambda: is_ready(tier.cluster.get(l9)), "a replicated tier")
    restored(tier, "to-l9", backup="first", tier="l9")
    assert_same(contents(tier, ["l9-0"]), before)
    with tier.server("l9-0") as client:
        client.select(1)
        client.set("second", "database")
    backed_up(tier, "two", of="l9")
    refused, _ = ended(tier, put(tier, "RedisRestore", "two", backup="two", **REPLACE))
    assert "is a cluster and has one database: what was backed up has 2" in refused
    assert_same(contents(tier), before)
    with tier.server("l9-0") as client:
        client.select(1)
        client.flushdb()
    backed_up(tier, "one", of="l9")
    on(tier, "l2-0-0", "FLUSHALL")
    restored(tier, "one", backup="one", **REPLACE)
    assert_same(contents(tier), before)


def start(lab: Tier, kind: str, name: str, patience_seconds: int = 60, **spec: Any) -> Ref:
    """Start the Job of a backup or a restore without an operator, who would see to the slots."""
    lab.stop_operator()
    meta = {"name": name, "namespace": NAMESPACE, "uid": "u"}
    source: dict[str, Any] = {"tier": "l2", "repository": REPOSITORY}
    tier = RedisTier.model_validate(lab.manifest)
    backup = RedisBackup.model_validate({"metadata": meta, "spec": source})
    objects: tuple[Any, ...] = redis_jobs.of_backup(backup, tier)
    if kind == "RedisRestore":
        wanted = {"metadata": meta, "spec": {"backup": name, **spec}}
        objects = redis_jobs.of_restore(RedisRestore.model_validate(wanted), backup, tier)
    scripts, job = objects
    (container,) = job["spec"]["template"]["spec"]["containers"]
    container["env"].append({"name": "PATIENCE_SECONDS", "value": str(patience_seconds)})
    lab.cluster.apply(scripts)
    lab.cluster.apply(job)
    return ref_of(job)


def has_ended(tier: Tier, job: Ref) -> bool:
    return "conditions" in tier.cluster.get(job)["status"]


def result(tier: Tier, job: Ref, seconds: float = 90) -> dict[str, Any]:
    tier.wait_until(lambda: has_ended(tier, job), f"{job} to end", seconds=seconds)
    (container,) = tier.cluster.get(Ref("Pod", NAMESPACE, f"{job.name}-x"))["status"][
        "containerStatuses"
    ]
    found: dict[str, Any] = json.loads(container["state"]["terminated"]["message"])
    return found


def on(tier: Tier, pod: str, *words: str) -> Any:
    with tier.server(pod, timeout=10) as client:
        return client.execute_command(*words)


def times_asked(tier: Tier, pod: str) -> int:
    """How often a server was asked for the nodes of the cluster."""
    with tier.server(pod, timeout=10) as client:
        seen = client.info("commandstats").get("cmdstat_cluster|nodes", {"calls": 0})
        return int(seen["calls"])


def holds(tier: Tier, pod: str, key: str) -> bool:
    """Whether a shard's primary is the one to ask for a key."""
    try:
        on(tier, pod, "EXISTS", key)
    except MovedError:
        return False
    return True


def hand_over_slot(tier: Tier, slot: int, pod: str) -> None:
    """Have a slot that holds nothing belong to another shard at once."""
    owner = on(tier, pod, "CLUSTER", "MYID")
    for each in primaries(tier):
        on(tier, each, "CLUSTER", "SETSLOT", str(slot), "NODE", owner)


def test_while_a_slot_is_being_moved_nothing_is_backed_up(tier: Tier) -> None:
    tier.stop_operator()
    source, target, _ = primaries(tier)
    target_id = on(tier, target, "CLUSTER", "MYID")
    on(tier, source, "CLUSTER", "SETSLOT", "5", "MIGRATING", target_id)
    given_up = result(tier, start(tier, "RedisBackup", "early", 3))
    assert "slots are being moved" in given_up["error"]
    job = start(tier, "RedisBackup", "late")
    asked = times_asked(tier, source)
    tier.wait_until(lambda: times_asked(tier, source) > asked + 2, "a Job that waits")
    assert not has_ended(tier, job)
    on(tier, source, "CLUSTER", "SETSLOT", "5", "STABLE")
    done = result(tier, job)
    assert (done.get("error"), done["kept"]) == (None, 1)


def test_a_slot_that_moves_during_a_backup_has_it_begin_anew(tier: Tier) -> None:
    first, second, third = primaries(tier)
    empty = next(
        n for n in range(5000) if not on(tier, first, "CLUSTER", "COUNTKEYSINSLOT", str(n))
    )
    asked = times_asked(tier, third)
    job = start(tier, "RedisBackup", "moved")
    # It has seen who holds what, and goes on to open the repository.
    tier.wait_until(lambda: times_asked(tier, third) > asked, "a Job that has begun")
    hand_over_slot(tier, empty, second)
    done = result(tier, job)
    assert (done.get("error"), done["kept"]) == (None, 1)
    with tier.server("l2-0-1") as client:
        assert client.info("stats")["sync_full"] == 2, "it was not streamed again"
    drill = result(tier, start(tier, "RedisRestore", "drill", mode="drill"))
    assert drill["keys"] == drill["found"] == len(contents(tier))


def test_a_slot_that_moves_during_a_restore_is_followed(tier: Tier) -> None:
    before = contents(tier)
    backed_up(tier)
    for pod in primaries(tier):
        on(tier, pod, "FLUSHALL")
    source = next(each for each in primaries(tier) if holds(tier, each, "k1"))
    target = next(each for each in primaries(tier) if each != source)
    asked = times_asked(tier, source)
    job = start(tier, "RedisRestore", "copy", **REPLACE)
    tier.wait_until(lambda: times_asked(tier, source) > asked, "a Job that has begun")
    hand_over_slot(tier, on(tier, source, "CLUSTER", "KEYSLOT", "k1"), target)
    done = result(tier, job)
    assert (done["different"], done["found"]) == (0, len(before))
    assert on(tier, target, "EXISTS", "k1") == 1
    assert_same(contents(tier), before)


def test_a_primary_that_dies_during_a_restore_is_followed(tier: Tier) -> None:
    before = contents(tier)
    backed_up(tier)
    primary = primaries(tier)[0]
    asked = times_asked(tier, primary)
    job = start(tier, "RedisRestore", "back", **REPLACE)
    tier.wait_until(lambda: times_asked(tier, primary) > asked, "a Job that has begun")
    tier.cluster.pods[primary].kill()
    done = result(tier, job)
    assert (done.get("different"), done.get("found")) == (0, len(before)), done
    replica = "l2-0-1"
    assert tier.role(replica) == "master"
    assert_same(contents(tier, [replica, *primaries(tier)[1:]]), before)
