"""What a tier does by itself when servers, Sentinels, networks and the operator fail."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.redis.lab import Tier
from tests.redis.traffic import Writer
from tests.support import wait_until

pytestmark = pytest.mark.lab
MakeTier = Callable[..., Tier]
FAST: dict[str, Any] = {
    "sentinel": {"downAfterMilliseconds": 1000, "failoverTimeoutMilliseconds": 5000}
}


def wait_for_writes(writer: Writer, seconds: float = 60) -> None:
    moment = time.monotonic()
    wait_until(lambda: writer.wrote_after(moment), seconds=seconds, what="a write", every=0.02)


def fail_primary(tier: Tier) -> None:
    before = tier.service
    assert before
    tier.cluster.pods[before].kill()
    wait_until(lambda: tier.service != before, seconds=60, what="a failover", every=0.02)


@pytest.mark.parametrize(
    ("failure", "operator"),
    [
        ("kill", "operator"),
        ("kill", "no operator"),
        ("freeze", "operator"),
        pytest.param("freeze", "no operator", marks=pytest.mark.ci),
        pytest.param("cut", "operator", marks=pytest.mark.ci),
        ("cut", "no operator"),
    ],
)
def test_a_failed_primary_is_replaced(make_tier: MakeTier, failure: str, operator: str) -> None:
    tier = make_tier(**FAST)
    with Writer(tier, wait_replicas=1) as writer:
        wait_for_writes(writer)
        before = tier.service
        assert before
        pod = tier.cluster.pods[before]
        if operator == "no operator":
            tier.stop_operator()
        {"kill": pod.kill, "freeze": pod.freeze, "cut": pod.namespace.cut}[failure]()
        if operator == "no operator":
            wait_until(
                lambda: tier.named_by(0) not in ("", before), seconds=60, what="a Sentinel's word"
            )
            tier.start_operator()
        wait_until(lambda: tier.service != before, seconds=60, what="a failover", every=0.02)
        wait_for_writes(writer)
        {"kill": lambda: None, "freeze": pod.thaw, "cut": pod.namespace.join}[failure]()
        wait_until(lambda: tier.role(before) == "slave", seconds=60, what="the old one follows")
        wait_for_writes(writer)
    tier.wait_until_ready()
    assert writer.lost() == 0


@pytest.mark.ci
def test_two_failures_in_a_row_and_a_lost_sentinel(make_tier: MakeTier) -> None:
    tier = make_tier(**FAST)
    tier.cluster.pods["l2-sentinel-2"].namespace.cut()
    with Writer(tier, wait_replicas=1) as writer:
        for _ in range(2):
            wait_for_writes(writer)
            fail_primary(tier)
            wait_for_writes(writer)
            tier.wait_until(lambda: tier.condition("Ready") == "SentinelMissing", "its replicas")
    tier.cluster.pods["l2-sentinel-2"].namespace.join()
    tier.wait_until_ready()
    assert writer.lost() == 0


def test_a_third_failure_moves_the_primary_to_one_that_has_just_come_back(
    make_tier: MakeTier,
) -> None:
    tier = make_tier()  # pods start again sooner than the Sentinels notice that they were gone
    with Writer(tier, wait_replicas=1) as writer:
        wait_for_writes(writer)
        for _ in range(2):
            fail_primary(tier)
        primary = str(tier.service)
        wait_until(lambda: tier.online_replicas(primary) == 2, seconds=60, what="both", every=0.02)
        fail_primary(tier)
        wait_for_writes(writer)
    tier.wait_until_ready()
    assert writer.lost() == 0


@pytest.mark.ci
def test_a_tier_whose_pods_all_end_at_once_comes_back_with_its_data(make_tier: MakeTier) -> None:
    tier = make_tier(**FAST)
    with Writer(tier) as writer:
        wait_until(lambda: len(writer.acknowledged) > 1000, seconds=60, what="writes")
    time_to_sync = time.monotonic() + 2  # appendfsync everysec
    wait_until(lambda: time.monotonic() > time_to_sync, seconds=5, what="the log is synced")
    for pod in list(tier.cluster.pods.values()):
        pod.kill()
    with Writer(tier, prefix="later") as later:
        wait_for_writes(later, seconds=60)
    tier.wait_until_ready()
    assert writer.lost() == 0


@pytest.mark.ci
def test_a_second_primary_is_fenced_and_what_it_took_alone_is_counted(make_tier: MakeTier) -> None:
    tier = make_tier(**FAST)
    before = tier.service
    assert before
    rival = tier.cluster.pods[before]
    with tier.server(before) as client:
        client.set("known", "1")
        client.wait(2, 1000)
        rival.namespace.cut()
        wait_until(lambda: tier.service != before, seconds=60, what="a failover")
        # Within the cut-off pod a client goes on, until min-replicas-max-lag would stop it.
        for n in range(20):
            rival.redis_cli("set", f"alone{n}", "x" * 100)
    rival.namespace.join()
    wait_until(lambda: "lastSplit" in tier.status, seconds=60, what="the fence", every=0.02)
    split = tier.status["lastSplit"]
    assert (split["pod"], split["primary"]) == (before, tier.service)
    assert split["lostBytes"] >= 20 * 100
    assert "SplitBrain" in [each.reason for each in tier.cluster.events]
    wait_until(lambda: tier.role(before) == "slave", seconds=60, what="the old one follows")
    with tier.server(before) as client:
        wait_until(
            lambda: client.config_get("min-replicas-to-write")["min-replicas-to-write"] == "1",
            seconds=60,
            what="the fence is gone",
        )
    tier.wait_until_ready()


def test_without_sentinels_the_only_holder_of_the_data_is_promoted(make_tier: MakeTier) -> None:
    tier = make_tier(replicas=1, **FAST)
    before = tier.service
    with Writer(tier, wait_replicas=1) as writer:
        wait_for_writes(writer)
    for name in ("l2-sentinel-0", "l2-sentinel-1", str(before)):
        tier.cluster.lose(name)
    wait_until(lambda: tier.service != before, seconds=60, what="a promotion")
    assert tier.role("l2-1") == "master"
    tier.wait_until(lambda: "lastFailover" in tier.status, "the word of it")
    assert tier.status["lastFailover"]["withoutQuorum"] is True
    assert writer.lost() == 0
    for name in ("l2-sentinel-0", "l2-sentinel-1", str(before)):
        tier.cluster.bring_back(name)
    tier.wait_until_ready(90)
    assert tier.service == "l2-1"
    assert writer.lost() == 0


def test_settings_change_without_a_restart(make_tier: MakeTier) -> None:
    tier = make_tier()
    pods = dict(tier.cluster.pods)
    tier.edit(memory="32Mi", evictionPolicy="noeviction", sentinel={"downAfterMilliseconds": 1500})

    def taken() -> bool:
        with tier.server("l2-2") as server, tier.sentinel(1) as sentinel:
            found = server.config_get("maxmemory*")
            timer = sentinel.sentinel_master("l2")["down-after-milliseconds"]
            wanted = {"maxmemory": str(32 * 2**20), "maxmemory-policy": "noeviction"}
            return wanted.items() <= found.items() and bool(timer == 1500)

    with Writer(tier) as writer:
        start = time.monotonic()
        wait_until(taken, seconds=15, what="the new settings")
        assert writer.longest_pause(start) < 1
    assert tier.cluster.pods == pods
