from __future__ import annotations

import tracemalloc
from collections import OrderedDict

import hypothesis
import pytest
from hypothesis import strategies
from tenfold_cache import policy
from tenfold_cache.entry import Entry
from tenfold_cache.memory import Held, Memory
from tenfold_cache.policy import SHAPES, Adaptive, Queues, Shape

_KEYS = strategies.integers(0, 30).map(str)
_STEPS = strategies.lists(
    strategies.tuples(
        strategies.sampled_from(("get", "insert", "remove", "reshape")),
        _KEYS,
        strategies.integers(1, 40),
    ),
    max_size=200,
)


def ask(cache: Adaptive | Queues, key: str, size: int = 1) -> bool:
    if cache.touch(key):
        return True
    cache.insert(key, size)
    return False


@hypothesis.given(steps=_STEPS, capacity=strategies.integers(1, 100))
def test_what_is_held_never_exceeds_the_capacity(
    steps: list[tuple[str, str, int]], capacity: int
) -> None:
    queues = Queues(capacity, SHAPES[0])
    held: dict[str, int] = {}
    for step, key, size in steps:
        match step:
            case "get":
                assert queues.touch(key) == (key in held)
            case "insert":
                held[key] = size
                for gone in queues.insert(key, size):
                    del held[gone]
            case "remove":
                queues.remove(key)
                held.pop(key, None)
            case "reshape":
                queues.reshape(SHAPES[size % len(SHAPES)])
        assert queues.used == sum(held.values()) <= capacity
        assert {key: queues.size(key) for key in held} == held
        assert len(queues) == len(held)


@hypothesis.given(keys=strategies.lists(_KEYS, max_size=300))
def test_all_window_is_lru(keys: list[str]) -> None:
    queues = Queues(10, Shape(1.0, 1))
    lru: OrderedDict[str, None] = OrderedDict()
    for key in keys:
        assert ask(queues, key) == (key in lru)
        lru[key] = None
        lru.move_to_end(key)
        if len(lru) > 10:
            lru.popitem(last=False)


def test_a_loop_larger_than_the_cache_is_partly_held() -> None:
    cache = Adaptive(100)
    hits = sum(ask(cache, str(number % 500)) for number in range(20_000))
    # LRU has none; the optimum is a fifth.
    assert hits / 20_000 > 0.19


def test_a_scan_does_not_cost_what_is_asked_for_often() -> None:
    cache = Adaptive(100)
    hits = 0
    for number in range(20_000):
        hits += ask(cache, f"often-{number % 50}")
        ask(cache, f"once-{number}")
        ask(cache, f"once-too-{number}")
    assert hits / 20_000 > 0.95


def test_a_walk_to_and_fro_is_served_as_lru_serves_it() -> None:
    walk = [*range(500), *reversed(range(500))] * 10
    cache, lru = Adaptive(50), Queues(50, Shape(1.0, 1))
    assert sum(ask(cache, str(key)) for key in walk) == sum(ask(lru, str(key)) for key in walk)


def test_shadows_of_a_large_cache_watch_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_SHADOW_ENTRIES", 64)
    cache = Adaptive(1000)
    hits = sum(ask(cache, str(number % 5000)) for number in range(60_000))
    assert hits / 60_000 > 0.15
    assert max(len(shadow) for shadow in cache._shadows) <= 2 * 64


@pytest.mark.parametrize("key_length", [13, 100])
@pytest.mark.parametrize("shape", [SHAPES[0], max(SHAPES, key=lambda shape: shape.ghost)])
@pytest.mark.parametrize("mebibytes", [5, 7, 10])
def test_memory_stays_within_its_bytes(mebibytes: int, shape: Shape, key_length: int) -> None:
    capacity = mebibytes * 1024 * 1024
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        memory = Memory(capacity)
        # Stays, as nothing is asked for.
        memory._policy._queues.reshape(shape)
        # Enough to fill the largest ghost queue too.
        for number in range(mebibytes * 2000):
            key = f"product:{number}".ljust(key_length)
            value = number.to_bytes(8, "big") * 25
            memory.put(key, Held(Entry(number + 0.5, number + 60.5, value), 0.5, number + 1.5))
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(memory) > (mebibytes - 4) * 700
    assert memory.used <= capacity
    assert grown <= capacity


def test_a_value_larger_than_the_memory_is_not_held() -> None:
    memory = Memory(5 * 1024 * 1024)
    memory.put("small", Held(Entry(1.0, 2.0, b"x"), 0.0, 1.0))
    memory.put("large", Held(Entry(1.0, 2.0, b"x" * 5_000_000), 0.0, 1.0))
    assert memory.get("large") is None
    assert memory.get("small") is not None


def test_a_message_that_comes_late_leaves_what_is_newer() -> None:
    memory = Memory(5 * 1024 * 1024)
    empty = memory.used
    memory.put("key", Held(Entry(2.0, 9.0, b"new"), 0.0, 1.0))
    memory.drop("key", 1.5)
    assert memory.get("key") is not None
    memory.drop("key", 2.5)
    assert memory.get("key") is None
    assert memory.used == empty
