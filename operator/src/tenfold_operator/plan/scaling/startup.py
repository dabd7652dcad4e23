"""How long this Workload's pods really take from scheduling to ready."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

DEFAULT_SECONDS = 60.0
"""Taken until pods have been seen to start."""
LAST = 20
"""So many of the latest starts count: images and nodes change."""
QUANTILE = 0.9
"""Of ten pods one may come later; the slowest would let one bad node set the horizon."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """How long a pod takes.

    Attributes:
        seconds: From scheduling to ready.
        reason: Where the number comes from.
    """

    seconds: float
    reason: str


def measure(durations: Sequence[float], given: int | None) -> Start:
    """Return the start of a pod.

    Args:
        durations: Seconds from the condition PodScheduled to the first Ready of this Workload's
            pods, the oldest first.
        given: spec.scaling.startSeconds.
    """
    if given is not None:
        return Start(seconds=float(given), reason=f"a pod starts in {given} s, as given")
    known = sorted(each for each in durations[-LAST:] if math.isfinite(each) and each >= 0)
    if not known:
        reason = f"no pod was seen to start yet; {DEFAULT_SECONDS:.0f} s are assumed"
        return Start(seconds=DEFAULT_SECONDS, reason=reason)
    seconds = known[min(len(known) - 1, math.ceil(QUANTILE * len(known)) - 1)]
    reason = f"9 of 10 of the last {len(known)} pods were ready within {seconds:.0f} s"
    return Start(seconds=seconds, reason=reason)
