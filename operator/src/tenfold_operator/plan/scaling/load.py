"""The present load, and whether a low one can be believed.

An outage looks like no load: the series ends, turns NaN, or drops to zero because nothing gets
through. None of these may take pods away, so each is a doubt of its own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

STALE_SECONDS = 60.0
"""A last sample older than this says nothing of the present: four scrapes were missed."""
MAX_ERROR_RATIO = 0.05
"""With more failures than this the requests that are missing may be those that gave up."""
MAX_FAILING_RATIO = 0.1
"""With more of the pods failing than this, the load that is missing may be theirs."""
SETTLE_SECONDS = 300.0
"""A collapse that holds for so long is taken for what it looks like."""
COLLAPSE = 0.2
"""Below this share of the least load of the hour before it is a collapse, not a calm."""


@dataclass(frozen=True, kw_only=True)
class Signals:
    """What else tells whether the load can be believed; None is unknown and is a doubt.

    Attributes:
        targets_up: Share of the gateway's scrape targets that are up, in [0, 1].
        errors: Requests a second that fail at the gateway (5xx, or no answer).
        pods_failing: Pods that crash, or are not ready though their start is over.
        pods: Pods that there are.
    """

    targets_up: float | None
    errors: float | None
    pods_failing: int
    pods: int


@dataclass(frozen=True, kw_only=True)
class Load:
    """The present load.

    Attributes:
        level: Requests a second; None when it is not known.
        noise: Standard deviation of the samples around the mean of their step, in requests a
            second: how far the next sample may be from the last without any trend.
        doubts: Why the level may be lower than the demand; nothing is taken away while any stands.
    """

    level: float | None
    noise: float = 0.0
    doubts: tuple[str, ...] = ()


def judge(
    times: Sequence[float],
    values: Sequence[float],
    signals: Signals,
    now: float,
    step_seconds: float,
) -> Load:
    """Return the load out of the last hour's samples.

    Args:
        times: Moments of the samples in unix seconds, ascending.
        values: Requests a second, NaN where Prometheus said so.
        signals: What else is known.
        now: Unix seconds.
        step_seconds: Step of the forecast; the noise is what varies within one.
    """
    doubts = _doubts(signals)
    if not times:
        return Load(level=None, doubts=("there is no load series", *doubts))
    age = now - times[-1]
    level = values[-1]
    if age > STALE_SECONDS:
        return Load(level=None, doubts=(f"the last load sample is {age:.0f} s old", *doubts))
    if not math.isfinite(level) or level < 0:
        return Load(level=None, doubts=(f"the load reads {level}", *doubts))
    doubts = (*doubts, *_level_doubts(level, times, values, signals, now))
    return Load(level=level, noise=_noise(times, values, step_seconds), doubts=doubts)


def _doubts(signals: Signals) -> tuple[str, ...]:
    found = []
    if signals.targets_up is None or math.isnan(signals.targets_up):
        found.append("it is not known whether the gateway is scraped")
    elif signals.targets_up < 1:
        found.append(f"only {signals.targets_up:.0%} of the gateway's targets are scraped")
    if signals.errors is None or math.isnan(signals.errors):
        found.append("the gateway's errors are not known")
    if signals.pods_failing > MAX_FAILING_RATIO * signals.pods:
        found.append(f"{signals.pods_failing} of {signals.pods} pods fail")
    return tuple(found)


def _level_doubts(
    level: float, times: Sequence[float], values: Sequence[float], signals: Signals, now: float
) -> tuple[str, ...]:
    found = []
    errors = signals.errors
    if errors is not None and errors > 0 and errors > MAX_ERROR_RATIO * level:
        found.append(f"{errors:.1f} of {max(level, errors):.1f} requests a second fail")
    settled = now - SETTLE_SECONDS
    before = [value for time, value in zip(times, values, strict=True) if time <= settled]
    # A NaN among them makes every comparison false, and min() may return it or hide it.
    known = [value for value in before if value == value]
    if known and level < COLLAPSE * min(known):
        found.append(
            f"the load fell to {level:.1f} from at least {min(known):.1f} requests a second"
            f" within {SETTLE_SECONDS:.0f} s"
        )
    return tuple(found)


def _noise(times: Sequence[float], values: Sequence[float], step_seconds: float) -> float:
    """Pooled standard deviation within steps, with each step's mean as one degree of freedom."""
    squares, freedom = 0.0, 0
    group: list[float] = []
    at = math.nan
    for time, value in zip(times, values, strict=True):
        step = time // step_seconds
        if step != at:
            squares, freedom = squares + _squares(group), freedom + max(0, len(group) - 1)
            group, at = [], step
        if value == value:
            group.append(value)
    squares, freedom = squares + _squares(group), freedom + max(0, len(group) - 1)
    return math.sqrt(squares / freedom) if freedom else 0.0


def _squares(group: list[float]) -> float:
    if len(group) < 2:
        return 0.0
    mean = sum(group) / len(group)
    return sum((value - mean) ** 2 for value in group)
