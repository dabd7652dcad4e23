"""Counters in Redis, and their endpoints."""

from typing import Annotated, Protocol

import pydantic
from starlette import requests, responses
from tenfold_runtime import api

from tenfold_gateway import store

Name = Annotated[
    str,
    pydantic.Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$",
        description="Lower-case letters, digits, dots, dashes and underscores; at most 63.",
    ),
]


class Counters(Protocol):
    """Where counters are kept; raises `store.StoreError` for what did not succeed."""

    async def increment(self, name: str) -> int:
        """Add one and return the new value."""

    async def read(self, name: str) -> int:
        """Return the value, 0 before the first increment."""


class RedisCounters:
    """Counters in one Redis database."""

    def __init__(self, redis: store.Store) -> None:
        self._redis = redis

    async def increment(self, name: str) -> int:
        """Add one and return the new value; never repeated when it may have counted."""
        return _number(await self._redis.execute("INCR", f"counter:{name}", repeatable=False))

    async def read(self, name: str) -> int:
        """Return the value, 0 before the first increment."""
        return _number(await self._redis.execute("GET", f"counter:{name}", repeatable=True))


def _number(reply: store.Reply) -> int:
    return int(reply) if isinstance(reply, int | str) else 0


class Counter(pydantic.BaseModel):
    """A counter and its value."""

    name: str
    value: int


class Parameters(pydantic.BaseModel):
    """Which counter."""

    name: Name


def endpoints(counters: Counters) -> list[api.Endpoint]:
    """Return the endpoints of these counters."""

    async def read(_: requests.Request, parameters: Parameters) -> responses.Response:
        value = await counters.read(parameters.name)
        return api.answer(Counter(name=parameters.name, value=value))

    async def increment(_: requests.Request, parameters: Parameters) -> responses.Response:
        value = await counters.increment(parameters.name)
        return api.answer(Counter(name=parameters.name, value=value))

    path, problems = "/v1/counters/{name}", (422, 503, 504)
    return [
        api.Endpoint(
            "GET",
            path,
            read,
            Parameters,
            summary="Read a counter; one that was never incremented is 0.",
            answer=Counter,
            problems=problems,
        ),
        api.Endpoint(
            "POST",
            path,
            increment,
            Parameters,
            summary="Add one to a counter. Not to be repeated after a 504, which may have counted.",
            answer=Counter,
            problems=problems,
        ),
    ]
