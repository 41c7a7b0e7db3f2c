"""The state of a run, and the totals of the epoch at hand: all that training changes."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from jax import Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """Everything a step needs but its data.

    Attributes:
      step: optimizer steps done, int32.
      params: the model's trainable parameters.
      batch_stats: BatchNorm's running statistics; `{}` for a model without.
      opt_state: the optimizer's.
    """

    step: Array
    params: Any
    batch_stats: Any
    opt_state: Any

    @property
    def variables(self) -> dict[str, Any]:
        """The variables that `model.apply` takes."""
        return {"params": self.params, "batch_stats": self.batch_stats}


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Totals:
    """Sums over examples, of which loss and accuracy are the means.

    Attributes:
      loss: float32, summed.
      correct: int32.
      examples: int32.
      nonfinite_step: int32, the first step whose loss was NaN or infinite, or is about to be, as
        the parameters already are; -1 if none was.
    """

    loss: Array
    correct: Array
    examples: Array
    nonfinite_step: Array

    @staticmethod
    def zero() -> "Totals":
        # Four arrays of their own: they are donated, and a buffer can be donated once only.
        return Totals(
            loss=jnp.zeros((), jnp.float32),
            correct=jnp.zeros((), jnp.int32),
            examples=jnp.zeros((), jnp.int32),
            nonfinite_step=jnp.full((), -1, jnp.int32),
        )

    def means(self) -> tuple[float, float]:
        """Loss and accuracy per example, on the host."""
        examples = int(self.examples)
        return float(self.loss) / examples, int(self.correct) / examples


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Evaluation:
    """An evaluation of a split.

    Attributes:
      totals: over its examples.
      classes: the most probable class of each image, int32 `[batches, batch]`, blanks included.
    """

    totals: Totals
    classes: Array

    def means(self) -> tuple[float, float]:
        """Loss and accuracy per example, on the host."""
        return self.totals.means()


def create_state(
    model: nn.Module, optimizer: optax.GradientTransformation, key: Array, images: Array
) -> TrainState:
    """The state before the first step.

    Args:
      key: draws the initial parameters.
      images: float `[batch, height, width, channels]`, for their shape.
    """
    variables = model.init(key, images, train=False)
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=variables["params"],
        batch_stats=variables.get("batch_stats", {}),
        opt_state=optimizer.init(variables["params"]),
    )
