"""Trains networks on one device and on all, and prints how far they are from each other.

`python -m tests.support.programs.two_ways MODEL...`, with several devices: for each network a line
of JSON, the largest difference of any parameter or statistic and of the loss after some steps, and
that of the evaluation: of values around 1. Networks are those of `make_thin`.
"""

import json
import sys
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxact import data, models
from jaxact.runs import dispatch
from jaxact.runs.loading import run_data
from jaxact.training import data_parallel, program
from jaxact.training.state import Totals
from jaxact.training.steps import Keys
from tests.support import networks

BATCH, EXAMPLES, STEPS = 8, 24, 3


def trained(recipe: program.Recipe, shape: tuple[int, int, int]) -> tuple[Any, Any]:
    """The state after some steps, and the evaluation of it."""
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (EXAMPLES, *shape), np.uint8)
    labels = draw.integers(0, 10, EXAMPLES, np.int32)
    fitted = np.full(shape[-1:], 0.5, np.float32), np.full(shape[-1:], 0.25, np.float32)
    examples = run_data.on_device(images, labels, *fitted, mesh=recipe.mesh)
    split = data.Split(images[: EXAMPLES - 1], labels[: EXAMPLES - 1])
    batches = run_data.in_batches(split, *fitted, mesh=recipe.mesh)
    keys, dtype = Keys.from_seed(0), models.wide_dtype(recipe.model.precision)
    made = program.assemble(recipe, program.build(recipe).optimizer)
    image = jnp.zeros((1, *shape), jnp.float32)
    state = made.init.compile(keys.init, image)(keys.init, image)
    drawing = keys.order, jnp.int32(0), examples.labels
    order = made.order.compile(*drawing)(*drawing)
    totals = Totals.zero(dtype=dtype)
    arguments = dispatch.argument(STEPS), state, totals, order, examples, keys
    state, totals = made.train.compile(*arguments)(*arguments)
    evaluation = made.evaluate.compile(state, batches)(state, batches)
    return jax.device_get((state.variables, totals.means())), evaluation.means()


def compare(name: str, precision: str) -> dict[str, Any]:
    """The differences of a network's training on one device and on all."""
    model = models.create_model(name, "prelu", precision=precision)
    size = max(model.input_size, 8)
    shape = size, size, networks.SHAPES[name][2]
    recipe = program.Recipe(model, "crop_flip", BATCH, 0.01, "constant", 0.0, 0, optimizer="sgd")
    mesh = data_parallel.mesh_of(jax.devices())
    one, many = (trained(one, shape) for one in (recipe, recipe._replace(mesh=mesh)))

    def difference(first: Any, second: Any) -> float:
        return float(np.abs(np.asarray(first) - np.asarray(second)).max())

    pairs = jax.tree.map(difference, *(state for state, _ in (one, many)))
    return {
        "model": name,
        "trained": max(jax.tree.leaves(pairs)),
        "evaluated": max(map(difference, one[1], many[1])),
    }


if __name__ == "__main__":
    networks.make_thin(SimpleNamespace(setattr=setattr))
    has_64_bits = jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]
    for name in sys.argv[1:]:
        print(json.dumps(compare(name, "float64" if has_64_bits else "float32")), flush=True)
