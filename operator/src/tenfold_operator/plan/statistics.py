"""The tests that judge a revision: how sure a share and a difference are."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt

Z_95 = 1.959964
"""Half-width of a two-sided 95% interval of the standard normal distribution."""


def share_bounds(count: float, total: float, z: float = Z_95) -> tuple[float, float]:
    """Return the interval that holds a share with 95% confidence, of `count` among `total` > 0.

    Wilson's score interval (1927): it holds for few and for no events, where the normal
    approximation says that nothing can go wrong.
    """
    share = min(count / total, 1.0)
    centre = share + z * z / (2 * total)
    spread = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


@dataclass(frozen=True)
class Shift:
    """By how much one sample lies above another."""

    effect: float
    """Cliff's delta, -1 to 1: P(new > old) - P(new < old)."""
    p_value: float
    """How likely so large a shift upwards is between equals (one-sided)."""


def rank_test(new: Sequence[float], old: Sequence[float]) -> Shift:
    """Compare two samples that are given as counts in the same ascending buckets.

    Mann and Whitney's U test (1947) with the normal approximation and its correction for ties:
    all values in a bucket are equal. Both samples hold at least one value.
    """
    n_new, n_old = sum(new), sum(old)
    above = below = ties = seen_new = seen_old = 0.0
    for in_new, in_old in zip(new, old, strict=True):
        above += in_new * seen_old
        below += in_old * seen_new
        seen_new += in_new
        seen_old += in_old
        both = in_new + in_old
        ties += both**3 - both
    effect = (above - below) / (n_new * n_old)
    total = n_new + n_old
    variance = n_new * n_old / 12 * (total + 1 - ties / max(total * (total - 1), 1.0))
    if variance <= 0:
        return Shift(effect, 1.0)
    z = (above - below) / 2 / sqrt(variance)
    return Shift(effect, erfc(z / sqrt(2)) / 2)


def count_above(bounds: Sequence[float], counts: Sequence[float], limit: float) -> float:
    """Return how many values lie above `limit`: those of its own bucket by interpolation.

    `bounds` are the buckets' ascending upper bounds, the last infinite; `counts` those in each.
    """
    lower, above = 0.0, 0.0
    for upper, count in zip(bounds, counts, strict=True):
        if lower >= limit:
            above += count
        elif upper > limit:
            is_last = upper == float("inf")
            above += count if is_last else count * (upper - limit) / (upper - lower)
        lower = upper
    return above


def quantile(bounds: Sequence[float], counts: Sequence[float], level: float) -> float:
    """Return the quantile as Prometheus' histogram_quantile does; `counts` are not all zero."""
    rank, seen, lower = level * sum(counts), 0.0, 0.0
    for upper, count in zip(bounds, counts, strict=True):
        if count and seen + count >= rank:
            if upper == float("inf"):
                return lower
            return lower + (upper - lower) * (rank - seen) / count
        seen += count
        lower = upper
    return lower
