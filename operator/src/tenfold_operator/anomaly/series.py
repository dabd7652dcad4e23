"""One series, row by row: it is anomalous when it looks unusual from every angle at once."""

import math
from collections.abc import Mapping

from tenfold_operator.anomaly.level import Level
from tenfold_operator.anomaly.types import Band, Reading, is_usable
from tenfold_operator.anomaly.views import Rarity, Season, Shift
from tenfold_operator.anomaly.window import Window

_THRESHOLD = 0.45
"""The geometric mean of the angles, in levels, that makes the score 1 (docs/anomalies.md)."""
_FLOOR = 0.02
_BAND_DEVIATIONS = 4.0
_NORMAL_MAD = 1.4826
"""Standard deviations in a normal distribution's median absolute deviation."""
_RESIDUALS = 500
_NEAR = 30
_ROUNDING = 1e-9

_WORDS = {
    "rarity": "the level over 4 rows is rare",
    "slow rarity": "the level over 12 rows is rare",
    "time": "the value is unusual for this time of the season",
    "residual": "the value is off the seasonal median",
    "shift": "the mean has shifted",
}


class SeriesDetector:
    """Scores one series online; the same values give the same readings."""

    def __init__(self, season_rows: int, sensitivity: float = 1.0) -> None:
        """Expect a season of so many rows; a higher sensitivity calls earlier and more often.

        Raises ValueError when a season has fewer than two rows or the sensitivity is not positive.
        """
        if season_rows < 2:
            raise ValueError(f"a season has 2 rows or more, not {season_rows}")
        if not sensitivity > 0.0:
            raise ValueError(f"the sensitivity is above 0, not {sensitivity}")
        self._threshold = _THRESHOLD / sensitivity
        self._width = _BAND_DEVIATIONS / sensitivity
        self._warm_rows = max(season_rows + season_rows // 2, 100)
        self._season = Season(season_rows)
        self._rarity, self._slow_rarity, self._shift = Rarity(4), Rarity(12), Shift()
        self._levels: dict[str, Level] = {name: Level() for name in _WORDS}
        self._recent, self._residuals = Window(_NEAR), Window(_RESIDUALS)
        self._last: Reading | None = None
        self._rows = 0

    @property
    def warm_rows(self) -> int:
        """Measured rows before a score counts: one season and a half, at least 100."""
        return self._warm_rows

    def update(self, value: float) -> Reading:
        """Take the next row and return its reading; a value that is no measurement is a gap.

        A gap holds the last score, and moves the season on.
        """
        seasonal = self._season.expected()
        expected = self._expected(value) if seasonal is None else seasonal
        if not is_usable(value):
            self._season.remember(math.nan)
            held = self._last.score if self._last else 0.0
            return Reading(held, self._band(expected), self._rows >= self._warm_rows)
        band = self._band(expected)
        # Before there is a season to compare with, this angle has nothing to say.
        residual = 0.0 if seasonal is None else abs(value - seasonal)
        ratios = self._ratios(value, residual)
        mean = math.exp(sum(math.log(each + _FLOOR) for each in ratios.values()) / len(ratios))
        self._rows += 1
        is_warm = self._rows > self._warm_rows
        score = max(0.0, mean - _FLOOR) / self._threshold
        self._last = Reading(score, band, is_warm, _reasons(ratios) if score > 1.0 else ())
        self._recent.add(value)
        self._residuals.add(abs(value - expected))
        return self._last

    def _ratios(self, value: float, residual: float) -> Mapping[str, float]:
        smallest = _ROUNDING * abs(value)
        deviations = {
            "rarity": self._rarity.deviation(value),
            "slow rarity": self._slow_rarity.deviation(value),
            "time": self._season.deviation(value),
            "residual": residual,
            "shift": self._shift.deviation(value),
        }
        self._season.remember(value)
        return {
            name: self._levels[name].ratio(each if each > smallest else 0.0)
            for name, each in deviations.items()
        }

    def _expected(self, value: float) -> float:
        """The median of the last rows, where there is no season yet."""
        recent = self._recent.median()
        return recent if recent is not None else value if is_usable(value) else 0.0

    def _band(self, expected: float) -> Band:
        half = self._width * _NORMAL_MAD * (self._residuals.median() or 0.0)
        return Band(expected, expected - half, expected + half)


def _reasons(ratios: Mapping[str, float]) -> tuple[str, ...]:
    ordered = sorted(ratios.items(), key=lambda each: -each[1])
    return tuple(f"{_WORDS[name]}: {ratio:.1f} times its level" for name, ratio in ordered)
