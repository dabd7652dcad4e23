"""Webhooks over kills of workers and of Redis: nothing is lost and nothing counts twice."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.loadtests.processes import PASSWORD, Redis, Service
from tests.services.processes import Program, running
from tests.services.webhook_sender import SECRETS, Sender, n11_event, signed, trendyol_event
from tests.support import wait_until

_EFFECT_SECONDS = 60.0


def _variables(redis_url: str, **variables: str) -> dict[str, str]:
    return {
        "REDIS_URL": redis_url,
        "REDIS_PASSWORD": PASSWORD,
        "TENFOLD_SECRETS": json.dumps({name: [secret] for name, secret in SECRETS.items()}),
        "TENFOLD_FIRST_PAUSE_SECONDS": "0.02",
        "TENFOLD_ABANDONED_SECONDS": "0.5",
        "TENFOLD_BLOCK_SECONDS": "0.2",
        # A fail-over or a kill is not the event's fault, however many there are.
        "TENFOLD_CRASHES": "50",
        **variables,
    }


@contextlib.contextmanager
def _service(redis_url: str, **variables: str) -> Iterator[Program]:
    with running("tenfold-webhooks", "serve", **_variables(redis_url, **variables)) as program:
        yield program


def _text(answer: object) -> str:
    return answer.decode() if isinstance(answer, bytes) else str(answer)


def _sold(redis: Redis, marketplace: str) -> int:
    answer = redis.command("HGET", f"{{webhooks}}:sold:{marketplace}", "SKU-1")
    return int(_text(answer)) if answer is not None else 0


def _count(redis: Redis, place: str) -> int:
    command = "ZCARD" if place == "retry" else "XLEN"
    return int(_text(redis.command(command, f"{{webhooks}}:{place}")))


def _settled(redis: Redis) -> bool:
    return _count(redis, "stream") == 0 and _count(redis, "retry") == 0


def _dead(redis_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("tenfold-webhooks")
    environment = {"REDIS_URL": redis_url, "REDIS_PASSWORD": PASSWORD, "COLUMNS": "200"}
    return subprocess.run(
        [program, "dead", *arguments], env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def service(redis: Redis) -> Iterator[Program]:
    with _service(redis.url, TENFOLD_ATTEMPTS="3", TENFOLD_CRASHES="1") as program:
        yield program


def test_an_event_has_its_effect_once_however_often_it_comes(
    service: Program, redis: Redis
) -> None:
    sender = Sender([service.url])
    for _ in range(5):
        sender.send("trendyol", trendyol_event(1, "Created", quantity=3))
        sender.send("n11", n11_event(1, quantity=2))
    wait_until(lambda: _settled(redis), seconds=_EFFECT_SECONDS, what="all are worked on")
    assert (_sold(redis, "trendyol"), _sold(redis, "n11")) == (3, 2)


def test_a_webhook_that_overtakes_its_order_waits_for_it(service: Program, redis: Redis) -> None:
    sender = Sender([service.url])
    sender.send("trendyol", trendyol_event(1, "Cancelled"))
    wait_until(lambda: _count(redis, "retry") == 1, seconds=5, what="it waits", every=0.002)
    sender.send("trendyol", trendyol_event(1, "Created", quantity=3))
    wait_until(lambda: _settled(redis), seconds=_EFFECT_SECONDS, what="all are worked on")
    status = redis.command("HGET", "{webhooks}:order:trendyol:o-1", "status")
    assert (_text(status), _sold(redis, "trendyol")) == ("cancelled", 0)


def test_what_is_not_authentic_stays_outside(service: Program, redis: Redis) -> None:
    body = trendyol_event(1, "Created")
    good = signed("trendyol", body)
    path = "/v1/webhooks/trendyol"
    for content, headers in (
        (body + b" ", good),
        (body, {}),
        (body, signed("trendyol", body, at=1_700_000_000)),
        (body, {"X-Trendyol-Signature": "nonsense"}),
    ):
        answer = service.client.post(path, content=content, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (
            401,
            "urn:tenfold:problem:not-authentic",
        )
    assert service.client.post("/v1/webhooks/ebay", content=body).status_code == 404
    assert _count(redis, "stream") == 0


def test_dead_letters_of_one_cause_are_one_and_are_replayed_when_it_is_mended(
    service: Program, redis: Redis
) -> None:
    sender = Sender([service.url])
    for number in range(3):
        sender.send("trendyol", trendyol_event(number, "Shipped"))
    sender.send("n11", b'{"notificationId": "n-1"}')
    sender.send("n11", n11_event(5, status="99"))
    wait_until(lambda: _count(redis, "dead") == 5, seconds=_EFFECT_SECONDS, what="all are given up")
    listing = _dead(redis.url, "list")
    rows = [line.split() for line in listing.stdout.splitlines()[1:]]
    assert [row[1] for row in rows] == ["3", "1", "1"], listing.stdout
    assert "content.orderStatus: Value error, is none of: 1, 2, 3" in listing.stdout
    cause = rows[0][0]
    shown = [json.loads(line) for line in _dead(redis.url, "show", cause).stdout.splitlines()]
    assert [letter["reason"] for letter in shown] == ["unknown-order"] * 3
    for number in range(3):
        sender.send("trendyol", trendyol_event(number, "Created"))
    wait_until(lambda: _sold(redis, "trendyol") == 3, seconds=_EFFECT_SECONDS, what="orders")
    assert "3 put back" in _dead(redis.url, "replay", cause).stdout
    wait_until(lambda: _settled(redis), seconds=_EFFECT_SECONDS, what="all are worked on")
    assert _count(redis, "dead") == 2
    status = redis.command("HGET", "{webhooks}:order:trendyol:o-2", "status")
    assert _text(status) == "shipped"
    assert _dead(redis.url, "show", "nothing").returncode == 1


def test_nothing_is_lost_or_doubled_over_kills_of_workers_and_of_the_primary(
    redis: Redis,
    start_redis: Callable[[], Redis],
    primary_service: Service,
    say: Callable[[str], None],
) -> None:
    events, quantity = 400, 2
    replica = start_redis()
    replica.command("REPLICAOF", "127.0.0.1", redis.port)
    wait_until(
        lambda: replica.replication()["master_link_status"] == "up", seconds=20, what="in step"
    )
    variables = {"TENFOLD_ACKNOWLEDGING_REPLICAS": "1"}
    with (
        _service(primary_service.url, **variables) as first,
        _service(primary_service.url, **variables) as second,
        ThreadPoolExecutor(8) as pool,
    ):
        sender = Sender([first.url, second.url])

        def accepted(count: int) -> None:
            wait_until(
                lambda: sender.accepted >= count, seconds=120, what=f"{count} accepted", every=0.01
            )

        sending = [
            pool.submit(sender.send, *event)
            for number in range(events)
            for event in (
                ("trendyol", trendyol_event(number, "Created", quantity)),
                ("n11", n11_event(number, quantity=quantity)),
            )
        ]
        accepted(100)
        first.kill()
        accepted(200)
        first.restart()
        accepted(300)
        redis.kill()
        # Nobody else wants to follow the replica: from now on none can acknowledge.
        third = start_redis()
        replica.command("REPLICAOF", "NO", "ONE")
        third.command("REPLICAOF", "127.0.0.1", replica.port)
        primary_service.move(replica.port)
        accepted(500)
        second.kill()
        second.restart()
        for each in sending:
            each.result()
        second.wait_until_up()
        wait_until(lambda: _settled(replica), seconds=_EFFECT_SECONDS, what="all are worked on")
    say(f"{2 * events} events, {sender.repeats} sent again, over 2 kills of workers and 1 of Redis")
    assert sender.accepted == 2 * events
    assert _count(replica, "dead") == 0
    assert _sold(replica, "trendyol") == _sold(replica, "n11") == events * quantity
