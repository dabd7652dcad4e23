"""Where events are while they are not applied: a stream, a set of retries, dead letters.

Each move of an event is one script: Redis does all of it or nothing, and so does a replica that is
promoted, because it has a prefix of what the primary did. An effect, the mark that it was applied
and the end of its entry are one move too. So an event is never lost between two places and its
effect is never doubled, whoever dies when; what can happen is that it is worked on twice.
"""

import dataclasses
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from typing import Literal, Self

import pydantic
from redis import asyncio as redis
from redis import exceptions
from redis.typing import EncodableT, FieldT

from tenfold_webhooks.events import Event

# One hash slot for all: scripts work on Redis Cluster too.
STREAM = "{webhooks}:stream"
RETRY = "{webhooks}:retry"
DEAD = "{webhooks}:dead"
GROUP = "workers"

# Marketplaces repeat a webhook for hours at most.
_REMEMBERED_SECONDS = 7 * 24 * 3600
# Nothing is evicted from the tier: what has ended has to leave by itself.
_ORDERS_SECONDS = 90 * 24 * 3600
_FORGOTTEN_SECONDS = 3600
_MOVED_AT_ONCE = 100

Outcome = Literal["applied", "repeated", "stale", "unknown-order"]
Fields = Mapping[bytes, bytes]

_APPLY = """
local applied, order, sold, stream = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, entry, kept, kept_order, status, occurred, lines = unpack(ARGV)
local function finish(outcome)
  redis.call('XACK', stream, group, entry)
  redis.call('XDEL', stream, entry)
  return outcome
end
local function sell(text, sign)
  for _, line in ipairs(cjson.decode(text)) do
    redis.call('HINCRBY', sold, line.sku, sign * line.quantity)
  end
end
if redis.call('EXISTS', applied) == 1 then return finish('repeated') end
local known = redis.call('HMGET', order, 'status', 'occurred', 'lines')
if not known[1] and status ~= 'created' then return 'unknown-order' end
redis.call('SET', applied, '1', 'EX', kept)
if not known[1] then
  redis.call('HSET', order, 'status', status, 'occurred', occurred, 'lines', lines)
  redis.call('EXPIRE', order, kept_order)
  sell(lines, 1)
  return finish('applied')
end
if status == 'created' or tonumber(occurred) < tonumber(known[2]) then return finish('stale') end
redis.call('HSET', order, 'status', status, 'occurred', occurred)
local undone = {cancelled = true, returned = true}
if undone[status] and not undone[known[1]] then sell(known[3], -1) end
return finish('applied')
"""

# An entry that is not pending is another worker's, or will be delivered again after a fail-over.
_POSTPONE = """
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[4])
return 1
"""

_BURY = """
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3))
return 1
"""

_RETURN_DUE = """
local due = redis.call('ZRANGE', KEYS[2], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do
  local letter = cjson.decode(member)
  redis.call('XADD', KEYS[1], '*', 'marketplace', letter.marketplace, 'body', letter.body,
    'received', letter.received, 'attempts', letter.attempts)
  redis.call('ZREM', KEYS[2], member)
end
return #due
"""

_REPLAY = """
local found = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
local letter = {}
for i = 1, #found[1][2], 2 do letter[found[1][2][i]] = found[1][2][i + 1] end
redis.call('XADD', KEYS[1], '*', 'marketplace', letter.marketplace, 'body', letter.body,
  'received', letter.received, 'attempts', '0')
redis.call('XDEL', KEYS[2], ARGV[1])
return 1
"""

# The fields of a consumer come in this order: name, pending, idle.
_FORGET = """
local gone = 0
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  if consumer[4] == 0 and consumer[6] > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer[2])
    gone = gone + 1
  end
end
return gone
"""


class Letter(pydantic.BaseModel):
    """An event on its way: the body as it came, and how often it was tried."""

    model_config = pydantic.ConfigDict(frozen=True)

    marketplace: str
    body: str
    received: float
    attempts: int = 0

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Return the letter of a stream's entry."""
        return cls.model_validate({name.decode(): value.decode() for name, value in fields.items()})


class DeadLetter(Letter):
    """An event that was given up, with the reason."""

    id: str = ""
    reason: str
    detail: str
    buried: float

    @property
    def cause(self) -> str:
        """A short name of what went wrong: the same for letters that failed alike.

        Numbers do not tell causes apart: they are positions, ids and amounts.
        """
        alike = re.sub(r"\d+", "#", self.detail)
        text = f"{self.marketplace}\0{self.reason}\0{alike}"
        return hashlib.sha256(text.encode()).hexdigest()[:8]


@dataclasses.dataclass(frozen=True)
class Taken:
    """An entry of the stream that a worker holds."""

    entry: str
    letter: Letter


class Letters:
    """All moves of events."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._apply = client.register_script(_APPLY)
        self._postpone = client.register_script(_POSTPONE)
        self._bury = client.register_script(_BURY)
        self._return_due = client.register_script(_RETURN_DUE)
        self._replay = client.register_script(_REPLAY)
        self._forget = client.register_script(_FORGET)

    async def accept(self, letter: Letter, replicas: int, seconds: float) -> bool:
        """Add an event; whether so many replicas had it in time. If not it may be there all the
        same."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.xadd(STREAM, _fields(letter))
        if replicas:
            pipeline.wait(replicas, round(seconds * 1000))
        _, *reached = await pipeline.execute()
        return not reached or reached[0] >= replicas

    async def take(self, consumer: str, count: int, block_seconds: float) -> list[Taken]:
        """Take new events, waiting for the first."""
        reply = await self._redis.xreadgroup(
            GROUP, consumer, {STREAM: ">"}, count=count, block=round(block_seconds * 1000)
        )
        return [
            _taken(entry, fields) for _, entries in _streams(reply) for entry, fields in entries
        ]

    async def take_over(self, consumer: str, idle_seconds: float) -> list[tuple[Taken, int]]:
        """Take events whose workers hold them for too long, each with how many have held it."""
        _, entries, *_ = await self._redis.xautoclaim(
            STREAM, GROUP, consumer, round(idle_seconds * 1000), "0-0", count=_MOVED_AT_ONCE
        )
        held = []
        for entry, fields in entries:
            # Nothing is pending where the worker was slow and not dead, and is done by now.
            for pending in await self._redis.xpending_range(STREAM, GROUP, entry, entry, 1):
                held.append((_taken(entry, fields), int(pending["times_delivered"])))
        return held

    async def apply(self, taken: Taken, event: Event) -> Outcome:
        """Let an event have its effect, once; an unknown order leaves all as it is."""
        marketplace = taken.letter.marketplace
        reply: bytes = await self._apply(
            keys=[
                f"{{webhooks}}:applied:{marketplace}:{event.id}",
                f"{{webhooks}}:order:{marketplace}:{event.order}",
                _sold(marketplace),
                STREAM,
            ],
            args=[
                GROUP,
                taken.entry,
                _REMEMBERED_SECONDS,
                _ORDERS_SECONDS,
                event.status,
                event.occurred_at.timestamp(),
                json.dumps([line.model_dump(mode="json") for line in event.lines]),
            ],
        )
        return pydantic.TypeAdapter[Outcome](Outcome).validate_python(reply.decode())

    async def postpone(self, taken: Taken, until: float) -> None:
        """Try an event again at a time, as one more attempt."""
        again = taken.letter.model_copy(update={"attempts": taken.letter.attempts + 1})
        # Two entries may be alike but for this: a set would keep one of them.
        member = again.model_dump(mode="json") | {"entry": taken.entry}
        await self._postpone(
            keys=[STREAM, RETRY], args=[GROUP, taken.entry, until, json.dumps(member)]
        )

    async def bury(self, taken: Taken, reason: str, detail: str) -> None:
        """Give an event up."""
        dead = DeadLetter(
            **taken.letter.model_dump(), reason=reason, detail=detail, buried=time.time()
        )
        fields = [part for pair in _fields(dead).items() for part in pair]
        await self._bury(keys=[STREAM, DEAD], args=[GROUP, taken.entry, *fields])

    async def return_due(self, now: float) -> int:
        """Put events whose pause is over back into the stream; return how many."""
        return int(await self._return_due(keys=[STREAM, RETRY], args=[now, _MOVED_AT_ONCE]))

    async def make_group(self) -> None:
        """Make the consumer group where it is missing: at the start, or after a fail-over."""
        try:
            # From the first entry on: what is applied is no longer in the stream.
            await self._redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except exceptions.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def forget_consumers(self, idle_seconds: float = _FORGOTTEN_SECONDS) -> int:
        """Remove consumers that hold nothing and have not asked for so long; return how many.

        Each process has names of its own, and leaves them behind.
        """
        return int(await self._forget(keys=[STREAM], args=[GROUP, round(idle_seconds * 1000)]))

    async def counts(self) -> dict[str, int]:
        """Return how many events are where."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.xlen(STREAM)
        pipeline.zcard(RETRY)
        pipeline.xlen(DEAD)
        stream, retry, dead = await pipeline.execute()
        return {"stream": stream, "retry": retry, "dead": dead}

    async def sold(self, marketplace: str, sku: str) -> int:
        """Return how many pieces of a product a marketplace's events have sold."""
        reply = await self._redis.hget(_sold(marketplace), sku)
        return int(reply or 0)

    async def dead(self) -> AsyncIterator[DeadLetter]:
        """Yield all dead letters, oldest first."""
        after = "-"
        while entries := _entries(await self._redis.xrange(DEAD, min=after, count=_MOVED_AT_ONCE)):
            for entry, fields in entries:
                yield DeadLetter.read(fields).model_copy(update={"id": entry.decode()})
            after = f"({entries[-1][0].decode()}"

    async def replay(self, letter: DeadLetter) -> bool:
        """Put a dead letter back into the stream as if it were new; whether it was there."""
        return bool(await self._replay(keys=[STREAM, DEAD], args=[letter.id]))


def _sold(marketplace: str) -> str:
    return f"{{webhooks}}:sold:{marketplace}"


def _fields(letter: Letter) -> dict[FieldT, EncodableT]:
    values = letter.model_dump(mode="json", exclude={"id"})
    return {name: str(value) for name, value in values.items()}


def _taken(entry: bytes, fields: Fields) -> Taken:
    return Taken(entry.decode(), Letter.read(fields))


def _entries(reply: object) -> list[tuple[bytes, Fields]]:
    return list(reply) if isinstance(reply, list) else []


def _streams(reply: object) -> list[tuple[bytes, list[tuple[bytes, Fields]]]]:
    """Return the streams of a reply, which RESP 3 gives as a map and RESP 2 as pairs."""
    if isinstance(reply, dict):
        return [(stream, entries[0] if entries else []) for stream, entries in reply.items()]
    return list(reply) if isinstance(reply, list) else []
