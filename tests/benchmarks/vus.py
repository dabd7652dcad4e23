"""VUS-PR: the volume under precision-recall surfaces (Paparrizos et al., VLDB 2022).

The same figures as TSB-AD 1.5, whose package brings some thirty dependencies and takes a minute
for what are sums over sorted scores.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_THRESHOLDS = 250
Segments = list[tuple[int, int]]


def vus_pr(labels: NDArray[np.bool_], scores: NDArray[np.float64], buffer: int = 100) -> float:
    """Return the area under precision-recall, averaged over label buffers of 0 to `buffer` rows.

    `labels` and `scores` have shape (n,); at least one label is set, no score is NaN.
    """
    events = find_events(labels)
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    places = np.linspace(0, len(scores) - 1, _THRESHOLDS).astype(int)
    thresholds = falling[places]
    # Everything as high as the threshold is called, equal scores included.
    called = np.searchsorted(-falling, -thresholds, side="right")
    positives = int(labels.sum())
    areas = []
    for width in range(buffer + 1):
        soft = _buffered(labels, events, width)
        hits = np.cumsum(soft[order])[called - 1]
        outside = np.cumsum(np.where(labels, 0.0, soft)[order])[called - 1]
        wanted = (2 * positives + outside) / 2
        highest = np.array([scores[a : b + 1].max() for a, b in _merged(events, width, len(soft))])
        found = (highest[None, :] >= thresholds[:, None]).mean(axis=1)
        recall = np.minimum(hits / wanted, 1.0) * found
        areas.append(float(np.dot(np.diff(recall, prepend=0.0), hits / called)))
    return float(np.mean(areas))


def find_events(labels: NDArray[np.bool_]) -> Segments:
    """Return first and last row of each run of set labels."""
    edges = np.diff(labels.astype(np.int8), prepend=0, append=0)
    firsts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(first), int(end) - 1) for first, end in zip(firsts, ends, strict=True)]


def _buffered(labels: NDArray[np.bool_], events: Segments, width: int) -> NDArray[np.float64]:
    """Labels that fade out over half of `width` before and after each event."""
    soft = labels.astype(np.float64)
    for first, last in events:
        after = np.arange(last + 1, min(last + width // 2 + 1, len(soft)))
        soft[after] += np.sqrt(1 - (after - last) / width)
        before = np.arange(max(first - width // 2, 0), first)
        soft[before] += np.sqrt(1 - (first - before) / width)
    return np.minimum(soft, 1.0)


def _merged(events: Segments, width: int, rows: int) -> Segments:
    """The events with their buffers, as one where the buffers touch."""
    half, merged = width // 2, Segments()
    for first, last in events:
        wider = (max(first - half, 0), min(last + half, rows - 1))
        if merged and merged[-1][1] >= wider[0]:
            wider = (merged.pop()[0], wider[1])
        merged.append(wider)
    return merged
