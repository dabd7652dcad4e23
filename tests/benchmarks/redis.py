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
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import redis
import typer
from tenfold_operator.model.manifest import Ref

from tests.benchmarks import report
from tests.redis.lab import NAMESPACE, Tier
from tests.redis.traffic import Writer
from tests.support import wait_until

_TIMERS = {"downAfterMilliseconds": 3000, "failoverTimeoutMilliseconds": 10000}
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


def _wait_for_write(writer: Writer, since: float) -> None:
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


def _kills(count: int) -> dict[str, float]:
    """Kill the primary again and again, under the operator and then under bare Sentinel."""
    with _tier() as tier:
        outages, lost, lost_with_wait = _kill_often(tier, count, asks_sentinels=False)
        tier.stop_operator()
        bare, bare_lost, _ = _kill_often(tier, count, asks_sentinels=True)
    return {
        "kill_count": count,
        "kill_outage_seconds_p50": statistics.median(outages),
        "kill_outage_seconds_max": max(outages),
        "sentinel_outage_seconds_p50": statistics.median(bare),
        "sentinel_outage_seconds_max": max(bare),
        "kill_lost_writes": lost,
        "kill_lost_writes_with_wait": lost_with_wait,
        "sentinel_lost_writes": bare_lost,
    }


def _kill_often(tier: Tier, count: int, *, asks_sentinels: bool) -> tuple[list[float], int, int]:
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
            killed = time.monotonic()
            tier.cluster.pods[primary].kill()
            wait_until(
                lambda: tier.named_by(0) != primary,  # noqa: B023
                seconds=120,
                what="a failover",
                every=0.02,
            )
            for writer in (plain, careful):
                _wait_for_write(writer, time.monotonic())
            outages.append(plain.longest_pause(killed - 1))
            tier.wait_until(lambda: _has_healed(tier), "a healed tier", seconds=180)
        return outages, _lost(plain), _lost(careful)


def _has_healed(tier: Tier) -> bool:
    """Whether all Sentinels name the same primary, and it has all its replicas."""
    try:
        named = {tier.named_by(number) for number in range(3)}
        (primary,) = named
        with tier.server(primary) as client:
            info = client.info("replication")
        followers = [info.get(f"slave{n}", {}) for n in range(int(info["connected_slaves"]))]
    except (redis.RedisError, ValueError):
        return False
    online = [each for each in followers if each.get("state") == "online"]
    return info["role"] == "master" and len(online) == 2


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
        for start in range(0, keys, 2000):
            client.eval(script, 0, str(start), str(min(start + 2000, keys) - 1))
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
    megabytes: Annotated[int, typer.Option(help="Size of the data that is backed up.")] = 1024,
) -> None:
    """Measure and write out/bench/redis.json; a figure that is asked for 0 times is left out."""
    figures: dict[str, float | None] = {}
    for measure, size in ((_hand_overs, hand_overs), (_kills, kills), (_backups, megabytes)):
        if size:
            figures |= measure(size)
            # What was measured stays when a later part fails.
            print(report.write("redis", figures))


if __name__ == "__main__":
    typer.run(main)
