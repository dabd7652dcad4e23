"""The Redis primary moves on purpose, and customers of the gateway notice nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from tests.e2e.conftest import TENANT
from tests.e2e.redis_tiers import primary
from tests.support import Kubectl, is_ready, wait_until

pytestmark = pytest.mark.cluster
COUNTER = "/v1/counters/e2e-hand-over"
HEAL_SECONDS = 180.0
TIER = ("redistier/l2", "--namespace", TENANT)


class Increments:
    """Increments one after the other, and what was answered."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.failed: list[str] = []


@contextmanager
def increments(gateway: httpx.Client) -> Iterator[Increments]:
    """Increment the counter until the block ends."""
    seen, stop = Increments(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                answer = gateway.post(COUNTER)
            except httpx.HTTPError as error:
                seen.failed.append(repr(error))
                continue
            if answer.status_code == 200:
                seen.acknowledged += 1
            else:
                seen.failed.append(answer.text)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        wait_until(lambda: seen.acknowledged > 20, seconds=15, what="increments")
        yield seen
    finally:
        stop.set()
        thread.join()


def _wait_until_ready(kubectl: Kubectl) -> None:
    wait_until(lambda: is_ready(kubectl.get(*TIER)), seconds=HEAL_SECONDS, what="a healthy tier")


@pytest.fixture
def no_cool_down(kubectl: Kubectl) -> Iterator[None]:
    """The primary may move again right after it has moved."""
    kubectl.patch(*TIER, merge={"spec": {"handover": {"cooldownSeconds": 0}}})
    yield
    kubectl.patch(*TIER, merge={"spec": {"handover": {"cooldownSeconds": None}}})


def _value(gateway: httpx.Client) -> int:
    value: int = gateway.get(COUNTER).raise_for_status().json()["value"]
    return value


@pytest.mark.usefixtures("no_cool_down")
def test_a_hand_over_that_was_asked_for_fails_no_request(
    kubectl: Kubectl, gateway: httpx.Client, say: Callable[[str], None]
) -> None:
    _wait_until_ready(kubectl)
    start, before = _value(gateway), primary(kubectl, "l2")
    with increments(gateway) as seen:
        asked = datetime.now(UTC).isoformat()
        kubectl("annotate", *TIER, "--overwrite", f"tenfold.dev/handover={asked}")
        wait_until(
            lambda: primary(kubectl, "l2") != before, seconds=20, what="a hand-over", every=0.1
        )
        at = seen.acknowledged
        wait_until(lambda: seen.acknowledged > at + 20, seconds=10, what="increments after it")
    say(f"{seen.acknowledged} increments, {len(seen.failed)} failed")
    assert seen.failed == []
    assert _value(gateway) - start == seen.acknowledged
    _wait_until_ready(kubectl)


def test_a_primary_whose_pod_is_deleted_hands_over_first_and_loses_nothing(
    kubectl: Kubectl, gateway: httpx.Client, say: Callable[[str], None]
) -> None:
    _wait_until_ready(kubectl)
    start, before = _value(gateway), primary(kubectl, "l2")
    with increments(gateway) as seen:
        kubectl("delete", "pod", before, "--namespace", TENANT, "--wait=false")
        wait_until(
            lambda: primary(kubectl, "l2") != before, seconds=20, what="a hand-over", every=0.1
        )
        at = seen.acknowledged
        wait_until(lambda: seen.acknowledged > at + 20, seconds=10, what="increments after it")
    say(f"{seen.acknowledged} increments, {len(seen.failed)} failed")
    # The pods' nodes may learn of the Service's move later than the gateway goes on trying.
    assert [each for each in seen.failed if "nothing was changed" not in each] == []
    assert len(seen.failed) <= 5
    assert _value(gateway) - start == seen.acknowledged
    _wait_until_ready(kubectl)
