"""Boosted trees as plain arrays: what a fit leaves behind, answered without the library.

The library checks and converts at each call; this walks all trees at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
        leaves = self.leaves(features, np.repeat(self.roots[None, :], len(features), axis=0))
        result: Floats = leaves.sum(axis=1) + self.base
        return result

    def scaled(self, factor: float) -> Forest:
        """Return a forest whose answers are so many times these."""
        return replace(self, value=factor * self.value, base=factor * self.base)

    def leaves(self, features: Floats, node: NDArray[np.int64]) -> Floats:
        """Return the values of the leaves that rows get to from nodes of shape (m, trees)."""
        flat = np.ascontiguousarray(features).ravel()
        start = (np.arange(len(features)) * features.shape[1])[:, None]
        for _ in range(self.depth):
            asked = flat.take(start + self.feature.take(node))
            node = self.left.take(node) + (asked > self.threshold.take(node))
        result: Floats = self.value.take(node)
        return result


def mean_of(forests: Sequence[Forest]) -> Forest:
    """Return one forest that answers the mean of several."""
    first = np.cumsum([0, *(len(each.left) for each in forests[:-1])])
    share = 1.0 / len(forests)
    return Forest(
        feature=np.concatenate([each.feature for each in forests]),
        threshold=np.concatenate([each.threshold for each in forests]),
        left=np.concatenate([each.left + at for each, at in zip(forests, first, strict=True)]),
        value=share * np.concatenate([each.value for each in forests]),
        roots=np.concatenate([each.roots + at for each, at in zip(forests, first, strict=True)]),
        base=share * sum(each.base for each in forests),
        depth=max(each.depth for each in forests),
    )


class Grove:
    """Forests that are walked at once: for a few rows calls cost more than what they compute.

    Args:
        near: Asked for rows that are near.
        far: Asked for all others.
        width: Asked for every row.
    """

    def __init__(self, near: Forest, far: Forest, width: Forest) -> None:
        forests = (near, far, width)
        first = np.cumsum([0, *(len(each.left) for each in forests)])
        self._trees = max(len(near.roots), len(far.roots))
        self._all = Forest(
            feature=np.concatenate((*(each.feature for each in forests), [0])),
            threshold=np.concatenate((*(each.threshold for each in forests), [np.inf])),
            left=np.concatenate(
                (
                    *(each.left + begin for each, begin in zip(forests, first[:3], strict=True)),
                    first[3:],
                )
            ),
            value=np.concatenate((*(each.value for each in forests), [0.0])),
            roots=np.zeros(0, dtype=np.int64),
            base=0.0,
            depth=max(each.depth for each in forests),
        )
        # The last node is a leaf of no value: who has fewer trees goes there with the others.
        near_roots, far_roots = (
            np.pad(roots, (0, self._trees - len(roots)), constant_values=first[3])
            for roots in (near.roots, far.roots + first[1])
        )
        self._near = np.concatenate((near_roots, width.roots + first[2]))
        self._far = np.concatenate((far_roots, width.roots + first[2]))
        self._bases = (near.base, far.base, width.base)

    def __call__(self, features: Floats, near: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Answer rows of shape (m, features), none NaN: trees and width, shape (m,) each.

        Args:
            features: Shape (m, features).
            near: Which rows are near, shape (m,).
        """
        leaves = self._all.leaves(features, np.where(near[:, None], self._near, self._far))
        trees = leaves[:, : self._trees].sum(axis=1)
        width = leaves[:, self._trees :].sum(axis=1) + self._bases[2]
        return trees + np.where(near, self._bases[0], self._bases[1]), width
