"""Orders placed once, however often they are sent: idempotency keys in Redis.

The first request with a key writes a record before anything is sent to the marketplace. A repeat
finds it: with the answer (it is given again), without (another request is at it, or its outcome
is not known), or of another body (a mistake). A record is removed only where the order was
certainly not placed.
"""

import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import pydantic
import structlog
from tenfold_runtime import problems

from tenfold_gateway import store, upstream

Key = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
HEADER = "Idempotency-Key"

_KEPT_SECONDS = 24 * 3600
# Longer than any request takes: after this nobody is at it any more.
_ABANDONED_SECONDS = 60.0

_log = structlog.get_logger(__name__)
_KEY: pydantic.TypeAdapter[str] = pydantic.TypeAdapter(Key)


class _Record(pydantic.BaseModel):
    owner: str
    body_digest: str
    began: float
    state: Literal["running", "unknown", "done"] = "running"
    answer: str | None = None


def key(header: str | None) -> str:
    """Return the key of a request; raises the problem of a missing or bad one."""
    try:
        return _KEY.validate_python(header)
    except pydantic.ValidationError as error:
        raise problems.invalid(error, f"header.{HEADER}") from error


class Once:
    """Runs what places an order at most once for each key."""

    def __init__(self, redis: store.Store) -> None:
        self._redis = redis

    async def run(self, name: str, body: bytes, place: Callable[[], Awaitable[bytes]]) -> bytes:
        """Place an order, or return the answer of the time when it was placed.

        `name` is tenant, marketplace and key.
        """
        mine = _Record(
            owner=secrets.token_hex(8),
            body_digest=hashlib.sha256(body).hexdigest(),
            began=time.time(),
        )
        found = await self._begin(name, mine)
        if found is not None:
            return _repeated(found, mine)
        try:
            answer = await place()
        except upstream.CallError as error:
            if error.sent:
                await self._note(name, mine.model_copy(update={"state": "unknown"}))
            else:
                await self._forget(name)
            raise
        except problems.ProblemError:
            # The marketplace answered, and not as it declares: there may be an order.
            await self._note(name, mine.model_copy(update={"state": "unknown"}))
            raise
        await self._note(name, mine.model_copy(update={"state": "done", "answer": answer.decode()}))
        return answer

    async def _begin(self, name: str, mine: _Record) -> _Record | None:
        """Write our record where there is none; return that of another request."""
        # Repeatable: if the answer was lost, the record that is found is our own.
        reply = await self._redis.execute(
            *("SET", f"idempotency:{name}", mine.model_dump_json()),
            *("NX", "GET", "EX", _KEPT_SECONDS),
            repeatable=True,
        )
        if not isinstance(reply, str):
            return None
        found = _Record.model_validate_json(reply)
        return None if found.owner == mine.owner else found

    async def _note(self, name: str, record: _Record) -> None:
        await self._try(
            *("SET", f"idempotency:{name}", record.model_dump_json(), "EX", _KEPT_SECONDS)
        )

    async def _forget(self, name: str) -> None:
        await self._try("DEL", f"idempotency:{name}")

    async def _try(self, operation: str, *arguments: str | int) -> None:
        """Write what became of an order. If that fails the record says less, and nothing wrong."""
        try:
            await self._redis.execute(operation, *arguments, repeatable=True)
        except store.StoreError as error:
            _log.error("an order's outcome was not noted", code=error.code)


def _repeated(found: _Record, mine: _Record) -> bytes:
    if found.body_digest != mine.body_digest:
        raise problems.ProblemError(
            422,
            "idempotency-key-reused",
            "The key was used for another order",
            f"Send each order with a {HEADER} of its own.",
        )
    if found.state == "done" and found.answer is not None:
        return found.answer.encode()
    if found.state == "running" and mine.began - found.began < _ABANDONED_SECONDS:
        raise problems.ProblemError(
            409,
            "order-in-progress",
            "A request with this key is being answered",
            "Send it again in a moment.",
            headers={"Retry-After": "1"},
        )
    raise problems.ProblemError(
        409,
        "order-outcome-unknown",
        "It is not known whether the order was placed",
        "Look for an order whose reference is the key; if there is none, use another key.",
    )
