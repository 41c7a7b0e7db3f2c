"""The costs of AlexNet's layers, summed."""

from collections.abc import Sequence

import numpy as np

from jaxact import models

TRAINED = "alexnet32"
CONVOLUTIONS, DENSE_LAYERS = "Conv", "Dense"


def neurons(layers: Sequence[models.LayerCost]) -> int:
    """Outputs of convolutions and dense layers."""
    return sum(int(np.prod(layer.output_shape)) for layer in with_kernel(layers))


def with_kernel(layers: Sequence[models.LayerCost]) -> list[models.LayerCost]:
    return [layer for layer in layers if layer.multiply_adds]


def share(layers: Sequence[models.LayerCost], kind: str, figure: str) -> float:
    """Percentage of a figure's sum that layers of a kind have."""
    whole = sum(getattr(layer, figure) for layer in layers)
    return 100 * sum(getattr(x, figure) for x in layers if x.name.startswith(kind)) / whole
