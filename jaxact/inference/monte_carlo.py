"""Monte Carlo dropout: dropout stays on, and how much predictions differ says how sure they are."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
from jax import Array, lax

from jaxact.models.protocol import Model


class Prediction(NamedTuple):
    """A network's predictions over many dropout masks.

    Attributes:
      mean: of the class probabilities, `[batch, classes]`.
      spread: their standard deviation over the masks, `[batch, classes]`.
    """

    mean: Array
    spread: Array


def predict(
    model: Model, variables: Mapping[str, Any], images: Array, key: Array, samples: int
) -> Prediction:
    """Mean and spread of softmax over dropout masks; pure, may be jitted with `samples` static.

    The rest of the network is as in evaluation (BatchNorm's running statistics). Every image has
    masks of its own. Without dropout the spread is 0 and the mean what one pass gives.

    Args:
      model: as trained.
      variables: of the network.
      images: normalised, float `[batch, height, width, channels]`.
      key: draws the masks.
      samples: how many masks, from 1.

    Source: Gal and Ghahramani 2016 (arXiv:1506.02142), section 4.
    """
    return moments(
        lambda key: jax.nn.softmax(model.predict_dropping(variables, images, key)),
        key,
        samples,
    )


def moments(draw: Callable[[Array], Array], key: Array, samples: int) -> Prediction:
    """Mean and standard deviation of what `draw` gives for `samples` keys, one after the other."""
    draws = lax.map(draw, jax.random.split(key, samples))
    # Of differences to the first: draws that are equal then have a spread of exactly 0.
    shifted = draws - draws[0]
    return Prediction(mean=draws[0] + shifted.mean(0), spread=shifted.std(0))
