"""Boosted trees as plain arrays: what a fit leaves behind, answered without the library.

The library checks and converts at each call; this walks all trees at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenfold_operator.forecast.types import Floats


@dataclass(frozen=True)
class Forest:
    """Regression trees whose sum is the answer.

    Attributes:
        feature: Shape (nodes,): the feature that a node asks for.
        threshold: Shape (nodes,): greater goes to the right; infinite at leaves.
        left: Shape (nodes,): the left child, the right one is the next; a leaf names itself.
        value: Shape (nodes,): what a leaf adds.
        roots: Shape (trees,): the trees' first nodes.
        base: What is added to every answer.
        depth: Steps from a root to the farthest leaf.
    """

    feature: NDArray[np.int64]
    threshold: Floats
    left: NDArray[np.int64]
    value: Floats
    roots: NDArray[np.int64]
    base: float
    depth: int

    def __call__(self, features: Floats) -> Floats:
        """Answer rows of shape (m, features), none NaN, with shape (m,)."""
        rows, width = features.shape
        if rows == 0:
            return np.zeros(0)
        flat = np.ascontiguousarray(features).ravel()
        start = (np.arange(rows) * width)[:, None]
        node = np.repeat(self.roots[None, :], rows, axis=0)
        for _ in range(self.depth):
            asked = flat.take(start + self.feature.take(node))
            node = self.left.take(node) + (asked > self.threshold.take(node))
        result: Floats = self.value.take(node).sum(axis=1) + self.base
        return result
