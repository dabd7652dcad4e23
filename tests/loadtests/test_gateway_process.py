"""The gateway service as a process: how it starts and how it ends."""

import concurrent.futures
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.loadtests.processes import Gateway, Redis, gateway
from tests.support import wait_until

PROGRAM = Path(sys.executable).with_name("tenfold-gateway")


def _start_in_vain(**variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    return subprocess.run(
        [PROGRAM], env={**environment, **variables}, capture_output=True, text=True, timeout=20
    )


def test_it_does_not_start_without_redis_url_and_says_so() -> None:
    done = _start_in_vain()
    assert done.returncode == 1
    assert "REDIS_URL: Field required" in done.stderr


def test_it_does_not_start_on_a_taken_metrics_port_and_names_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = _start_in_vain(
            REDIS_URL="redis://127.0.0.1:1/0",
            TENFOLD_HOST="127.0.0.1",
            TENFOLD_METRICS_PORT=port,
        )
    assert done.returncode == 1
    assert "TENFOLD_METRICS_PORT" in done.stderr


def test_it_starts_and_is_ready_while_redis_is_away() -> None:
    with gateway("redis://127.0.0.1:1/0", TENFOLD_REVISION="r1") as service:
        assert service.is_ready()
        assert httpx.get(f"{service.url}/v1/info").json()["revision"] == "r1"


def test_sigterm_lets_all_requests_in_flight_finish(redis: Redis) -> None:
    requests = 20
    with gateway(redis.url) as service:
        # Redis holds writes back, so that all are in flight when the signal comes.
        redis.command("CLIENT", "PAUSE", "500", "WRITE")
        with concurrent.futures.ThreadPoolExecutor(requests) as pool:
            answers = [pool.submit(service.increment, "visits") for _ in range(requests)]
            wait_until(
                lambda: f"requests_in_flight {requests}.0" in service.metrics(),
                seconds=5,
                what="all requests are in flight",
                every=0.01,
            )
            service.terminate()
            assert [answer.result().status_code for answer in answers] == [200] * requests
        assert service.process.wait(10) == 0


def _until_told_to_leave(service: Gateway, deadline: float) -> Iterator[int]:
    """Send requests on one connection, as a proxy does, until an answer closes it."""
    with httpx.Client(base_url=service.url) as client:
        while time.monotonic() < deadline:
            answer = client.post("/v1/counters/visits")
            yield answer.status_code
            if answer.headers.get("Connection") == "close":
                return
    pytest.fail("the service never closed the connection")


def test_clients_of_kept_connections_lose_nothing_while_it_drains(redis: Redis) -> None:
    clients = 8
    with gateway(redis.url, TENFOLD_DRAIN_SECONDS="1.5") as service:
        deadline = time.monotonic() + 20
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            runs = [
                pool.submit(list, _until_told_to_leave(service, deadline)) for _ in range(clients)
            ]
            wait_until(
                lambda: service.read("visits").json()["value"] > 200,
                seconds=10,
                what="all clients are at work",
            )
            service.terminate()
            wait_until(
                lambda: not service.is_ready(),
                seconds=1,
                what="it is unready while it still answers",
                every=0.01,
            )
            answers = [status for run in runs for status in run.result()]
        assert set(answers) == {200}
        assert service.process.wait(10) == 0
