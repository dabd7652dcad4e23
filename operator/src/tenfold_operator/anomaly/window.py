"""A sliding window that knows the order of its values."""

import bisect
from collections import deque


class Window:
    """The last values in their order of size."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._order: deque[float] = deque()
        self.sorted: list[float] = []

    def add(self, value: float) -> None:
        """Take a value in; the oldest leaves when there are too many."""
        self._order.append(value)
        bisect.insort(self.sorted, value)
        if len(self._order) > self._rows:
            del self.sorted[bisect.bisect_left(self.sorted, self._order.popleft())]

    def median(self) -> float | None:
        """Return the upper median, None when empty."""
        return self.sorted[len(self.sorted) // 2] if self.sorted else None
