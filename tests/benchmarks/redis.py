"""What clients of a RedisTier see of failures, hand-overs and backups, against bare Sentinel.

Real servers and Sentinels run the operator's scripts in network namespaces of this machine, under
the operator's own handler (tests/redis/lab.py). The same tier with the operator ended is the bare
Sentinel: same timers, same machine, same run; its client asks the Sentinels where the primary is.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import redis
import typer
from tenfold_operator.model.manifest import Ref

from tests.benchmarks import report
from tests.redis.cluster import NAMESPACE
from tests.redis.lab import Tier
from tests.redis.pods import Pod
from tests.redis.traffic import ClusterWriter, Writer
from tests.support import wait_until

_TIMERS = {"downAfterMilliseconds": 3000, "failoverTimeoutMilliseconds": 10000}
_SHARDS = 3
_CLUSTER: dict[str, Any] = {
    "topology": "cluster",
    "shards": _SHARDS,
    "replicas": 1,
    "memory": "256Mi",
    "evictionPolicy": "noeviction",
}
_VALUE_BYTES = 1000
_PACE_SECONDS = 0.002


@contextmanager
def _tier(**spec: Any) -> Iterator[Tier]:
    with tempfile.TemporaryDirectory(dir=Path.home(), prefix="tenfold-redis-") as folder:
        tier = Tier(Path(folder), sentinel=_TIMERS, handover={"cooldownSeconds": 0}, **spec)
        try:
            tier.wait_until_ready(120)
            tier.wait_until_grown()
            yield tier
        except AssertionError:
            # The folder goes, and with it what would explain the failure.
            for name, pod in tier.cluster.pods.items():
                print(name, (pod.folder / "log").read_text()[-3000:])
            raise
        finally:
            tier.close()


def _wait_for_write(writer: Writer | ClusterWriter, since: float) -> None:
    wait_until(lambda: writer.wrote_after(since), seconds=120, what="a write", every=0.01)


def _hand_overs(count: int) -> dict[str, float]:
    """Hand over again and again under writes."""
    pauses: list[float] = []
    with _tier() as tier, Writer(tier, pace_seconds=_PACE_SECONDS) as writer:
        for _ in range(count):
            _wait_for_write(writer, time.monotonic())
            before, asked = tier.service, time.monotonic()
            tier.annotate(handover=datetime.now(UTC).isoformat())
            _wait_until_moved(tier, before, seconds=30)
            _wait_for_write(writer, time.monotonic())
            pauses.append(writer.longest_pause(asked))
            tier.wait_until(lambda: _is_whole(tier), "a tier in sync")
        lost = _lost(writer)
    return {
        "handover_count": count,
        "handover_pause_seconds_p50": statistics.median(pauses),
        "handover_pause_seconds_max": max(pauses),
        "handover_lost_writes": lost,
        "handover_acknowledged_writes": len(writer.acknowledged),
    }


def _wait_until_moved(tier: Tier, before: str | None, seconds: float) -> None:
    wait_until(lambda: tier.service != before, seconds=seconds, what="a new primary", every=0.01)


def _is_whole(tier: Tier) -> bool:
    is_current = tier.status["primary"] == tier.service
    return is_current and tier.condition("Ready") == "InSync"


def _lost(writer: Writer) -> int:
    writer.stop()
    return writer.lost()


@dataclass(frozen=True)
class _Failure:
    """What is done to the primary, and how it is taken back once there is another one."""

    strike: Callable[[Pod], None]
    undo: Callable[[Pod], None] = lambda pod: None
    then: Callable[[Pod], None] | None = None
    """What is done to the next primary as soon as it is named."""


_KILL = _Failure(Pod.kill)
_FREEZE = _Failure(Pod.freeze, Pod.thaw)
_CUT = _Failure(lambda pod: pod.namespace.cut(), lambda pod: pod.namespace.join())
_TWICE = _Failure(Pod.kill, then=Pod.kill)


def _failures(name: str, failure: _Failure, count: int) -> dict[str, float]:
    """Fail the primary again and again, under the operator and then under bare Sentinel."""
    with _tier() as tier:
        outages, lost, lost_with_wait = _fail_often(tier, failure, count, asks_sentinels=False)
        # A fence that it had no time to take back would outlive it.
        tier.wait_until(partial(_takes_writes_again, tier), "servers without a fence")
        tier.stop_operator()
        bare, bare_lost, _ = _fail_often(tier, failure, count, asks_sentinels=True)
    of_sentinel = "sentinel" if failure is _KILL else f"sentinel_{name}"
    return {
        f"{name}_count": count,
        f"{name}_outage_seconds_p50": statistics.median(outages),
        f"{name}_outage_seconds_max": max(outages),
        f"{of_sentinel}_outage_seconds_p50": statistics.median(bare),
        f"{of_sentinel}_outage_seconds_max": max(bare),
        f"{name}_lost_writes": lost,
        f"{name}_lost_writes_with_wait": lost_with_wait,
        f"{of_sentinel}_lost_writes": bare_lost,
    }


def _takes_writes_again(tier: Tier) -> bool:
    """Whether no server is fenced, or about to restart as a primary."""
    name = "min-replicas-to-write"
    for pod in ("l2-0", "l2-1", "l2-2"):
        try:
            with tier.server(pod) as client:
                if client.config_get(name)[name] != "1":
                    return False
        except redis.RedisError:
            return False
    return True


def _fail_often(
    tier: Tier, failure: _Failure, count: int, *, asks_sentinels: bool
) -> tuple[list[float], int, int]:
    """Return the outages in seconds, and the writes lost without and with WAIT 1."""
    prefix = "bare" if asks_sentinels else "kept"
    plain = Writer(tier, prefix=prefix, asks_sentinels=asks_sentinels, pace_seconds=_PACE_SECONDS)
    careful = Writer(
        tier,
        prefix=f"{prefix}-wait",
        wait_replicas=1,
        asks_sentinels=asks_sentinels,
        pace_seconds=_PACE_SECONDS,
    )
    outages = []
    with plain, careful:
        for _ in range(count):
            for writer in (plain, careful):
                _wait_for_write(writer, time.monotonic())
            primary = tier.named_by(0)
            pod, failed = tier.cluster.pods[primary], time.monotonic()
            failure.strike(pod)
            _wait_until_named(tier, primary)
            if failure.then:
                second = tier.named_by(0)
                # It may be the next one again: nobody else has its data so soon.
                failure.then(tier.cluster.pods[second])
            for writer in (plain, careful):
                _wait_for_write(writer, time.monotonic())
            outages.append(plain.longest_pause(failed - 1))
            failure.undo(pod)
            tier.wait_until(lambda: _has_healed(tier), "a healed tier", seconds=180)
        return outages, _lost(plain), _lost(careful)


def _wait_until_named(tier: Tier, before: str) -> None:
    wait_until(
        lambda: tier.named_by(0) not in ("", before), seconds=120, what="a failover", every=0.02
    )


def _has_healed(tier: Tier) -> bool:
    """Whether all Sentinels name the same primary, and it has all its replicas."""
    try:
        named = {tier.named_by(number) for number in range(3)}
        (primary,) = named
        return tier.role(primary) == "master" and tier.online_replicas(primary) == 2
    except (redis.RedisError, ValueError):
        return False


def _all_at_once(count: int) -> dict[str, float]:
    """Kill every server and Sentinel at the same time, again and again, under writes."""
    with _tier() as tier, Writer(tier, pace_seconds=_PACE_SECONDS) as writer:
        outages = []
        for _ in range(count):
            _wait_for_write(writer, time.monotonic())
            failed = time.monotonic()
            for pod in list(tier.cluster.pods.values()):
                pod.kill()
            _wait_for_write(writer, failed + 1)
            outages.append(writer.longest_pause(failed - 1))
            tier.wait_until(lambda: _is_whole(tier) and _has_healed(tier), "a healed tier", 180)
            tier.wait_until_grown()
        lost = _lost(writer)
    return {
        "all_count": count,
        "all_outage_seconds_p50": statistics.median(outages),
        "all_outage_seconds_max": max(outages),
        "all_lost_writes": lost,
    }


def _shard_kills(count: int) -> dict[str, float]:
    """Kill the primaries of a cluster's shards in turn, under writes to all of them."""
    with _tier(**_CLUSTER) as tier:
        tier.wait_until(lambda: tier.is_settled(_SHARDS), "a settled cluster")
        outages = []
        with ClusterWriter(tier) as writer:
            for number in range(count):
                shard = number % _SHARDS
                _wait_for_write(writer, time.monotonic())
                primary, failed = tier.shard(shard)["primary"], time.monotonic()
                tier.cluster.pods[primary].kill()
                _wait_until_shard_moved(tier, shard, primary)
                _wait_for_write(writer, time.monotonic())
                outages.append(writer.longest_pause(failed))
                tier.wait_until(lambda: tier.is_settled(_SHARDS), "the former one follows", 180)
        lost = writer.lost()
    return {
        "shard_count": count,
        "shard_outage_seconds_p50": statistics.median(outages),
        "shard_outage_seconds_max": max(outages),
        "shard_lost_writes": lost,
        "shard_acknowledged_writes": len(writer.acknowledged),
    }


def _wait_until_shard_moved(tier: Tier, shard: int, before: str) -> None:
    def has_moved() -> bool:
        return tier.shard(shard).get("primary") not in (None, before)

    wait_until(has_moved, seconds=120, what="a failover", every=0.02)


def _reshardings(count: int) -> dict[str, float]:
    """Add a shard and give it up again, so often, under writes."""
    with _tier(**_CLUSTER) as tier:
        tier.wait_until(lambda: tier.is_settled(_SHARDS), "a settled cluster")
        times: dict[int, list[float]] = {_SHARDS + 1: [], _SHARDS: []}
        with ClusterWriter(tier) as writer:
            _wait_for_write(writer, time.monotonic())
            for _ in range(count):
                for size, taken in times.items():
                    asked = time.monotonic()
                    tier.edit(shards=size)
                    tier.wait_until(partial(tier.is_settled, size), f"{size} equal shards", 300)
                    taken.append(time.monotonic() - asked)
        lost, twice = writer.lost(), writer.counted() - len(writer.acknowledged)
    grown, shrunk = times.values()
    return {
        "reshard_count": count,
        "reshard_grow_seconds_p50": statistics.median(grown),
        "reshard_grow_seconds_max": max(grown),
        "reshard_shrink_seconds_p50": statistics.median(shrunk),
        "reshard_shrink_seconds_max": max(shrunk),
        "reshard_longest_pause_seconds": writer.longest_pause(),
        "reshard_failed_commands": len(writer.failed),
        "reshard_lost_writes": lost,
        "reshard_counted_twice": twice,
        "reshard_acknowledged_writes": len(writer.acknowledged),
    }


def _backups(megabytes: int) -> dict[str, float]:
    """Back up and restore under writes."""
    with _tier(memory=f"{2 * megabytes + 64}Mi", evictionPolicy="noeviction") as tier:
        secret = {"kind": "Secret", "metadata": {"name": "repository", "namespace": NAMESPACE}}
        tier.cluster.apply({**secret, "stringData": {"RESTIC_PASSWORD": "bench"}})
        _fill(tier, megabytes)
        with Writer(tier, pace_seconds=_PACE_SECONDS) as writer:
            start = time.monotonic()
            wait_until(lambda: time.monotonic() > start + 10, seconds=20, what="calm writes")
            calm = _p99(writer, start)
            start = time.monotonic()
            backup = _ended(
                tier,
                "RedisBackup",
                tier=tier.name,
                repository={"claimName": "backups", "secretName": "repository"},
                memory=f"{2 * megabytes + 256}Mi",
            )["lastBackup"]
            busy, longest = _p99(writer, start), writer.longest_pause(start)
        restore = _ended(
            tier,
            "RedisRestore",
            backup="bench",
            tier=tier.name,
            mode="replace",
            confirm=tier.name,
        )["lastRun"]
    return {
        "backup_megabytes": backup["bytes"] / 2**20,
        "backup_seconds": backup["seconds"],
        "backup_write_seconds_p99": busy,
        "calm_write_seconds_p99": calm,
        "backup_longest_pause_seconds": longest,
        "restore_seconds": restore["seconds"],
        "restore_keys": restore["keys"],
        "restore_equal": float(restore["equal"]),
    }


def _fill(tier: Tier, megabytes: int) -> None:
    """Write random values, which no compression makes smaller."""
    keys = megabytes * 2**20 // _VALUE_BYTES
    script = (
        "local f = 0 for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do local parts = {} "
        "for j = 1, 25 do parts[j] = redis.sha1hex(i .. ':' .. j) end "
        "redis.call('SET', 'fill:' .. i, table.concat(parts)) end"
    )
    assert tier.service
    with tier.server(tier.service, timeout=60) as client:
        # A script that lasts would hold up the Sentinels' questions on a busy machine.
        for start in range(0, keys, 200):
            client.eval(script, 0, str(start), str(min(start + 200, keys) - 1))
        client.wait(2, 60_000)


def _p99(writer: Writer, since: float) -> float:
    times = [each for each in list(writer.acknowledged) if each >= since]
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(times))
    return gaps[int(len(gaps) * 0.99)]


def _ended(lab: Tier, kind: str, **spec: Any) -> dict[str, Any]:
    ref = Ref(kind, NAMESPACE, "bench")
    head = {"apiVersion": "tenfold.dev/v1alpha1", "kind": kind}
    meta = {"name": ref.name, "namespace": NAMESPACE}
    lab.cluster.apply({**head, "metadata": meta, "spec": spec})
    wait_until(
        lambda: "lastJob" in lab.cluster.get(ref)["status"], seconds=1800, what=f"the {kind}"
    )
    status: dict[str, Any] = lab.cluster.get(ref)["status"]
    assert status["conditions"][0]["status"] == "True", status
    return status


def main(
    hand_overs: Annotated[int, typer.Option(help="How often the primary is handed over.")] = 100,
    kills: Annotated[int, typer.Option(help="How often it is killed, on each side.")] = 30,
    freezes: Annotated[int, typer.Option(help="How often it is frozen (SIGSTOP).")] = 30,
    cuts: Annotated[int, typer.Option(help="How often it is cut off from the network.")] = 30,
    doubles: Annotated[int, typer.Option(help="How often the next one is killed too.")] = 30,
    alls: Annotated[int, typer.Option(help="How often all servers end at once.")] = 30,
    shard_kills: Annotated[int, typer.Option(help="How often a shard's primary is killed.")] = 30,
    reshardings: Annotated[int, typer.Option(help="How often a shard comes and goes.")] = 30,
    megabytes: Annotated[int, typer.Option(help="Size of the data that is backed up.")] = 1024,
) -> None:
    """Measure and write out/bench/redis.json; a figure that is asked for 0 times is left out."""
    figures: dict[str, float | None] = {}
    parts: tuple[tuple[Callable[[int], dict[str, float]], int], ...] = (
        (_hand_overs, hand_overs),
        (partial(_failures, "kill", _KILL), kills),
        (partial(_failures, "freeze", _FREEZE), freezes),
        (partial(_failures, "cut", _CUT), cuts),
        (partial(_failures, "double", _TWICE), doubles),
        (_all_at_once, alls),
        (_shard_kills, shard_kills),
        (_reshardings, reshardings),
        (_backups, megabytes),
    )
    for measure, size in parts:
        if size:
            figures |= measure(size)
            # What was measured stays when a later part fails.
            print(report.write("redis", figures))


if __name__ == "__main__":
    typer.run(main)
