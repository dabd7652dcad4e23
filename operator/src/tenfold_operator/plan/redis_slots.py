"""Sets of a Redis Cluster's slots, and how many of them each shard should have."""

import bisect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tenfold_operator.model.observed import Slots

COUNT = 16384
ALL: Slots = (1 << COUNT) - 1


@dataclass(frozen=True)
class Transfer:
    """Slots that belong to another shard."""

    source: int
    target: int
    slots: Slots


def of_range(first: int, last: int) -> Slots:
    """Return the slots from `first` to `last`, both included."""
    return (1 << (last + 1)) - (1 << first)


def of_numbers(numbers: Iterable[int]) -> Slots:
    """Return the set of these slots."""
    found = 0
    for number in numbers:
        found |= 1 << number
    return found


def numbers(slots: Slots) -> Iterator[int]:
    """Yield the slots in their order."""
    while slots:
        lowest = slots & -slots
        yield lowest.bit_length() - 1
        slots ^= lowest


def ranges(slots: Slots) -> Iterator[tuple[int, int]]:
    """Yield the slots as ranges, both ends included."""
    while slots:
        first = (slots & -slots).bit_length() - 1
        ones = slots >> first
        length = (~ones & (ones + 1)).bit_length() - 1
        yield first, first + length - 1
        slots &= ~of_range(first, first + length - 1)


def share(shard: int, shards: int) -> Slots:
    """Return the slots that a shard has in a new cluster."""
    return of_range(shard * COUNT // shards, (shard + 1) * COUNT // shards - 1)


def transfers(held: Mapping[int, Slots], shards: int) -> Iterator[Transfer]:
    """Yield what has to move until shards 0 to `shards` - 1 have equal numbers, and others none.

    As few slots move as possible: who has most now has the one more that does not divide.
    """
    most_first = sorted(range(shards), key=lambda each: (-held.get(each, 0).bit_count(), each))
    size, more = divmod(COUNT, shards)
    wanted = {shard: size + (place < more) for place, shard in enumerate(most_first)}
    spare = {
        shard: _last(slots, slots.bit_count() - wanted.get(shard, 0))
        for shard, slots in sorted(held.items())
    }
    for target in sorted(wanted):
        lacks = wanted[target] - held.get(target, 0).bit_count()
        for source in sorted(spare):
            if lacks <= 0:
                break
            given = _last(spare[source], lacks)
            if given:
                spare[source] &= ~given
                lacks -= given.bit_count()
                yield Transfer(source, target, given)


def _last(slots: Slots, count: int) -> Slots:
    """Return the `count` highest of the slots, or all when there are not so many."""
    if count <= 0:
        return 0
    # From one shift to the next at most one more slot falls off.
    first = bisect.bisect_right(
        range(slots.bit_length()), -count, key=lambda shift: -(slots >> shift).bit_count()
    )
    shift = max(0, first - 1)
    return slots >> shift << shift
