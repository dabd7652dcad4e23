"""Which keys the next interval will ask for, from which ones earlier intervals asked for.

A key's chance is the share of the times that keys in its situation were asked for next. The
situation is how long ago it was last asked for, in how many of the last sixteen intervals, how
often, and whether its own rhythm makes it due. The shares are learned as the intervals pass, so
that there is nothing to fit and a change of habits shows within a few dozen of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# What was seen long ago counts for less: by this factor each interval.
_FADE = 0.97
# A situation's share begins as that of keys last asked for as long ago, with this weight.
_PRIOR_WEIGHT = 8.0
# How quickly the aim follows the error, and where it ends.
_GAIN = 0.2
_HIGHEST_AIM = 0.97
# Intervals of a key's history that are kept, and after which a key is forgotten.
_HISTORY = 32
_RECENT_MASK = (1 << 16) - 1
_LONGEST_AGO = 8

Situation = tuple[int, int, int, int]


@dataclass(slots=True)
class _Past:
    """A key's history: bit n is set when it was asked for n intervals ago, and its faded count."""

    asked: int = 0
    rate: float = 0.0


@dataclass(slots=True)
class _Share:
    asked: float = 0.0
    all: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How a prediction fared; both are shares in [0, 1], None where there was nothing to count."""

    # Of the predicted keys, those asked for.
    accuracy: float | None
    # Of the keys asked for, those predicted.
    coverage: float | None


class Predictor:
    """Learns from interval to interval.

    `goal` is the accuracy to keep: the likeliest keys are taken as long as the mean of their
    chances is no less than what proved to be needed for it.
    """

    def __init__(self, goal: float, most_keys: int) -> None:
        self._goal = goal
        self._aim = goal
        self._predicted: list[str] = []
        self._most_keys = most_keys
        self._pasts: dict[str, _Past] = {}
        self._shares: defaultdict[Situation, _Share] = defaultdict(_Share)
        self._by_age: defaultdict[int, _Share] = defaultdict(_Share)

    def observe(self, counts: Mapping[str, int]) -> None:
        """Take in how often each key was asked for in the interval that has ended."""
        self._correct(judge(self._predicted, counts).accuracy)
        for share in (*self._shares.values(), *self._by_age.values()):
            share.asked *= _FADE
            share.all *= _FADE
        forgotten = []
        for key, past in self._pasts.items():
            asked = key in counts
            situation = _situation(past)
            for share in (self._shares[situation], self._by_age[situation[0]]):
                share.asked += asked
                share.all += 1
            past.asked = (past.asked << 1 | asked) & ((1 << _HISTORY) - 1)
            past.rate = (past.rate + counts.get(key, 0)) / 2
            if not past.asked:
                forgotten.append(key)
        for key in forgotten:
            del self._pasts[key]
        for key in counts.keys() - self._pasts.keys():
            self._pasts[key] = _Past(asked=1, rate=counts[key] / 2)

    def predict(self) -> list[str]:
        """Return the keys to expect, the likeliest first."""
        self._predicted = self._likeliest()
        return self._predicted

    def _correct(self, accuracy: float | None) -> None:
        """Aim higher after falling short of the goal: the likeliest are partly so by chance."""
        if accuracy is None:
            # An aim that nothing reaches would never be corrected.
            self._aim = self._goal
        else:
            aim = self._aim + _GAIN * (self._goal - accuracy)
            self._aim = min(_HIGHEST_AIM, max(self._goal, aim))

    def _likeliest(self) -> list[str]:
        chances = {key: self._chance(_situation(past)) for key, past in self._pasts.items()}
        likeliest = sorted(chances, key=chances.__getitem__, reverse=True)
        total = 0.0
        for number, key in enumerate(likeliest[: self._most_keys]):
            total += chances[key]
            if total < self._aim * (number + 1):
                return likeliest[:number]
        return likeliest[: self._most_keys]

    def _chance(self, situation: Situation) -> float:
        by_age, share = self._by_age[situation[0]], self._shares[situation]
        prior = (by_age.asked + 1) / (by_age.all + 2)
        return (share.asked + prior * _PRIOR_WEIGHT) / (share.all + _PRIOR_WEIGHT)


def judge(predicted: Iterable[str], asked: Iterable[str]) -> Outcome:
    """Compare a prediction with what was asked for."""
    expected, actual = set(predicted), set(asked)
    right = len(expected & actual)
    return Outcome(
        accuracy=right / len(expected) if expected else None,
        coverage=right / len(actual) if actual else None,
    )


def _situation(past: _Past) -> Situation:
    recent = (past.asked & _RECENT_MASK).bit_count()
    ago = (past.asked & -past.asked).bit_length()
    return (
        min(ago, _LONGEST_AGO),
        recent if recent < 4 else 4 + recent // 4,
        min(int(2 * past.rate).bit_length(), 7),
        _rhythm(past.asked, ago),
    )


def _rhythm(asked: int, ago: int) -> int:
    """Return how many of the last gaps between requests equal the time since the last one."""
    # Bit 0 is the last interval, so a key last asked for `ago` bits up is due after `ago` more.
    matches = 0
    for gap in (1, 2):
        if asked >> (ago - 1 + gap * ago) & 1:
            matches += 1
        else:
            break
    return matches
