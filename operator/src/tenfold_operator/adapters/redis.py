"""Redis and its Sentinels through redis-py."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

import redis.asyncio
import redis.exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tenfold_operator.model.observed import Follower, Role, SentinelAnswer, ServerAnswer
from tenfold_operator.plan.redis_names import REDIS_PORT, SENTINEL_PORT

_CONNECT_SECONDS = 1.0
_CHANGES = (
    "+promoted-slave",
    "+failover-state-reconf-slaves",
    "+config-update-from",
    "+switch-master",
)
_ROLES: Mapping[str, Role] = {"master": "primary", "slave": "replica"}
_SILENCE = (redis.exceptions.RedisError, OSError, TimeoutError)


class RedisClients:
    """Implements ports.RedisAdmin with a connection for each question.

    A connection that is kept would outlive the pod behind its address.
    """

    async def ask_sentinels(
        self, tier: str, addresses: Mapping[str, str], password: str, patience: float
    ) -> tuple[SentinelAnswer, ...]:
        """Ask each Sentinel (address by pod) which pod is the primary."""

        async def ask(pod: str, address: str) -> SentinelAnswer:
            command = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", tier)
            client = _client(address, SENTINEL_PORT, password)
            answer = await _ask(client, patience, *command)
            host = answer[0].decode() if isinstance(answer, list) else ""
            return SentinelAnswer(pod, host.partition(".")[0] or None)

        return tuple(await asyncio.gather(*(ask(*each) for each in addresses.items())))

    async def ask_servers(
        self, addresses: Mapping[str, str], password: str, patience: float
    ) -> tuple[ServerAnswer, ...]:
        """Ask each server (address by pod) for its role and replicas."""

        async def ask(pod: str, address: str) -> ServerAnswer:
            client = _client(address, REDIS_PORT, password)
            answer = await _ask(client, patience, "INFO", "replication")
            return _server_answer(pod, cast(dict[str, Any], answer or {}))

        return tuple(await asyncio.gather(*(ask(*each) for each in addresses.items())))

    async def listen(self, address: str, password: str, on_change: Callable[[str], None]) -> None:
        """Call `on_change` with the event's name whenever this Sentinel speaks of a failover."""
        client = _client(address, SENTINEL_PORT, password)
        try:
            async with client.pubsub() as channel:
                await channel.subscribe(*_CHANGES)
                # The health check notices a peer that is gone without a word.
                while True:
                    message = await channel.get_message(True, timeout=None)
                    if message:
                        on_change(message["channel"].decode())
        except _SILENCE:
            return
        finally:
            await client.aclose()


def _server_answer(pod: str, info: Mapping[str, Any]) -> ServerAnswer:
    entries = (info.get(f"slave{n}") for n in range(int(info.get("connected_slaves", 0))))
    followers = tuple(
        Follower(each["ip"].partition(".")[0], each["state"] == "online", int(each["lag"]))
        for each in entries
        if isinstance(each, dict)
    )
    return ServerAnswer(pod, _ROLES.get(str(info.get("role")), "unknown"), followers)


async def _ask(client: redis.asyncio.Redis, patience: float, *command: str) -> object:
    """Return the answer, None when there is none in time."""
    try:
        answer = client.execute_command(*command)  # type: ignore[no-untyped-call]
        return cast(object, await asyncio.wait_for(answer, patience))
    except _SILENCE:
        return None
    finally:
        await client.aclose()


def _client(address: str, port: int, password: str) -> redis.asyncio.Redis:
    return redis.asyncio.Redis(
        host=address,
        port=port,
        password=password,
        socket_connect_timeout=_CONNECT_SECONDS,
        health_check_interval=5,
        retry=Retry(NoBackoff(), 0),  # by default it sleeps a second and tries again
    )
