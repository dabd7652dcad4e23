"""Connections to Redis and its Sentinels: one for each question.

A connection that is kept would outlive the pod behind its address.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Mapping, Sequence
from typing import cast

import redis.asyncio
import redis.exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tenfold_operator.adapters.redis_tls import TrustingConnection
from tenfold_operator.model.observed import Login

SILENCE = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError, TimeoutError)
FAILURES = (redis.exceptions.RedisError, *SILENCE)
_CONNECT_SECONDS = 1.0


async def connect(
    address: str, port: int, login: Login, *, decode: bool = True
) -> redis.asyncio.Redis:
    """Return a client with an open connection, by the first of the passwords that is taken.

    With `decode` answers are text, else bytes.

    While a password changes, some servers know the new one already and others only the old one.
    """
    *others, last = login.passwords
    for password in others:
        with contextlib.suppress(redis.exceptions.AuthenticationError):
            return await _opened(_client(address, port, password, login.authority, decode=decode))
    return await _opened(_client(address, port, last, login.authority, decode=decode))


async def _opened(client: redis.asyncio.Redis) -> redis.asyncio.Redis:
    try:
        await call(client, "PING")
    except BaseException:
        await client.aclose()
        raise
    return client


def _client(
    address: str, port: int, password: str, authority: str, *, decode: bool
) -> redis.asyncio.Redis:
    client = redis.asyncio.Redis(
        host=address,
        port=port,
        password=password,
        socket_connect_timeout=_CONNECT_SECONDS,
        health_check_interval=5,
        single_connection_client=True,
        decode_responses=decode,
        retry=Retry(NoBackoff(), 0),  # by default it sleeps a second and tries again
    )
    if authority:
        client.connection_pool.connection_class = TrustingConnection
        client.connection_pool.connection_kwargs["authority"] = authority
    return client


async def call(client: redis.asyncio.Redis, *command: str | int | bytes) -> object:
    """Return the answer to one command; raises what redis-py raises."""
    answer = client.execute_command(*command)  # type: ignore[no-untyped-call]
    return await cast(Awaitable[object], answer)


async def ask(
    address: str,
    port: int,
    login: Login,
    patience: float,
    *commands: Sequence[str | int],
) -> tuple[object, ...] | None:
    """Return the answers to `commands`, None when they are not all there in `patience` seconds."""
    try:
        async with asyncio.timeout(patience):
            client = await connect(address, port, login)
            try:
                return tuple([await call(client, *each) for each in commands])
            finally:
                await client.aclose()
    except FAILURES:
        return None


def pairs(answer: object) -> Mapping[str, str]:
    """Return a flat list of names and values, as Sentinel answers, as a mapping."""
    if isinstance(answer, dict):
        return {str(name): str(value) for name, value in answer.items()}
    flat = [str(each) for each in answer] if isinstance(answer, list) else []
    return dict(zip(flat[::2], flat[1::2], strict=True))
