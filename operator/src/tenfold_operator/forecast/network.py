"""A multilayer perceptron as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenfold_operator.forecast.types import Floats

_FARTHEST = 5.0


@dataclass(frozen=True)
class Network:
    """Layers of weights with rectified linear units between them.

    Attributes:
        mean: Shape (features,): subtracted from the features.
        scale: Shape (features,): what they are then divided by, > 0.
        weights: One array a layer, shape (inputs, outputs); the last has one output.
        biases: One array a layer, shape (outputs,).
    """

    mean: Floats
    scale: Floats
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def standard(self, features: Floats) -> Floats:
        """Return features, shape (m, features), as the first layer takes them.

        What lies farther out than anything that was learned from is held there.
        """
        result: Floats = np.clip((features - self.mean) / self.scale, -_FARTHEST, _FARTHEST)
        return result

    def __call__(self, features: Floats) -> Floats:
        """Answer rows of shape (m, features), none NaN, with shape (m,)."""
        layer = self.standard(features)
        for weights, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            layer = np.maximum(layer @ weights + bias, 0.0)
        result: Floats = (layer @ self.weights[-1] + self.biases[-1])[:, 0]
        return result
