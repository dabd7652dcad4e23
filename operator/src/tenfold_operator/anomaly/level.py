"""How far a deviation lately went: the yardstick that makes deviations of any kind comparable."""

from dataclasses import dataclass

_FADE = 0.9998
"""What is left of the level after a row; half after 3,465 rows, twelve days of five minutes."""
_LEARN = 0.3
"""Share of the way that a new record moves the level: one outlier is not the new normal."""
_AT_MOST = 1.5
"""A record counts as no more than this many levels, so that a second outlier is still seen."""
_LARGEST_RATIO = 3.0
_LEARN_ROWS = 100
"""So many rows set the level in full."""


@dataclass
class Level:
    """A slowly fading record of deviations, robust against single outliers.

    The number of new records among like values grows with the logarithm of their count, whatever
    their distribution: false alarms stay rare on every series with the same parameters.
    """

    value: float = 0.0
    rows: int = 0

    def ratio(self, deviation: float) -> float:
        """Return `deviation` (0 and more) in levels, at most 3, and learn from it."""
        before = self.value
        self.value *= _FADE
        self.rows += 1
        if deviation > self.value:
            if self.rows <= _LEARN_ROWS or self.value <= 0.0:
                self.value = deviation
            else:
                reach = min(deviation, _AT_MOST * self.value)
                self.value += _LEARN * (reach - self.value)
        if self.rows <= _LEARN_ROWS or deviation <= 0.0:
            return 0.0
        # By division: a level may be so small that the product with the largest ratio is 0.
        return _LARGEST_RATIO if before <= 0.0 else min(deviation / before, _LARGEST_RATIO)
