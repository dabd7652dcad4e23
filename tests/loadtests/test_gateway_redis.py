"""The gateway service over a real Redis that dies, is demoted, and moves."""

import collections
import contextlib
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.loadtests.processes import PASSWORD, Gateway, Redis, Service, gateway
from tests.support import wait_until

# Restarted or moved, Redis has to be in use again within this time.
RECOVERY_SECONDS = 1.0


def _seconds_until_counted(service: Gateway, seconds: float = 10.0) -> float:
    return wait_until(
        lambda: service.increment("probe").status_code == 200,
        seconds=seconds,
        what="increments succeed",
        every=0.01,
    )


def _problem(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


class Writers:
    """Clients that increment one counter all the time, and the answers that they got."""

    def __init__(self, service: Gateway, clients: int) -> None:
        self.answers: collections.Counter[int] = collections.Counter()
        self._service = service
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, answers: int) -> None:
        """Wait until there are so many more answers."""
        wanted = self.answers.total() + answers
        wait_until(
            lambda: self.answers.total() >= wanted,
            seconds=20,
            what=f"{answers} answers",
            every=0.01,
        )

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        with httpx.Client(base_url=self._service.url, timeout=5) as client:
            while not self._stop.wait(0.01):
                self.answers[client.post("/v1/counters/written").status_code] += 1


@contextlib.contextmanager
def _writers(service: Gateway, clients: int = 4) -> Iterator[Writers]:
    writers = Writers(service, clients)
    try:
        yield writers
    finally:
        writers.stop()


def _assert_counted(service: Gateway, answers: collections.Counter[int]) -> None:
    """All acknowledged increments are there, and no others but those of unknown outcome."""
    value = service.read("written").json()["value"]
    assert answers[200] <= value <= answers[200] + answers[504]


def test_a_killed_redis_is_a_problem_and_its_return_is_noticed_within_a_second(
    redis: Redis,
) -> None:
    with gateway(redis.url) as service:
        assert service.increment("visits").json()["value"] == 1
        redis.kill()
        answer = service.increment("visits")
        assert (answer.status_code, _problem(answer)) == (503, "redis-unavailable")
        redis.start()
        assert _seconds_until_counted(service) < RECOVERY_SECONDS
        assert service.read("visits").json()["value"] == 1


def test_no_increment_is_lost_or_doubled_over_kills_of_redis(redis: Redis) -> None:
    with gateway(redis.url) as service:
        with _writers(service) as writers:
            for _ in range(2):
                writers.wait_for(50)
                redis.kill()
                writers.wait_for(8)
                redis.start()
            writers.wait_for(50)
        assert writers.answers[503] > 0
        _assert_counted(service, writers.answers)


def test_a_demoted_primary_is_a_problem_that_says_so_until_it_is_promoted(
    redis: Redis, start_redis: Callable[[], Redis]
) -> None:
    other = start_redis()
    with gateway(redis.url) as service:
        service.increment("visits")
        redis.command("REPLICAOF", "127.0.0.1", other.port)
        answer = service.increment("visits")
        assert (answer.status_code, _problem(answer)) == (503, "redis-refused")
        assert "READONLY" in answer.json()["detail"]
        redis.command("REPLICAOF", "NO", "ONE")
        assert _seconds_until_counted(service) < RECOVERY_SECONDS


@pytest.fixture
def pair(redis: Redis, start_redis: Callable[[], Redis]) -> tuple[Redis, Redis]:
    """A primary and its replica, in step."""
    replica = start_redis()
    _follow(replica, redis)
    return redis, replica


def _follow(replica: Redis, primary: Redis) -> None:
    replica.command("REPLICAOF", "127.0.0.1", primary.port)
    wait_until(
        lambda: replica.replication()["master_link_status"] == "up",
        seconds=20,
        what="the replica is in step",
        every=0.05,
    )


@pytest.fixture
def primary_service(pair: tuple[Redis, Redis]) -> Iterator[Service]:
    """The Service that leads to the primary."""
    service = Service(pair[0].port)
    yield service
    service.close()


def _hand_over(primary: Redis, replica: Redis, service: Service) -> None:
    """Let the replica take over with every write that was acknowledged, and none in between.

    Step by step, since FAILOVER does the same in 0.5 to 1.5 s, as Redis' timers fall.
    """
    primary.command("CLIENT", "PAUSE", 5000, "WRITE")
    wait_until(lambda: _offset(replica) == _offset(primary), seconds=5, what="in step", every=0.005)
    replica.command("REPLICAOF", "NO", "ONE")
    service.move(replica.port)
    primary.command("REPLICAOF", "127.0.0.1", replica.port)
    primary.command("CLIENT", "UNPAUSE")


def _offset(server: Redis) -> object:
    return server.replication()["master_repl_offset"]


def test_a_planned_hand_over_costs_no_request(
    pair: tuple[Redis, Redis], primary_service: Service
) -> None:
    with gateway(primary_service.url) as service:
        with _writers(service) as writers:
            writers.wait_for(50)
            _hand_over(*pair, primary_service)
            writers.wait_for(100)
        assert set(writers.answers) == {200}
        assert service.read("written").json()["value"] == writers.answers[200]


def test_a_primary_that_fell_silent_is_left_within_a_second_of_the_service_moving(
    pair: tuple[Redis, Redis], primary_service: Service
) -> None:
    primary, replica = pair
    with gateway(primary_service.url) as service:
        with _writers(service, clients=8) as writers:
            writers.wait_for(50)
            # As a pod whose node is gone: connections stay open and nothing comes back.
            primary.suspend()
            writers.wait_for(8)
            replica.command("REPLICAOF", "NO", "ONE")
            primary_service.move(replica.port)
            assert _seconds_until_counted(service) < RECOVERY_SECONDS
            writers.wait_for(50)
        primary.resume()
        assert writers.answers[504] > 0
        assert set(writers.answers) <= {200, 503, 504}


def test_its_log_tells_of_an_outage_once_and_never_the_password(redis: Redis) -> None:
    with gateway(redis.url) as service:
        service.increment("visits")
        redis.kill()
        for _ in range(3):
            service.increment("visits")
        redis.start()
        _seconds_until_counted(service)
        log = service.end()
    assert log.count("redis operations fail") == 1
    assert log.count("redis operations succeed again") == 1
    assert PASSWORD not in log


def test_metrics_tell_requests_and_redis_operations(redis: Redis) -> None:
    with gateway(redis.url) as service:
        service.increment("visits")
        redis.kill()
        service.increment("visits")
        exposition = service.metrics()
    counters = 'route="/v1/counters/{name}"'
    assert f'requests_total{{method="POST",{counters},status="200"}} 1.0' in exposition
    assert f'requests_total{{method="POST",{counters},status="503"}} 1.0' in exposition
    assert 'redis_operation_duration_seconds_bucket{le="0.001",operation="INCR"}' in exposition
    assert 'redis_errors_total{code="redis-unavailable",operation="INCR"}' in exposition
