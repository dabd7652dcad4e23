"""The ensemble as it lives: a value a step in, a forecast out, both in well under a millisecond.

It learns from every step how good each family was and how wide the band must be; the families
themselves are fitted elsewhere (training.fit), since that takes seconds and other libraries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tenfold_operator.forecast import calibration, reasons, skill
from tenfold_operator.forecast.drift import Monitor
from tenfold_operator.forecast.history import History
from tenfold_operator.forecast.members import HORIZONS, KNOTS, Members, mixing
from tenfold_operator.forecast.reasons import Track
from tenfold_operator.forecast.types import FAMILIES, LEVELS, Floats, Forecast

_KNOTS = np.array(KNOTS)
_AHEAD = np.arange(1, HORIZONS + 1)
_EACH = np.arange(len(KNOTS))
_LOW, _MIDDLE, _HIGH = LEVELS.index(0.05), LEVELS.index(0.5), LEVELS.index(0.95)
_HELD_RATE = 1.0 / 200.0
_MONITORED = KNOTS.index(1)


@dataclass
class _Pending:
    """Answers that wait for their step, by the step they were given at, modulo HORIZONS."""

    families: Floats = field(
        default_factory=lambda: np.full((HORIZONS, len(FAMILIES), len(KNOTS)), np.nan)
    )
    centre: Floats = field(default_factory=lambda: np.full((HORIZONS, len(KNOTS)), np.nan))
    spread: Floats = field(default_factory=lambda: np.full((HORIZONS, len(KNOTS)), np.nan))
    last_value: Floats = field(default_factory=lambda: np.full(HORIZONS, np.nan))


class Ensemble:
    """Four model families with one voice.

    Args:
        history: The series up to now.
        members: The fitted families.
        state: Of the statistical family after the last step.
        track: How good they have been.
        monitor: Whether they still fit what comes.

    Attributes:
        last_errors: Absolute errors of the last step's forecasts, shape (knots,); NaN where there
            was none or the step is a gap.
    """

    def __init__(
        self, history: History, members: Members, state: Floats, track: Track, monitor: Monitor
    ) -> None:
        self.history = history
        self.members = members
        self.state = state
        self.track = track
        self.monitor = monitor
        self.last_errors = np.full(len(KNOTS), np.nan)
        self._pending = _Pending()
        self._weights = skill.weights(track.errors)
        self._note_answers()

    def update(self, value: float) -> None:
        """Take the next step's value, in the series' unit; NaN is a gap."""
        history = self.history
        trusted = history.append(value)
        residual = self.members.residual(history, history.last)
        if history.steps == 1:
            self.state = self.members.statistical.begin(0.0 if math.isnan(residual) else residual)
        self.state = self.members.statistical.step(self.state, residual)
        if trusted:
            self.monitor.update(residual, float(self._scored(value)[_MONITORED]))
        else:
            self.last_errors = np.full(len(KNOTS), np.nan)
        self._note_answers()

    def predict(self, horizon_steps: int) -> Forecast:
        """Forecast 1..horizon_steps steps ahead.

        Raises:
            ValueError: A horizon below 1.
        """
        if horizon_steps < 1:
            raise ValueError(f"a horizon of {horizon_steps} steps: give 1 or more")
        steps = np.arange(1, horizon_steps + 1)
        shares = mixing(steps)
        weights = self._weights @ shares.T
        answers, width = self._ahead
        if horizon_steps > HORIZONS:
            answers, width = self.members.ahead(self.history, self.state, steps)
        answers, width = answers[:, :horizon_steps], width[:horizon_steps]
        centre = self._natural(skill.combine(answers, weights))
        spread = self.track.spread.mixed(shares)(centre) * width
        scores = np.sort(self.track.quantiles, axis=0) @ shares.T
        values = np.maximum(0.0, centre + scores * spread)
        return Forecast(
            step_seconds=self.history.days.step_seconds,
            mean=centre,
            quantiles=dict(zip(LEVELS, values, strict=True)),
            confidence=reasons.confidence(self.track, self.history, shares[-1]),
            reasons=reasons.explain(
                self.track, self.history, shares[-1], values[:, -1], weights[:, -1], horizon_steps
            ),
            weights=dict(zip(FAMILIES, weights[:, -1].tolist(), strict=True)),
        )

    def _natural(self, answers: Floats) -> Floats:
        level = self.history.level[self.history.last] if self.history.steps else -math.inf
        return self.history.natural(level + answers)

    def _note_answers(self) -> None:
        """Answer for all horizons at once: a few rows take as long as many, and are asked again."""
        self._ahead = self.members.ahead(self.history, self.state, _AHEAD)
        if self.history.empty:
            return
        answers, width = (each[..., _KNOTS - 1] for each in self._ahead)
        slot = self.history.steps % HORIZONS
        self._pending.families[slot] = self._natural(answers)
        centre = self._natural(skill.combine(answers, self._weights))
        self._pending.centre[slot] = centre
        self._pending.spread[slot] = self.track.spread(centre) * width
        self._pending.last_value[slot] = self._natural(
            self.history.log[self.history.last] - self.history.level[self.history.last]
        )

    def _scored(self, value: float) -> Floats:
        """Learn from a known step and return the scores of its forecasts, shape (knots,)."""
        slots = (self.history.steps - _KNOTS) % HORIZONS
        track, pending = self.track, self._pending
        track.known_steps += 1
        track.load += (value - track.load) / skill.MEMORY_STEPS
        centre = pending.centre[slots, _EACH]
        there = np.isfinite(centre)
        fresh = np.abs(value - pending.families[slots, :, _EACH].T)
        track.errors = np.where(there, skill.moved(track.errors, fresh), track.errors)
        self.last_errors = np.abs(value - centre)
        track.ensemble = _moved(track.ensemble, self.last_errors, 1.0 / skill.MEMORY_STEPS)
        simple = np.abs(value - pending.last_value[slots])
        track.last_value = _moved(track.last_value, simple, 1.0 / skill.MEMORY_STEPS)
        score: Floats = (value - centre) / pending.spread[slots, _EACH]
        inside = (score >= track.quantiles[_LOW]) & (score <= track.quantiles[_HIGH])
        track.held = _moved(track.held, np.where(there, inside, np.nan), _HELD_RATE)
        track.quantiles = calibration.tracked(track.quantiles, score)
        self._weights = skill.weights(track.errors)
        return score


def _moved(mean: Floats, fresh: Floats, rate: float) -> Floats:
    """Return a running mean moved towards fresh values; NaN moves none."""
    return np.where(np.isfinite(fresh), mean + rate * (fresh - mean), mean)
