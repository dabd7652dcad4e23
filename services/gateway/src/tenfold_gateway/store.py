"""Counters in Redis that survive a failover without counting anything twice.

Only the client knows how far a command got, so each attempt is made in two stages, and the
stage that failed decides whether it may be repeated:

- Reaching Redis (a free connection, DNS, TCP, AUTH, a ping on one that was idle): nothing of
  the command was sent, so any command may be repeated.
- The exchange (send, read the reply): an error *reply* means that Redis refused the command
  before executing it. A lost connection or no reply in time means that it may have been
  executed; reading again is harmless then, incrementing again could count twice.
"""

import asyncio
import time
import weakref

import pydantic
import structlog
from redis import asyncio as redis
from redis import exceptions, maint_notifications

from tenfold_gateway import metrics

# A healthy Redis answers in about a millisecond. The second figure is the longer one because a
# hand-over (FAILOVER) holds writes back for up to 0.4 s and then answers them.
_REACH_SECONDS = 0.3
_ANSWER_SECONDS = 0.7

# New attempts start within this time: it covers a hand-over (at most 250 ms) with room.
_RETRY_SECONDS = 0.8
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 0.2

# A connection that was idle this long is tried with a PING before a command is risked on it.
_IDLE_SECONDS = 1.0

# Connections are doubted together at most this often, and they are few: otherwise a failover,
# or mere lack of CPU, would become a storm of reconnections that keeps itself alive.
_DOUBT_SECONDS = 0.25

# A process answers some 2,000 requests/s, of which each holds a connection for a millisecond.
_POOL_SIZE = 32

_log = structlog.get_logger(__name__)


class StoreError(Exception):
    """A counter operation that did not succeed."""

    code: str
    title: str
    safe_to_repeat = True


class Unavailable(StoreError):
    """Redis could not be reached; nothing was sent."""

    code = "redis-unavailable"
    title = "Redis cannot be reached"


class Refused(StoreError):
    """Redis answered with an error; nothing was changed."""

    code = "redis-refused"
    title = "Redis refused the operation"

    def __init__(self, reply: str) -> None:
        super().__init__(f"Redis answered {reply}; nothing was changed.")
        self.reply = reply


class OutcomeUnknown(StoreError):
    """Redis was sent the command and its answer was lost."""

    code = "redis-outcome-unknown"
    title = "Redis did not answer"
    safe_to_repeat = False


# Replies of a server that is not, or not yet, the one to talk to: soon another one may be.
_TRANSIENT_REPLIES = {"READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS"}


class Store:
    """Counters in one Redis database."""

    def __init__(self, url: pydantic.RedisDsn, password: pydantic.SecretStr | None) -> None:
        """Prepare a pool of connections; none is opened before it is needed."""
        credentials = {"password": password.get_secret_value()} if password else {}
        # Without socket timeouts of its own: they are set here, around each stage.
        self._pool = redis.BlockingConnectionPool.from_url(
            str(url),
            max_connections=_POOL_SIZE,
            timeout=None,
            socket_timeout=None,
            socket_connect_timeout=None,
            health_check_interval=_IDLE_SECONDS,
            decode_responses=True,
            # What the open-source server would only answer with errors, at every connection.
            driver_info=None,
            maint_notifications_config=maint_notifications.MaintNotificationsConfig(enabled=False),
            **credentials,
        )
        self._era = 0
        self._era_began = 0.0
        self._era_of: weakref.WeakKeyDictionary[redis.Connection, int] = weakref.WeakKeyDictionary()
        self._failing_since: float | None = None

    async def increment(self, name: str) -> int:
        """Add one to a counter and return its new value."""
        return int(await self._execute("INCR", f"counter:{name}", repeatable=False) or 0)

    async def read(self, name: str) -> int:
        """Return a counter's value; one that was never incremented is 0."""
        return int(await self._execute("GET", f"counter:{name}", repeatable=True) or 0)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def _execute(self, operation: str, key: str, *, repeatable: bool) -> str | int | None:
        last_start = time.monotonic() + _RETRY_SECONDS
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                with metrics.REDIS_SECONDS.labels(operation).time():
                    reply = await self._attempt(operation, key)
            except StoreError as error:
                metrics.REDIS_ERRORS.labels(operation, error.code).inc()
                worthwhile = not isinstance(error, Refused) or error.reply in _TRANSIENT_REPLIES
                allowed = error.safe_to_repeat or repeatable
                if not (worthwhile and allowed and time.monotonic() + pause < last_start):
                    self._note_failure(error)
                    raise
            else:
                self._note_success()
                return reply
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _attempt(self, operation: str, key: str) -> str | int | None:
        connection = await self._reach()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                # The client's own health check would blur the two stages.
                await connection.send_command(operation, key, check_health=False)
                reply: str | int | None = await connection.read_response()
                return reply
        except (exceptions.ResponseError, exceptions.BusyLoadingError) as error:
            reply = error.status_code or str(error).partition(" ")[0]
            if reply == "READONLY":
                await self._discard(connection)
            raise Refused(reply) from error
        except (exceptions.ConnectionError, TimeoutError) as error:
            await self._discard(connection)
            raise OutcomeUnknown(
                "The connection to Redis was lost before its answer came: the operation may or"
                " may not have been done. Read the counter before trying again."
            ) from error
        finally:
            await self._pool.release(connection)

    async def _reach(self) -> redis.Connection:
        """Take a connection that was answering a moment ago or is new."""
        try:
            async with asyncio.timeout(_REACH_SECONDS):
                connection: redis.Connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
                await self._renew(connection)
                return connection
        except (exceptions.RedisError, TimeoutError) as error:
            raise Unavailable(
                "No connection to Redis was free or could be made: nothing was changed. Try again."
            ) from error

    async def _renew(self, connection: redis.Connection) -> None:
        """Open a doubted connection anew and ping one that was idle; on failure give it back."""
        era = self._era
        try:
            if self._era_of.setdefault(connection, era) != era:
                await connection.disconnect(nowait=True)
                await connection.connect()  # type: ignore[no-untyped-call]
                self._era_of[connection] = era
            await connection.check_health()  # type: ignore[no-untyped-call]
        except BaseException:
            await self._discard(connection)
            await self._pool.release(connection)
            raise

    async def _discard(self, connection: redis.Connection) -> None:
        """Close a connection, and have every other one opened anew before its next use.

        They all lead to the pod that was the primary when they were opened: a Service that has
        moved since is followed by new connections only. A dead pod sends no RST, so without
        this each of them would have to run into its own timeout.
        """
        await connection.disconnect(nowait=True)
        self._era_of.pop(connection, None)
        now = time.monotonic()
        if now - self._era_began > _DOUBT_SECONDS:
            self._era += 1
            self._era_began = now

    def _note_failure(self, error: StoreError) -> None:
        # Once an outage, not once a request: at 10x that would be 800 lines a second.
        if self._failing_since is None:
            self._failing_since = time.monotonic()
            cause = str(error.__cause__)
            _log.error("redis operations fail", code=error.code, detail=str(error), cause=cause)

    def _note_success(self) -> None:
        if self._failing_since is not None:
            seconds = round(time.monotonic() - self._failing_since, 3)
            self._failing_since = None
            _log.info("redis operations succeed again", seconds=seconds)
