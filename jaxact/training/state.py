"""The state of a run, and the totals of the epoch at hand: all that training changes."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.typing import DTypeLike

from jaxact.models.protocol import Model


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """Everything a step needs but its data.

    Attributes:
      step: optimizer steps done, int32.
      params: the model's trainable parameters.
      collections: the model's other variables, by collection, such as BatchNorm's running
        statistics, "batch_stats".
      opt_state: the optimizer's.
      average: of the variables over the steps so far, by which the network is evaluated; None
        without.
    """

    step: Array
    params: Any
    collections: dict[str, Any]
    opt_state: Any
    average: dict[str, Any] | None = None

    @property
    def variables(self) -> dict[str, Any]:
        """The variables that are trained, as the model takes them."""
        return {"params": self.params, **self.collections}

    @property
    def evaluated(self) -> dict[str, Any]:
        """The variables that are evaluated and kept: the average of those trained, if there is."""
        return self.variables if self.average is None else self.average

    def evaluating(self, variables: Mapping[str, Any]) -> "TrainState":
        """The state with others in the place of the evaluated variables."""
        if self.average is not None:
            return dataclasses.replace(self, average=dict(variables))
        collections = {name: variables[name] for name in self.collections}
        return dataclasses.replace(self, params=variables["params"], collections=collections)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Totals:
    """Sums over examples, of which loss and accuracy are the means.

    Attributes:
      loss: summed, in the dtype of the loss.
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
    def zero(shape: tuple[int, ...] = (), dtype: DTypeLike = jnp.float32) -> "Totals":
        """The sums over nothing; `shape` is `(lanes,)` for those of several runs."""
        # Four arrays of their own: they are donated, and a buffer can be donated once only.
        return Totals(
            loss=jnp.zeros(shape, dtype),
            correct=jnp.zeros(shape, jnp.int32),
            examples=jnp.zeros(shape, jnp.int32),
            nonfinite_step=jnp.full(shape, -1, jnp.int32),
        )

    def __add__(self, later: "Totals") -> "Totals":
        """The sums over both."""
        first, second = self.nonfinite_step, later.nonfinite_step
        return Totals(
            loss=self.loss + later.loss,
            correct=self.correct + later.correct,
            examples=self.examples + later.examples,
            nonfinite_step=jnp.where(first < 0, second, first),
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
    model: Model,
    optimizer: optax.GradientTransformation,
    key: Array,
    images: Array,
    has_average: bool = False,
) -> TrainState:
    """The state before the first step.

    Args:
      key: draws the initial parameters.
      images: float `[batch, height, width, channels]`, for their shape.
      has_average: whether training keeps an average of the variables.
    """
    collections = model.initial(key, images)
    average = jax.tree.map(jnp.copy, collections) if has_average else None
    params = collections.pop("params")
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        collections=collections,
        opt_state=optimizer.init(params),
        average=average,
    )
