"""Trains a network on one device and on all, and prints how far they are from each other.

`python -m tests.support.programs.two_ways`, with several devices: a line of JSON, the largest
difference of any parameter or statistic and of the loss after some steps, and that of the
evaluation: of values around 1.
"""

import json
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxact import activations, data, models
from jaxact.models.convolution.pooling import OverlappingMaxPool
from jaxact.models.layers.common import flatten
from jaxact.models.layers.layer_scale import LayerScale
from jaxact.models.layers.normalization import LocalResponseNorm
from jaxact.runs import dispatch
from jaxact.runs.loading import run_data
from jaxact.training import data_parallel, program
from jaxact.training.state import Totals
from jaxact.training.steps import Keys

BATCH, EXAMPLES, STEPS = 8, 24, 3
SHAPE = (16, 16, 3)


class EveryLayer(models.ConvNet):
    """A thin layer of each kind that the networks have."""

    input_size: ClassVar[int] = 16
    normalizes: ClassVar[bool] = True

    @nn.compact
    def __call__(self, images: jax.Array, *, train: bool) -> jax.Array:
        x = self.activate(self.conv_and_pool(images, 4, 3, "VALID"))
        x = OverlappingMaxPool()(LocalResponseNorm()(x))
        x = self.activate(self.batch_norm(self.conv(x, 6, 3, 1, stride=2), train))
        y = self.layer_norm(self.conv(x, 6, 3, 1, groups=6))
        x = x + LayerScale()(self.activate(self.dense(y, 6)))
        return self.logits(flatten(self.drop(x, 0.5, "channels", train)))


def trained(recipe: program.Recipe) -> tuple[Any, Any]:
    """The state after some steps, and the evaluation of it."""
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (EXAMPLES, *SHAPE), np.uint8)
    labels = draw.integers(0, 10, EXAMPLES, np.int32)
    fitted = np.full(SHAPE[-1:], 0.5, np.float32), np.full(SHAPE[-1:], 0.25, np.float32)
    examples = run_data.on_device(images, labels, *fitted, mesh=recipe.mesh)
    split = data.Split(images[: EXAMPLES - 1], labels[: EXAMPLES - 1])
    batches = run_data.in_batches(split, *fitted, mesh=recipe.mesh)
    keys, dtype = Keys.from_seed(0), models.wide_dtype(recipe.model.precision)
    made = program.assemble(recipe, program.build(recipe).optimizer)
    image = jnp.zeros((1, *SHAPE), jnp.float32)
    state = made.init.compile(keys.init, image)(keys.init, image)
    drawing = keys.order, jnp.int32(0), examples.labels
    order = made.order.compile(*drawing)(*drawing)
    totals = Totals.zero(dtype=dtype)
    arguments = dispatch.argument(STEPS), state, totals, order, examples, keys
    state, totals = made.train.compile(*arguments)(*arguments)
    evaluation = made.evaluate.compile(state, batches)(state, batches)
    return jax.device_get((state.variables, totals.means())), evaluation.means()


def differences(precision: str) -> dict[str, float]:
    """The differences of training on one device and on all."""
    model = EveryLayer(activations.get("prelu"), precision=precision)
    recipe = program.Recipe(model, "crop_flip", BATCH, 0.01, "constant", 0.0, 0, optimizer="sgd")
    mesh = data_parallel.mesh_of(jax.devices())
    one, many = (trained(one) for one in (recipe, recipe._replace(mesh=mesh)))

    def difference(first: Any, second: Any) -> float:
        return float(np.abs(np.asarray(first) - np.asarray(second)).max())

    pairs = jax.tree.map(difference, *(state for state, _ in (one, many)))
    return {
        "trained": max(jax.tree.leaves(pairs)),
        "evaluated": max(map(difference, one[1], many[1])),
    }


if __name__ == "__main__":
    has_64_bits = jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]
    print(json.dumps(differences("float64" if has_64_bits else "float32")))
