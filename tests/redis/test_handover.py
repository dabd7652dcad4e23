"""The primary moves on purpose, and no client notices more than a short pause."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from tests.redis.cluster import NAMESPACE
from tests.redis.lab import Tier
from tests.redis.traffic import Writer
from tests.support import wait_until

PAUSE_SECONDS = 0.25
_BUSY = """
local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end
local start = now()
while now() - start < 200 do end
"""
pytestmark = pytest.mark.lab
MakeTier = Callable[..., Tier]
Say = Callable[[str], None]


def hand_over(tier: Tier, writer: Writer, **more: str) -> float:
    """Ask for a hand-over, wait until it is done and return the pause that the writer saw."""
    before, asked = tier.service, time.monotonic()
    tier.annotate(handover=datetime.now(UTC).isoformat(), **more)
    wait_until(lambda: tier.service != before, seconds=10, what="a hand-over", every=0.01)
    moved = time.monotonic()
    wait_until(lambda: writer.wrote_after(moved), seconds=10, what="a write", every=0.01)
    pause = writer.longest_pause(asked)
    wait_until(
        lambda: tier.status["primary"] == tier.service and tier.condition("Ready") == "InSync",
        seconds=30,
        what="a tier in sync",
        every=0.02,
    )
    return pause


def test_a_hand_over_pauses_the_writer_for_a_moment_and_loses_nothing(
    make_tier: MakeTier, say: Say
) -> None:
    tier = make_tier(handover={"cooldownSeconds": 0})
    with Writer(tier) as writer:
        wait_until(lambda: len(writer.acknowledged) > 100, seconds=10, what="writes")
        pauses = [hand_over(tier, writer) for _ in range(5)]
    say(f"pauses of {', '.join(f'{1000 * each:.0f}' for each in pauses)} ms")
    assert writer.lost() == 0
    assert sorted(pauses)[2] <= PAUSE_SECONDS
    assert tier.status["sentinelsAgreeing"] == 3


def test_it_goes_to_the_pod_that_was_asked_for_and_only_once(make_tier: MakeTier) -> None:
    tier = make_tier(handover={"cooldownSeconds": 0})
    with Writer(tier) as writer:
        hand_over(tier, writer, **{"handover-to": "l2-1"})
    assert tier.service == "l2-1"
    moved = tier.status["lastFailover"]
    tier.edit(evictionPolicy="noeviction")
    generation = tier.manifest["metadata"]["generation"]
    wait_until(
        lambda: tier.status["observedGeneration"] == generation, seconds=10, what="another look"
    )
    assert tier.status["lastFailover"] == moved


def test_a_crash_right_after_a_hand_over_is_covered_by_the_sentinels(make_tier: MakeTier) -> None:
    tier = make_tier(handover={"cooldownSeconds": 0}, sentinel={"downAfterMilliseconds": 1000})
    with Writer(tier) as writer:
        wait_until(lambda: len(writer.acknowledged) > 100, seconds=10, what="writes")
        before = tier.service
        tier.annotate(handover=datetime.now(UTC).isoformat())
        wait_until(lambda: tier.service != before, seconds=10, what="a hand-over", every=0.01)
        handed = tier.service
        assert handed
        tier.cluster.pods[handed].kill()
        wait_until(lambda: tier.service != handed, seconds=15, what="a failover", every=0.02)
        moved = time.monotonic()
        wait_until(lambda: writer.wrote_after(moved), seconds=10, what="a write")
    tier.wait_until_ready()


def test_a_pod_that_is_deleted_hands_over_before_it_ends(make_tier: MakeTier) -> None:
    tier = make_tier()
    with Writer(tier) as writer:
        wait_until(lambda: len(writer.acknowledged) > 100, seconds=10, what="writes")
        before, start = tier.service, time.monotonic()
        assert before
        tier.cluster.delete_pod(before)
        wait_until(lambda: tier.service != before, seconds=10, what="a hand-over", every=0.01)
        moved = time.monotonic()
        wait_until(lambda: writer.wrote_after(moved), seconds=5, what="a write", every=0.01)
        assert writer.longest_pause(start) <= 2 * PAUSE_SECONDS
        wait_until(
            lambda: tier.role(before) == "slave",
            seconds=30,
            what="the pod is back as a replica",
        )
    tier.wait_until_ready()
    assert writer.lost() == 0


def test_a_pod_that_is_deleted_answers_its_clients_until_they_have_moved(
    make_tier: MakeTier,
) -> None:
    tier = make_tier()
    tier.cluster.hooks_may_begin.clear()
    before = tier.service
    assert before
    client = tier.server(before, timeout=3)
    client.incr("counter")
    tier.cluster.delete_pod(before)
    wait_until(lambda: tier.service != before, seconds=10, what="a hand-over", every=0.01)
    tier.cluster.hooks_may_begin.set()
    began, refusals = time.monotonic(), 0

    def is_refused_for_a_second() -> bool:
        nonlocal refusals
        with pytest.raises(redis.ReadOnlyError):
            client.incr("counter")
        refusals += 1
        return time.monotonic() > began + 1

    wait_until(is_refused_for_a_second, seconds=10, what="a second's refusals", every=0.01)
    assert refusals > 50
    client.close()
    tier.wait_until_ready()


def test_a_new_template_restarts_the_replicas_first_and_the_primary_last(
    make_tier: MakeTier,
) -> None:
    tier = make_tier(handover={"cooldownSeconds": 0})
    before = {name: pod for name, pod in tier.cluster.pods.items() if "sentinel" not in name}
    with Writer(tier) as writer:
        wait_until(lambda: len(writer.acknowledged) > 100, seconds=10, what="writes")
        tier.edit(resources={"requests": {"memory": "99Mi"}})

        def all_new() -> bool:
            return all(tier.cluster.pods[name] is not pod for name, pod in before.items())

        wait_until(all_new, seconds=90, what="new pods")
        tier.wait_until_ready()
    assert writer.lost() == 0
    handed = [e.message for e in tier.cluster.events if e.reason == "Failover"]
    assert handed == ["the primary moved from l2-0 to l2-2"]


@pytest.mark.parametrize("mode", ["automatic", "dryRun"])
def test_a_lagging_replica_is_refused_with_the_reason(make_tier: MakeTier, mode: str) -> None:
    tier = make_tier(handover={"mode": mode})
    for name in ("l2-1", "l2-2"):
        tier.cluster.pods[name].freeze()
    tier.annotate(handover=datetime.now(UTC).isoformat())
    wait_until(
        lambda: tier.condition("HandOverDue") == "NoReplicaInSync", seconds=10, what="a refusal"
    )
    assert tier.service == "l2-0"


def test_a_second_hand_over_waits_for_the_cool_down(make_tier: MakeTier) -> None:
    tier = make_tier()
    with Writer(tier) as writer:
        hand_over(tier, writer)
        tier.annotate(handover=datetime.now(UTC).isoformat())
        wait_until(
            lambda: tier.condition("HandOverDue") == "CoolDown", seconds=10, what="a refusal"
        )


def test_a_primary_that_a_detector_suspects_moves_once_probes_show_it_slow(
    make_tier: MakeTier, say: Say
) -> None:
    tier = make_tier(handover={"cooldownSeconds": 0, "suspicion": {"detectors": ["health"]}})
    slow = tier.service
    assert slow
    tier.cluster.apply(_detector("Anomalous"))
    wait_until(lambda: tier.condition("Suspected") == "Anomaly", seconds=20, what="suspicion")
    with Writer(tier) as writer, kept_busy(tier.server(slow, timeout=5.0)):
        start = time.monotonic()
        wait_until(lambda: tier.service != slow, seconds=30, what="a hand-over", every=0.02)
        moved = time.monotonic()
        wait_until(lambda: writer.wrote_after(moved), seconds=10, what="a write")
    say(f"handed over {moved - start:.1f} s after it became slow")
    assert writer.lost() == 0
    assert tier.operator
    decisions = tier.operator.journal.read(tier.ref)
    (why,) = [each.why for each in decisions if each.what.startswith("hand over")]
    assert f"{slow} took more than 100 ms in " in why
    tier.cluster.apply(_detector("Normal"))
    wait_until(lambda: tier.condition("Suspected") == "NoAnomaly", seconds=20, what="calm")


def _detector(verdict: str) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "True", "reason": "Judging", "message": "it judges"}
    return {
        "apiVersion": "tenfold.dev/v1alpha1",
        "kind": "AnomalyDetector",
        "metadata": {"name": "health", "namespace": NAMESPACE},
        "spec": {"queries": [{"name": "latency", "expr": "up"}]},
        "status": {
            "verdict": verdict,
            "reasons": ["latency is 9 times what was expected"],
            "conditions": [{**ready, "lastTransitionTime": "2026-01-01T12:00:00Z"}],
        },
    }


@contextmanager
def kept_busy(server: redis.Redis) -> Iterator[None]:
    """Have a server be busy for a fifth of a second at a time, as one that is about to fail."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            server.eval(_BUSY, 0)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
