"""The Redis primary dies and writes go on by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from tests.e2e.conftest import TENANT
from tests.e2e.redis_tiers import primary
from tests.support import Kubectl, is_ready, wait_until

pytestmark = pytest.mark.cluster
OUTAGE_SECONDS = 30.0
HEAL_SECONDS = 120.0
COUNTER = "/v1/counters/e2e-failover"


def _is_ready(kubectl: Kubectl) -> bool:
    return is_ready(kubectl.get("redistier", "l2", "--namespace", TENANT))


def _writes(gateway: httpx.Client) -> bool:
    try:
        return gateway.post(COUNTER).status_code == 200
    except httpx.HTTPError:
        return False


def _read(gateway: httpx.Client) -> int:
    try:
        answer = gateway.get(COUNTER)
    except httpx.HTTPError:
        return 0
    return int(answer.json()["value"]) if answer.status_code == 200 else 0


def test_the_gateway_writes_again_after_the_primary_is_killed(
    kubectl: Kubectl, gateway: httpx.Client, say: Callable[[str], None]
) -> None:
    wait_until(lambda: _is_ready(kubectl), seconds=HEAL_SECONDS, what="a healthy tier")
    before = primary(kubectl, "l2")
    acknowledged = gateway.post(COUNTER).raise_for_status().json()["value"]
    kubectl("delete", "pod", before, "--namespace", TENANT, "--grace-period=0", "--force")
    killed = time.monotonic()
    wait_until(lambda: not _writes(gateway), seconds=5, what="the outage", every=0.02)
    wait_until(lambda: _writes(gateway), seconds=OUTAGE_SECONDS, what="a write", every=0.02)
    # The pod may be back, with its data, before the Sentinels have given it up.
    now = "the same pod" if primary(kubectl, "l2") == before else "another pod"
    say(f"{now} takes writes {time.monotonic() - killed:.1f} s after the primary was killed")
    # The dying server may have taken that write: reads may fail once more until another is primary.
    wait_until(lambda: _read(gateway) > acknowledged, seconds=OUTAGE_SECONDS, what="all writes")
    seconds = wait_until(lambda: _is_ready(kubectl), seconds=HEAL_SECONDS, what="a healed tier")
    say(f"the tier has all its replicas again after {seconds:.1f} s more")
