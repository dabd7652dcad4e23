"""A tier goes back to a chosen second, by the append-only files that a backup keeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from tenfold_operator.model.manifest import Ref

from tests.redis.cluster import NAMESPACE
from tests.redis.lab import Tier
from tests.redis.test_backups import REPOSITORY, ended, put
from tests.redis.traffic import Writer
from tests.support import wait_until

pytestmark = pytest.mark.lab
MakeTier = Callable[..., Tier]
PODS = ("l2-0", "l2-1", "l2-2")


@pytest.fixture
def tier(make_tier: MakeTier) -> Tier:
    tier = make_tier(evictionPolicy="noeviction")
    secret = {"kind": "Secret", "metadata": {"name": "repository", "namespace": NAMESPACE}}
    tier.cluster.apply({**secret, "stringData": {"RESTIC_PASSWORD": "restic"}})
    return tier


def quiet_second() -> int:
    """Let a whole second pass in which nobody writes, and return it."""
    now = int(time.time())
    wait_until(lambda: time.time() >= now + 3, seconds=10, what="two seconds")
    return now + 1


def in_words(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def backed_up(tier: Tier, name: str) -> dict[str, Any]:
    spec = {"tier": "l2", "repository": REPOSITORY, "pointInTime": True}
    reason, status = ended(tier, put(tier, "RedisBackup", name, **spec))
    assert reason.startswith("Succeeded"), reason
    found: dict[str, Any] = status["lastBackup"]
    return found


def gone_back(tier: Tier, backup: str, second: int) -> tuple[str, dict[str, Any]]:
    """Put the tier back to the end of a second; return how that ended."""
    spec = {"backup": backup, "mode": "replace", "tier": "l2", "confirm": "l2"}
    name = f"to-{second}-{backup}"
    return ended(tier, put(tier, "RedisRestore", name, pointInTime=in_words(second), **spec))


def rewrite(tier: Tier) -> None:
    """Have every server begin its append-only file anew."""
    for pod in PODS:
        with tier.server(pod) as client:
            client.bgrewriteaof()
        tier.wait_until(partial(_has_rewritten, tier, pod), f"a rewrite on {pod}")


def _has_rewritten(tier: Tier, pod: str) -> bool:
    with tier.server(pod) as client:
        said = client.info("persistence")
    return not said["aof_rewrite_in_progress"] and not said["aof_rewrite_scheduled"]


def test_what_was_there_comes_back_and_what_came_after_does_not(
    tier: Tier, say: Callable[[str], None]
) -> None:
    with tier.server("l2-0", timeout=10) as client:
        for number in range(500):
            client.set(f"order:{number}", number)
        client.hset("session", "cart", "full")
        client.set("short", "lived", px=1)
        chosen = quiet_second()
        client.flushall()
        client.set("order:0", "overwritten")
        client.set("later", "1")
        quiet_second()
    backup = backed_up(tier, "kept")
    assert backup["from"] < in_words(chosen) < backup["until"]
    reason, status = gone_back(tier, "kept", chosen)
    assert reason.startswith("Succeeded"), reason
    assert status["lastRun"]["equal"] is True
    assert 0 < status["lastRun"]["seconds"] < 300
    with tier.server("l2-0", timeout=10) as client:
        assert client.mget([f"order:{n}" for n in range(500)]) == [str(n) for n in range(500)]
        assert client.hgetall("session") == {"cart": "full"}
        assert client.dbsize() == 501
    say(f"kept in {backup['seconds']:.1f} s, went back in {status['lastRun']['seconds']:.1f} s")


def test_it_is_exact_to_the_second_under_writes(tier: Tier) -> None:
    with Writer(tier, pace_seconds=0.002) as writer:
        chosen = int(time.time()) + 3
        wait_until(lambda: time.time() > chosen + 4, seconds=20, what="writes around the second")
        backed_up(tier, "kept")
    on_the_wall = time.time() - time.monotonic()
    reason, _ = gone_back(tier, "kept", chosen)
    assert reason.startswith("Succeeded"), reason
    with tier.server("l2-0", timeout=10) as client:
        found = client.dbsize()
        keys = [f"w{number}" for number in range(found)]
        assert None not in client.mget(keys), "a write is missing amid others"
    last = writer.acknowledged[found - 1] + on_the_wall
    # The replica writes down the time at which it had it, by a clock that ticks ten times a second.
    assert chosen + 0.5 < last < chosen + 1.5, f"the last one was written at {last:.2f}"


def test_a_second_that_no_file_covers_is_refused_and_older_files_are_kept(tier: Tier) -> None:
    too_early = int(time.time())
    with tier.server("l2-0", timeout=10) as client:
        quiet_second()
        rewrite(tier)
        client.set("first", "1")
        early = quiet_second()
        backed_up(tier, "one")
        rewrite(tier)
        client.set("second", "2")
        late = quiet_second()
        quiet_second()
        backed_up(tier, "two")
        reason, _ = gone_back(tier, "two", too_early)
        assert f"no append-only file of shop/l2 covers {in_words(too_early)}" in reason
        assert client.get("second") == "2"
        for second, keys in ((early, {"first"}), (late, {"first", "second"})):
            reason, _ = gone_back(tier, "two", second)
            assert reason.startswith("Succeeded"), reason
            assert set(client.keys()) == keys


def test_a_file_from_before_there_were_times_is_rewritten_first(tier: Tier) -> None:
    for pod in PODS:
        with tier.server(pod) as client:
            client.config_set("aof-timestamp-enabled", "no")
    rewrite(tier)
    with tier.server("l2-0") as client:
        client.set("a", "1")
        # The operator turns them on again, as it does in a tier of an earlier version.
        for pod in PODS:
            tier.wait_until(partial(_writes_times, tier, pod), f"times in the file of {pod}")
        chosen = int(datetime.fromisoformat(backed_up(tier, "kept")["until"]).timestamp())
        client.set("b", "2")
        reason, _ = gone_back(tier, "kept", chosen)
        assert reason.startswith("Succeeded"), reason
        assert set(client.keys()) == {"a"}


def _writes_times(tier: Tier, pod: str) -> bool:
    with tier.server(pod) as client:
        return bool(client.config_get("aof-timestamp-enabled")["aof-timestamp-enabled"] == "yes")


def test_a_tier_without_an_append_only_file_is_refused(make_tier: MakeTier) -> None:
    tier = make_tier(persistence={"mode": "rdb"})
    spec = {"tier": "l2", "repository": REPOSITORY, "pointInTime": True}
    ref: Ref = put(tier, "RedisBackup", "kept", **spec)
    tier.wait_until(lambda: "conditions" in tier.cluster.get(ref)["status"], "a refusal")
    (condition,) = tier.cluster.get(ref)["status"]["conditions"]
    assert condition["reason"] == "NoAppendOnlyFile"
    assert tier.cluster.find("Job", NAMESPACE, "") == ()
