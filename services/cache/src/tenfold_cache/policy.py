"""Which keys to keep in memory: one pair of queues whose shape follows the best of several.

A `Queues` is the structure of 2Q and S3-FIFO: a window in order of use, a main queue with second
chances, and a ghost queue of keys that were lately given up (Johnson and Shasha, VLDB 1994; Yang
et al., SOSP 2023). Its shape decides what it is good at: all window is LRU, a small window resists
scans and loops. No shape is best on every trace, so `Adaptive` lets shadows of several shapes,
which hold keys alone, watch the same requests, and gives the real queues the shape that has had
most hits lately. Every operation takes constant time, amortised.
"""

from __future__ import annotations

import math
import zlib
from collections import OrderedDict
from dataclasses import dataclass

# Second chances that hits can earn a key.
_MOST_CHANCES = 3


@dataclass(frozen=True)
class Shape:
    """How queues share their bytes and what a key needs to pass from the window into main."""

    # The window's share of the capacity, in (0, 1].
    window: float
    # Hits in the window that let a key pass into main; above _MOST_CHANCES: only a key that comes
    # back while the ghost queue remembers it passes.
    hits: int
    # The ghost queue remembers keys of this share of the capacity.
    ghost: float = 0.9


_NEVER = _MOST_CHANCES + 1

# From LRU to a window just large enough to see that a key is asked for again. The first is where
# a cache begins. docs/cache.md says how they were chosen.
SHAPES = (
    Shape(1.0, 1),
    Shape(0.8, 1),
    Shape(0.4, 1),
    Shape(0.2, 2),
    Shape(0.1, _NEVER),
    # Catches what comes back after more than the capacity has passed.
    Shape(0.03, _NEVER, 2.0),
    Shape(0.01, 2),
)

# Requests, in multiples of the entries held, over which a shape's hits fade.
_LIFE = 50
# How far a shape has to lead, in square roots of the requests on which the shapes disagreed.
_LEAD = 0.2
# Weights are brought back to 1 beyond this.
_LARGE = 1e9
# Shadows hold at most this many keys each; of larger caches they watch a sample.
_SHADOW_ENTRIES = 2048


def _digest(key: str) -> int:
    """Spread keys evenly, the same way in every process."""
    return zlib.crc32(key.encode())


class Queues:
    """Keys and sizes, at most `capacity` bytes of them."""

    def __init__(self, capacity: float, shape: Shape) -> None:
        self.capacity = capacity
        self.used = 0
        self._window: OrderedDict[str, int] = OrderedDict()
        self._main: OrderedDict[str, int] = OrderedDict()
        self._ghost: OrderedDict[str, int] = OrderedDict()
        self._chances: dict[str, int] = {}
        self._main_used = 0
        self._ghost_used = 0
        self.reshape(shape)

    def __len__(self) -> int:
        return len(self._chances)

    def __contains__(self, key: str) -> bool:
        return key in self._chances

    def reshape(self, shape: Shape) -> None:
        """Take another shape; keys move over as room is needed."""
        self.shape = shape
        self._window_limit = shape.window * self.capacity
        self._main_limit = self.capacity - self._window_limit

    def touch(self, key: str) -> bool:
        """Note that a key was asked for; return whether it is held."""
        chances = self._chances.get(key)
        if chances is None:
            return False
        if chances < _MOST_CHANCES:
            self._chances[key] = chances + 1
        if key in self._window:
            self._window.move_to_end(key)
        return True

    def size(self, key: str) -> int | None:
        """Return a key's bytes, None for one that is not held."""
        return self._window.get(key) or self._main.get(key)

    def insert(self, key: str, size: int) -> list[str]:
        """Hold a key, or give it another size; return the keys given up for it, maybe itself."""
        if size > self.capacity:
            self.remove(key)
            return [key]
        if key in self._chances:
            self._resize(key, size)
            return self._settle()
        self._chances[key] = 0
        self.used += size
        remembered = self._ghost.pop(key, None)
        if remembered is not None:
            self._ghost_used -= remembered
        if remembered is not None and self._main_limit > 0:
            self._to_main(key, size)
        else:
            self._window[key] = size
        return self._settle()

    def remove(self, key: str) -> None:
        """Forget a key."""
        if self._chances.pop(key, None) is None:
            return
        size = self._window.pop(key, None)
        if size is None:
            size = self._main.pop(key)
            self._main_used -= size
        self.used -= size

    def halve(self, mask: int) -> None:
        """Keep the keys whose hash has none of the mask's bits, in half the capacity."""
        for key in [key for key in self._chances if _digest(key) & mask]:
            self.remove(key)
        for key in [key for key in self._ghost if _digest(key) & mask]:
            self._ghost_used -= self._ghost.pop(key)
        self.capacity /= 2
        self.reshape(self.shape)
        self._settle()

    def _settle(self) -> list[str]:
        """Bring the window within its limit and everything within the capacity."""
        gone: list[str] = []
        while self.used > self.capacity or self._window_overflows():
            key = next(iter(self._window), None)
            if key is None or not self._window_overflows():
                gone.append(self._give_up_main() if self._main else self._give_up_window())
            elif self._main_used + self._window[key] <= self._main_limit:
                # As long as main has room there is nothing to judge.
                self._to_main(key, self._window.pop(key))
            elif self.used <= self.capacity:
                # Main was larger in an earlier shape: it shrinks as room is needed.
                break
            elif self._main_limit > 0 and self._chances[key] >= self.shape.hits:
                self._to_main(key, self._window.pop(key))
                self._chances[key] = 0
                gone.append(self._give_up_main())
            else:
                gone.append(self._give_up_window())
        return gone

    def _window_overflows(self) -> bool:
        return len(self._window) > 1 and self.used - self._main_used > self._window_limit

    def _resize(self, key: str, size: int) -> None:
        queue = self._window if key in self._window else self._main
        more = size - queue[key]
        queue[key] = size
        self.used += more
        if queue is self._main:
            self._main_used += more

    def _to_main(self, key: str, size: int) -> None:
        self._main[key] = size
        self._main_used += size

    def _give_up_main(self) -> str:
        while True:
            key, size = self._main.popitem(last=False)
            chances = self._chances[key]
            if chances == 0:
                break
            self._chances[key] = chances - 1
            self._main[key] = size
        del self._chances[key]
        self._main_used -= size
        self.used -= size
        return key

    def _give_up_window(self) -> str:
        key, size = self._window.popitem(last=False)
        del self._chances[key]
        self.used -= size
        self._ghost[key] = size
        self._ghost_used += size
        while self._ghost_used > self.shape.ghost * self.capacity:
            self._ghost_used -= self._ghost.popitem(last=False)[1]
        return key


class Adaptive:
    """Keys within a number of bytes, in queues of the shape that does best."""

    def __init__(self, capacity: int) -> None:
        self._queues = Queues(capacity, SHAPES[0])
        self._shadows = [Queues(capacity, shape) for shape in SHAPES]
        # Weighted counts of the requests on which the shadows disagreed, and of the hits then.
        self._scores = [0.0] * len(SHAPES)
        self._doubt = 0.0
        self._weight = 1.0
        self._current = 0
        # Of a key's hash, the low bits that have to be 0 for the shadows to see it.
        self._mask = 0

    def __len__(self) -> int:
        return len(self._queues)

    def __contains__(self, key: str) -> bool:
        return key in self._queues

    @property
    def used(self) -> int:
        """Bytes held."""
        return self._queues.used

    @property
    def shape(self) -> Shape:
        """The shape that does best at present."""
        return self._queues.shape

    def touch(self, key: str) -> bool:
        """Note that a key was asked for; return whether it is held."""
        if not (self._mask and _digest(key) & self._mask):
            self._watch(key)
        return self._queues.touch(key)

    def insert(self, key: str, size: int) -> list[str]:
        """Hold a key, or give it another size; return the keys given up for it, maybe itself."""
        gone = self._queues.insert(key, size)
        if len(self._queues) > _SHADOW_ENTRIES * (self._mask + 1):
            self._thin_out()
        if not (self._mask and _digest(key) & self._mask):
            for shadow in self._shadows:
                shadow.insert(key, size)
        return gone

    def remove(self, key: str) -> None:
        """Forget a key."""
        self._queues.remove(key)
        for shadow in self._shadows:
            shadow.remove(key)

    def _watch(self, key: str) -> None:
        """Score the shapes by whether their shadows hold a key that is asked for."""
        size = self._queues.size(key)
        hits = [shadow.touch(key) for shadow in self._shadows]
        if size is not None:
            for shadow, hit in zip(self._shadows, hits, strict=True):
                if not hit:
                    shadow.insert(key, size)
        # Scores fade by letting the newest count for more.
        self._weight *= 1 + 1 / (_LIFE * (len(self._shadows[0]) + 1))
        if any(hits) and not all(hits):
            self._compare(hits)

    def _compare(self, hits: list[bool]) -> None:
        for index, hit in enumerate(hits):
            self._scores[index] += hit * self._weight
        self._doubt += self._weight
        best = max(range(len(SHAPES)), key=self._scores.__getitem__)
        lead = self._scores[best] - self._scores[self._current]
        if lead > _LEAD * math.sqrt(self._doubt * self._weight):
            self._current = best
            self._queues.reshape(SHAPES[best])
        if self._weight > _LARGE:
            self._scores = [score / self._weight for score in self._scores]
            self._doubt /= self._weight
            self._weight = 1.0

    def _thin_out(self) -> None:
        """Halve the share of the keys that the shadows watch, and the shadows with it."""
        self._mask = 2 * self._mask + 1
        for shadow in self._shadows:
            shadow.halve(self._mask)
