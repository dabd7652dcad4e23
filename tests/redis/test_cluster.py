"""A Redis Cluster forms, survives its shards' primaries, and changes its size under load."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tenfold_operator.plan.redis_slots import COUNT

from tests.redis.lab import Tier
from tests.redis.traffic import ClusterWriter
from tests.support import wait_until

pytestmark = pytest.mark.lab
MakeTier = Callable[..., Tier]
CLUSTER: dict[str, Any] = {
    "topology": "cluster",
    "shards": 3,
    "replicas": 1,
    "memory": "32Mi",
    "evictionPolicy": "noeviction",
    "sentinel": {"downAfterMilliseconds": 1500},
}


def wait_for_writes(writer: ClusterWriter, count: int = 200, seconds: float = 30) -> None:
    wanted = len(writer.acknowledged) + count
    wait_until(
        lambda: len(writer.acknowledged) > wanted, seconds=seconds, what="writes", every=0.02
    )


def test_a_shard_whose_primary_dies_is_served_by_its_replica(
    make_tier: MakeTier, say: Callable[[str], None]
) -> None:
    tier = make_tier(**CLUSTER)
    assert tier.is_settled(3)
    primaries = [each["primary"] for each in tier.status["shards"]]
    assert primaries == ["l2-0-0", "l2-1-0", "l2-2-0"]
    with ClusterWriter(tier) as writer:
        wait_for_writes(writer)
        # A primary sends nothing to a replica that has just synced, until that one acknowledges.
        primary = tier.server("l2-1-0")
        written = primary.info("replication")["master_repl_offset"]
        tier.wait_until(
            lambda: primary.info("replication")["slave0"]["offset"] >= written, "its replica"
        )
        killed = time.monotonic()
        tier.cluster.pods["l2-1-0"].kill()
        tier.wait_until(lambda: tier.shard(1).get("primary") == "l2-1-1", "a failover")
        wait_for_writes(writer)
        say(f"one shard was silent for {writer.longest_pause(killed):.1f} s")
        tier.wait_until(lambda: tier.is_settled(3), "the former primary follows")
    assert tier.role("l2-1-0") == "slave"
    assert "Failover" in [each.reason for each in tier.cluster.events]
    # Its replica had all but what was on its way to it.
    say(f"{writer.lost()} of {len(writer.acknowledged)} acknowledged writes were lost")
    assert writer.lost() < 10


def test_a_server_that_lost_its_volume_is_replaced_and_the_former_node_forgotten(
    make_tier: MakeTier,
) -> None:
    tier = make_tier(**CLUSTER)
    with ClusterWriter(tier) as writer:
        wait_for_writes(writer)
        tier.cluster.delete_pod("l2-0-0", wipe=True)
        tier.wait_until(lambda: tier.shard(0).get("primary") == "l2-0-1", "a hand-over")
        tier.wait_until(lambda: tier.is_settled(3), "a new replica")
        wait_for_writes(writer)
    # It had its replica take over before it ended.
    assert writer.failed == []
    assert writer.lost() == 0
    for name in tier.cluster.pods:
        with tier.server(name) as client:
            nodes = str(client.execute_command("CLUSTER", "NODES"))
        assert nodes.count("\n") == 6, nodes


def test_a_cluster_grows_and_shrinks_under_load_and_an_operator_that_died_midway_goes_on(
    make_tier: MakeTier, say: Callable[[str], None]
) -> None:
    tier = make_tier(**CLUSTER)
    with ClusterWriter(tier) as writer:
        wait_for_writes(writer, 3000)
        start = time.monotonic()
        tier.edit(shards=4)
        tier.wait_until(
            lambda: len(tier.status["shards"]) == 4 and tier.shard(3)["slots"] > 0, "a first slot"
        )
        tier.stop_operator()
        assert tier.shard(3)["slots"] < COUNT // 4
        wait_for_writes(writer)
        tier.start_operator()
        tier.wait_until(lambda: tier.is_settled(4), "four equal shards", seconds=90)
        say(f"a fourth shard had its slots after {time.monotonic() - start:.0f} s")
        start = time.monotonic()
        tier.edit(shards=3)
        tier.wait_until(lambda: tier.is_settled(3), "three equal shards", seconds=90)
        say(f"it was gone {time.monotonic() - start:.0f} s after it was given up")
        wait_for_writes(writer)
        say(f"the longest pause between writes was {1000 * writer.longest_pause():.0f} ms")
    assert "l2-3-0" not in tier.cluster.pods
    assert writer.failed == []
    assert writer.lost() == 0
    assert writer.counted() == len(writer.acknowledged)


def test_a_cluster_whose_pods_all_end_at_once_comes_back_with_its_data(
    make_tier: MakeTier,
) -> None:
    tier = make_tier(**CLUSTER)
    with ClusterWriter(tier) as writer:
        wait_for_writes(writer, 1000)
    time_to_sync = time.monotonic() + 2  # appendfsync everysec
    wait_until(lambda: time.monotonic() > time_to_sync, seconds=5, what="the log is synced")
    for pod in list(tier.cluster.pods.values()):
        pod.kill()
    tier.wait_until(lambda: tier.condition("Ready") != "InSync", "the failure is noticed")
    tier.wait_until(lambda: tier.is_settled(3), "a cluster that serves")
    assert writer.lost() == 0


def test_a_shard_that_comes_back_takes_its_volumes_up(make_tier: MakeTier) -> None:
    tier = make_tier(**CLUSTER)
    for size in (4, 3, 4):
        tier.edit(shards=size)
        # Its servers come back at other addresses than those that they know each other by.
        tier.wait_until(partial(tier.is_settled, size), f"{size} shards", seconds=90)
