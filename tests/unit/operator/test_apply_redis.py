"""What is done to the servers of a tier, in which order."""

import asyncio
import threading
from typing import cast

import pytest
from tenfold_operator.apply_redis import RedisApplier
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.observed import Login, TierAccess
from tenfold_operator.plan.actions import HandOver
from tenfold_operator.ports import Cluster, RedisAdmin

ACCESS = TierAccess(
    namespace="shop", tier="l2", login=Login(("secret",)), servers={}, sentinels={}, domain="l2"
)
HAND_OVER = HandOver(primary="l2-0", target="l2-1", service={"kind": "Service"}, why="asked for")


class Redis:
    """Servers that do as they are told."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.clients_go_on = threading.Event()

    async def hand_over(self, _: TierAccess, primary: str, target: str) -> str:
        self.done.append(f"{primary} to {target}")
        return ""

    async def tell_sentinels(self, _: TierAccess, primary: str) -> None:
        self.done.append(f"Sentinels name {primary}")

    async def follow(self, _: TierAccess, primary: str, former: str) -> None:
        self.done.append(f"clients of {former} go on to {primary}")
        self.clients_go_on.set()


class Api:
    """An API server, quick and willing or not."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.trouble: Exception | None = None
        self.answers_late = False

    def apply(self, manifest: JsonObject) -> None:
        if self.answers_late:
            assert self._redis.clients_go_on.wait(timeout=10)
        if self.trouble:
            raise self.trouble
        self._redis.done.append(f"applied the {manifest['kind']}")


@pytest.fixture
def redis() -> Redis:
    return Redis()


@pytest.fixture
def api(redis: Redis) -> Api:
    return Api(redis)


@pytest.fixture
def applier(redis: Redis, api: Api) -> RedisApplier:
    return RedisApplier(cast(RedisAdmin, redis), cast(Cluster, api))


def test_writes_are_held_back_until_the_service_has_moved(
    applier: RedisApplier, redis: Redis
) -> None:
    assert asyncio.run(applier.run(ACCESS, [HAND_OVER])) == ""
    assert redis.done == [
        "l2-0 to l2-1",
        "Sentinels name l2-1",
        "applied the Service",
        "clients of l2-0 go on to l2-1",
    ]


def test_writes_do_not_wait_for_an_api_server_that_is_slow(
    applier: RedisApplier, redis: Redis, api: Api
) -> None:
    api.answers_late = True
    assert asyncio.run(applier.run(ACCESS, [HAND_OVER])) == ""
    assert redis.done[2:] == ["clients of l2-0 go on to l2-1", "applied the Service"]


def test_writes_go_on_where_the_service_could_not_be_moved(
    applier: RedisApplier, redis: Redis, api: Api
) -> None:
    api.trouble = ConnectionError("no API server")
    with pytest.raises(ConnectionError):
        asyncio.run(applier.run(ACCESS, [HAND_OVER]))
    assert redis.done[-1] == "clients of l2-0 go on to l2-1"
