"""Commands to Redis that survive a failover without doing anything twice.

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
from tenfold_runtime import problems

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


class StoreError(problems.ProblemError):
    """A command that did not succeed."""

    code: str
    title: str
    safe_to_repeat = True

    def __init__(self, detail: str) -> None:
        # 503 says that nothing was done; 504 that Redis did not tell whether it was.
        status, headers = (503, {"Retry-After": "1"}) if self.safe_to_repeat else (504, None)
        super().__init__(status, self.code, self.title, detail, headers=headers)


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


Reply = str | int | list[str | int | None] | None


class Store:
    """One Redis database.

    Its connections are kept here rather than in the client's pool, whose locks, checks and
    telemetry cost as much as the command itself: 120 microseconds of CPU against 75.
    """

    def __init__(self, url: pydantic.RedisDsn, password: pydantic.SecretStr | None) -> None:
        """Prepare for connections; none is opened before it is needed."""
        credentials = {"password": password.get_secret_value()} if password else {}
        # Without socket timeouts of its own: they are set here, around each stage.
        self._factory = redis.ConnectionPool.from_url(
            str(url),
            socket_timeout=None,
            socket_connect_timeout=None,
            health_check_interval=_IDLE_SECONDS,
            decode_responses=True,
            # What the open-source server would only answer with errors, at every connection.
            driver_info=None,
            maint_notifications_config=maint_notifications.MaintNotificationsConfig(enabled=False),
            **credentials,
        )
        self._free = asyncio.Semaphore(_POOL_SIZE)
        # The one used last is taken first: the others fall idle and are pinged when it is busy.
        self._idle: list[redis.Connection] = []
        self._era = 0
        self._era_began = 0.0
        self._era_of: weakref.WeakKeyDictionary[redis.Connection, int] = weakref.WeakKeyDictionary()
        self._failing_since: float | None = None

    async def execute(self, operation: str, *arguments: str | int, repeatable: bool) -> Reply:
        """Execute a command; one that is `repeatable` is tried again also if its answer was lost.

        Raises Unavailable, Refused or OutcomeUnknown.
        """
        last_start = time.monotonic() + _RETRY_SECONDS
        pause = _FIRST_PAUSE_SECONDS
        while True:
            start = time.perf_counter()
            try:
                reply = await self._attempt(operation, *arguments)
            except StoreError as error:
                metrics.REDIS.errors.labels(operation, error.code).inc()
                worthwhile = not isinstance(error, Refused) or error.reply in _TRANSIENT_REPLIES
                allowed = error.safe_to_repeat or repeatable
                if not (worthwhile and allowed and time.monotonic() + pause < last_start):
                    self._note_failure(error)
                    raise
            else:
                self._note_success()
                return reply
            finally:
                metrics.REDIS.seconds.labels(operation).observe(time.perf_counter() - start)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def close(self) -> None:
        """Close all connections."""
        while self._idle:
            await self._idle.pop().disconnect()

    async def _attempt(self, *command: str | int) -> Reply:
        connection = await self._reach()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                # The client's own health check would blur the two stages.
                await connection.send_command(*command, check_health=False)
                reply: Reply = await connection.read_response()
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
                " may not have been done. Look at the state before trying again."
            ) from error
        finally:
            if connection.is_connected:
                self._idle.append(connection)
            self._free.release()

    async def _reach(self) -> redis.Connection:
        """Take a connection that was answering a moment ago or is new."""
        # Neither of these two awaits lets another task run, and neither needs a deadline.
        if self._idle and not self._free.locked() and await self._is_fresh(self._idle[-1]):
            await self._free.acquire()
            return self._idle.pop()
        try:
            async with asyncio.timeout(_REACH_SECONDS):
                await self._free.acquire()
                try:
                    return await self._renewed()
                except BaseException:
                    self._free.release()
                    raise
        except (exceptions.RedisError, TimeoutError) as error:
            raise Unavailable(
                "No connection to Redis was free or could be made: nothing was changed. Try again."
            ) from error

    async def _is_fresh(self, connection: redis.Connection) -> bool:
        """Whether it has lately answered, is of this era and was not closed since."""
        return (
            self._era_of.get(connection) == self._era
            and asyncio.get_running_loop().time() < connection.next_health_check
            and not await connection.can_read()
        )

    def _made(self) -> redis.Connection:
        connection: redis.Connection = self._factory.make_connection()  # type: ignore[no-untyped-call]
        return connection

    async def _renewed(self) -> redis.Connection:
        """Open a new, closed or doubted connection, and ping one that was idle."""
        connection = self._idle.pop() if self._idle else self._made()
        era = self._era
        try:
            if connection.is_connected and (
                self._era_of.get(connection) != era or await connection.can_read()
            ):
                await connection.disconnect(nowait=True)
            await connection.connect()  # type: ignore[no-untyped-call]
            await connection.check_health()  # type: ignore[no-untyped-call]
            self._era_of[connection] = era
            return connection
        except BaseException:
            await self._discard(connection)
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
