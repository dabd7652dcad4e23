"""Counters over a Redis that fails at every point at which it can."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import hiredis
import pydantic
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tenfold_gateway import counters as counting
from tenfold_gateway import store

# What the server does with a command. Those that lose the answer have executed it, or not.
ANSWER, READONLY, LOADING, LOSE_ANSWER, DROP, SILENT, WRONG = (
    "answer",
    "readonly",
    "loading",
    "lose answer",
    "drop",
    "silent",
    "wrong type",
)
REFUSALS = {
    READONLY: b"-READONLY You can't write against a read only replica.\r\n",
    LOADING: b"-LOADING Redis is loading the dataset in memory\r\n",
    WRONG: b"-ERR value is not an integer or out of range\r\n",
}


class FakeRedis:
    """Speaks enough of Redis' protocol to misbehave on cue; answers when the cues run out."""

    def __init__(self) -> None:
        self.cues: list[str] = []
        self.value = 0
        self.connections = 0
        self.commands = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._gone: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        parser = hiredis.Reader()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                parser.feed(data)
                while (command := parser.gets()) is not False:
                    if writer not in self._gone:
                        self._reply(command, writer)
        self._writers.discard(writer)
        writer.close()

    def move(self) -> None:
        """Go where only new connections lead; the old ones stay open and dead."""
        self._gone |= self._writers

    async def close_connections(self) -> None:
        writers = set(self._writers)
        for writer in writers:
            writer.close()
        for writer in writers:
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        # The peers are in this loop: one more turn, and they have read the end of the stream.
        await asyncio.sleep(0)

    def _reply(self, command: list[bytes], writer: asyncio.StreamWriter) -> None:
        if command[0] == b"HELLO":
            writer.write(b"%1\r\n$5\r\nproto\r\n:3\r\n")
        elif command[0] == b"PING":
            writer.write(b"+PONG\r\n")
        else:
            self._execute(command[0], self.cues.pop(0) if self.cues else ANSWER, writer)

    def _execute(self, operation: bytes, cue: str, writer: asyncio.StreamWriter) -> None:
        self.commands += 1
        if cue in REFUSALS:
            writer.write(REFUSALS[cue])
            return
        if operation == b"INCR" and cue != DROP:
            self.value += 1
        if cue == ANSWER:
            reply = b":%d\r\n" if operation == b"INCR" else b"+%d\r\n"
            writer.write(reply % self.value)
        elif cue != SILENT:
            writer.close()


@contextlib.asynccontextmanager
async def _counters(cues: Iterable[str]) -> AsyncIterator[tuple[FakeRedis, counting.RedisCounters]]:
    redis = FakeRedis()
    redis.cues = list(cues)
    server = await asyncio.start_server(redis.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connections = store.Store(pydantic.RedisDsn(f"redis://127.0.0.1:{port}/0"), None)
    try:
        yield redis, counting.RedisCounters(connections)
    finally:
        await connections.close()
        await redis.close_connections()
        server.close()


def _with(
    cues: Iterable[str], steps: Callable[[FakeRedis, counting.RedisCounters], Awaitable[None]]
) -> None:
    async def run() -> None:
        async with _counters(cues) as (redis, counters):
            await steps(redis, counters)

    asyncio.run(run())


@pytest.mark.parametrize("refusals", [[READONLY], [LOADING], [READONLY, READONLY, LOADING]])
def test_an_increment_that_was_refused_is_repeated_until_it_is_accepted(
    refusals: list[str],
) -> None:
    async def steps(redis: FakeRedis, counters: counting.RedisCounters) -> None:
        assert await counters.increment("a") == 1
        assert redis.value == 1

    _with(refusals, steps)


def test_a_read_only_server_is_left_for_a_new_connection() -> None:
    async def steps(redis: FakeRedis, counters: counting.RedisCounters) -> None:
        await counters.increment("a")
        assert redis.connections == 2

    _with([READONLY], steps)


def test_an_increment_whose_answer_was_lost_is_not_repeated() -> None:
    async def steps(redis: FakeRedis, counters: counting.RedisCounters) -> None:
        with pytest.raises(store.OutcomeUnknown):
            await counters.increment("a")
        assert redis.value == 1

    _with([LOSE_ANSWER], steps)


def test_a_read_whose_answer_was_lost_is_repeated() -> None:
    async def steps(redis: FakeRedis, counters: counting.RedisCounters) -> None:
        assert await counters.read("a") == 0
        assert redis.commands == 2

    _with([LOSE_ANSWER], steps)


def test_a_command_that_can_never_succeed_is_not_repeated() -> None:
    async def steps(redis: FakeRedis, counters: counting.RedisCounters) -> None:
        with pytest.raises(store.Refused, match="ERR"):
            await counters.increment("a")
        assert redis.commands == 1

    _with([WRONG], steps)


def test_a_silent_server_costs_less_than_a_second_and_its_connection_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert store._ANSWER_SECONDS < 1
    # A hundred times what it may wait: a starved machine needs some of that.
    monkeypatch.setattr(store, "_ANSWER_SECONDS", 0.1)

    async def steps(redis: FakeRedis, counters: counting.RedisCounters) -> None:
        async with asyncio.timeout(10):
            with pytest.raises(store.OutcomeUnknown):
                await counters.increment("a")
        # Too slow for the next answer, a starved machine would fail that one too.
        monkeypatch.setattr(store, "_ANSWER_SECONDS", 10)
        assert await counters.increment("a") == 2
        assert redis.connections == 2

    _with([SILENT], steps)


def test_after_one_silence_no_other_connection_has_to_run_into_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def steps(redis: FakeRedis, counters: counting.RedisCounters) -> None:
        monkeypatch.setattr(store, "_ANSWER_SECONDS", 10)
        await asyncio.gather(*(counters.increment("a") for _ in range(5)))
        redis.move()
        monkeypatch.setattr(store, "_ANSWER_SECONDS", 0.1)
        with pytest.raises(store.OutcomeUnknown):
            await counters.increment("a")
        # Into its own it would run for ten seconds, and raise.
        monkeypatch.setattr(store, "_ANSWER_SECONDS", 10)
        await asyncio.gather(*(counters.increment("a") for _ in range(5)))
        assert redis.value == 10

    _with([], steps)


def test_an_increment_is_not_risked_on_a_connection_that_died_while_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "_IDLE_SECONDS", 0.01)

    async def steps(redis: FakeRedis, counters: counting.RedisCounters) -> None:
        await counters.increment("a")
        redis.move()
        await asyncio.sleep(0.02)  # the idle time itself
        assert await counters.increment("a") == 2

    _with([], steps)


def test_connections_closed_while_idle_cost_nothing() -> None:
    async def steps(redis: FakeRedis, counters: counting.RedisCounters) -> None:
        await asyncio.gather(*(counters.increment("a") for _ in range(5)))
        await redis.close_connections()
        await asyncio.gather(*(counters.increment("a") for _ in range(5)))
        assert redis.value == 10

    _with([], steps)


def test_a_server_that_is_away_is_reported_as_unavailable_within_two_seconds() -> None:
    async def steps() -> None:
        away = store.Store(pydantic.RedisDsn("redis://127.0.0.1:1/0"), None)
        counters = counting.RedisCounters(away)
        async with asyncio.timeout(2):
            with pytest.raises(store.Unavailable):
                await counters.increment("a")

    asyncio.run(steps())


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run through failures quickly: the rules are the same."""
    monkeypatch.setattr(store, "_ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(store, "_FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(store, "_LONGEST_PAUSE_SECONDS", 0.002)
    monkeypatch.setattr(store, "_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(store, "_DOUBT_SECONDS", 0.001)


@pytest.mark.usefixtures("_impatient")
def test_whatever_fails_an_increment_counts_once_if_acknowledged_and_at_most_once_if_not() -> None:
    cue = st.sampled_from([ANSWER, READONLY, LOADING, LOSE_ANSWER, DROP, SILENT])

    @hypothesis_settings(max_examples=60, deadline=None)
    @given(cues=st.lists(cue, max_size=15), crowd=st.integers(1, 6))
    def check(cues: list[str], crowd: int) -> None:
        asyncio.run(_check(cues, crowd))

    check()


async def _check(cues: list[str], crowd: int) -> None:
    async with _counters(cues) as (redis, counters):
        acknowledged: list[int] = []
        unknown = 0

        async def increment_twice() -> None:
            nonlocal unknown
            for _ in range(2):
                try:
                    acknowledged.append(await counters.increment("a"))
                except store.OutcomeUnknown:
                    unknown += 1
                except (store.Refused, store.Unavailable):
                    pass  # nothing was done, which the bounds below hold it to

        await asyncio.gather(*(increment_twice() for _ in range(crowd)))
        assert len(set(acknowledged)) == len(acknowledged)
        assert len(acknowledged) <= redis.value <= len(acknowledged) + unknown
