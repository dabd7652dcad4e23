"""The isolation forest (Liu, Ting and Zhou, 2008) as plain arrays.

scikit-learn grows it; its own answer for a single row takes milliseconds, and its form is a pickle.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TREES = 100
_EULER = 0.5772156649015329


@dataclass(frozen=True)
class Forest:
    """All trees side by side; shape (trees, nodes) each, a leaf is its own child."""

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    path: NDArray[np.float64]
    """Expected length of the path that ends in a node."""
    levels: int
    norm: float
    """Expected path length among the rows that a tree was grown on."""

    def scores(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return for rows of shape (n, d) how easily each is isolated, shape (n,), in (0, 1)."""
        trees = np.arange(len(self.feature))[None, :]
        row = np.arange(len(rows))[:, None]
        at = np.zeros((len(rows), len(self.feature)), dtype=np.int64)
        for _level in range(self.levels):
            goes_left = rows[row, self.feature[trees, at]] <= self.threshold[trees, at]
            at = np.where(goes_left, self.left[trees, at], self.right[trees, at])
        lengths: NDArray[np.float64] = self.path[trees, at].mean(axis=1)
        found: NDArray[np.float64] = 2.0 ** (-lengths / self.norm)
        return found


def grow(rows: NDArray[np.float64], seed: int) -> Forest:
    """Return a forest of 100 trees over rows of shape (n, d)."""
    # Only whoever trains needs it: it is 100 MB and two seconds to import.
    from sklearn.ensemble import IsolationForest

    grown = IsolationForest(n_estimators=_TREES, max_samples=min(256, len(rows)), random_state=seed)
    grown.fit(rows.astype(np.float32))
    trees = [each.tree_ for each in grown.estimators_]
    width = max(each.node_count for each in trees)
    here = np.arange(width)
    feature, left, right = (np.tile(np.zeros(width, dtype=np.int64), (_TREES, 1)) for _ in range(3))
    threshold, path = (np.zeros((_TREES, width)) for _ in range(2))
    for index, tree in enumerate(trees):
        count = tree.node_count
        is_leaf = tree.children_left < 0
        feature[index, :count] = np.where(is_leaf, 0, tree.feature)
        threshold[index, :count] = np.where(is_leaf, 0.0, tree.threshold)
        left[index, :count] = np.where(is_leaf, here[:count], tree.children_left)
        right[index, :count] = np.where(is_leaf, here[:count], tree.children_right)
        depth = _depths(tree.children_left, tree.children_right)
        path[index, :count] = depth + _average_path(tree.n_node_samples)
    levels = max(each.max_depth for each in trees)
    norm = float(_average_path(np.array([grown.max_samples_]))[0])
    return Forest(feature, threshold, left, right, path, levels, max(norm, 1.0))


def _depths(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    depth = np.zeros(len(left))
    for node in range(len(left)):  # a parent comes before its children
        if left[node] >= 0:
            depth[left[node]] = depth[right[node]] = depth[node] + 1
    return depth


def _average_path(rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Expected path length of an unsuccessful search in a binary tree of so many rows."""
    many = np.maximum(rows, 3).astype(np.float64)
    long = 2.0 * (np.log(many - 1.0) + _EULER) - 2.0 * (many - 1.0) / many
    return np.where(rows <= 1, 0.0, np.where(rows == 2, 1.0, long))
