"""The same module trained without jaxact, in a process of its own: a plain jitted step.

As a newcomer to Flax writes it: a step a call, the module as it is, XLA's own convolutions and
pooling, default options. Of jaxact it takes the module's name apart, and nothing that computes.
"""

import functools
import inspect
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jax import Array

from benchmarks.contenders import plain_networks, synthetic
from benchmarks.contenders.counterparts import jax_nn_spec
from benchmarks.contenders.jaxact_worker import image_shape
from benchmarks.contenders.protocol import Job, Prepared, seconds_a_unit, serve
from jaxact import activations, models
from jaxact.errors import ConfigError
from jaxact.models.own import factories
from jaxact.models.own.modules import modes_of
from jaxact.runs.process import devices, environment

# Parameters, other variables, images and a key to the logits and the other variables after it.
Forward = Callable[[Any, Any, Array, Array], tuple[Array, Any]]
LEARNING_RATE = 1e-3


def function_of(spec: str) -> Callable[[Array], Array]:
    """jax.nn's version of an activation, where there is one; else jaxact's.

    Raises:
      ConfigError: it has parameters to learn or sees channels: a plain module has no place for it.
    """
    activation = activations.get(spec)
    if activation.learns or isinstance(activation, activations.ChannelActivation):
        raise ConfigError(
            f"{spec} has parameters or sees channels, for which a plain module has no place; "
            "choose another --activation, such as relu"
        )
    theirs = jax_nn_spec(activation)
    return activation if theirs is None else activations.get(theirs)


def factory_of(model: str) -> factories.Factory:
    """The maker of the user's own module, or of the plain form of one of jaxact's networks.

    Raises:
      ConfigError: there is no plain form of it.
    """
    if models.is_own(model):
        return factories.get(model)
    if model not in plain_networks.PLAIN:
        raise ConfigError(
            f"{model} has no plain form; those that have one: {', '.join(plain_networks.PLAIN)}"
        )
    name = plain_networks.PLAIN[model].__name__
    return factories.get(f"{plain_networks.__name__}:{name}")


def linen(module: nn.Module, key: Array, images: Array) -> tuple[Any, Any, Forward]:
    """Parameters and other variables of a Linen module, and its pass in training."""
    takes = inspect.signature(type(module).__call__).parameters
    others = dict(module.init(key, images, **modes_of(takes, False)))
    params = others.pop("params")

    def forward(params: Any, others: Any, images: Array, key: Array) -> tuple[Array, Any]:
        return module.apply(  # pyright: ignore[reportReturnType]
            {"params": params, **others},
            images,
            rngs={"dropout": key},
            mutable=list(others),
            **modes_of(takes, True),
        )

    return params, others, forward


def nnx_module(module: Any) -> tuple[Any, Any, Forward]:
    """The same of an NNX module, which draws from its own state."""
    from flax import nnx

    module.train()
    structure, params, others = nnx.split(module, nnx.Param, ...)

    def forward(params: Any, others: Any, images: Array, key: Array) -> tuple[Array, Any]:
        del key
        module = nnx.merge(structure, params, others, copy=True)
        logits = module(images)
        return logits, nnx.split(module, nnx.Param, ...)[2]

    return params, others, forward


def initial(job: Job, images: Array) -> tuple[Any, Any, Forward]:
    """Parameters, other variables and pass of a job's module."""
    factory = factory_of(job.model)
    given: dict[str, Any] = {
        "activation": function_of(job.activation),
        "num_classes": synthetic.CLASSES,
    }
    if job.precision == "bfloat16":
        if not factory.takes("dtype"):
            raise ConfigError(f"{factory.spec} takes no `dtype`, by which it would compute in it")
        given["dtype"] = jnp.bfloat16
    if not factory.takes("rngs"):
        return linen(factory(**given), jax.random.key(0), images)
    from flax import nnx

    return nnx_module(factory(rngs=nnx.Rngs(0), **given))


def batches(examples: int, batch_size: int) -> Iterator[np.ndarray]:
    """The places of each batch's images, epoch after epoch."""
    order = np.random.default_rng(0).permutation(examples).astype(np.int32)
    ends = range(batch_size, examples + 1, batch_size)
    return itertools.cycle([order[end - batch_size : end] for end in ends])


def prepare_train_step(job: Job) -> Prepared:
    """Steps of Adam on the mean cross-entropy, data on the device, waited for at the end."""
    shape = image_shape(job)
    images, labels = map(jax.device_put, synthetic.examples(shape, job.examples))
    mean, std = synthetic.statistics(shape)
    params, others, forward = initial(job, jnp.zeros((1, *shape)))
    optimizer = optax.adam(LEARNING_RATE)
    parameters = models.count_parameters(params)
    state = params, others, optimizer.init(params), jax.random.key(0)

    @functools.partial(jax.jit, donate_argnums=0)
    def step(state: Any, images: Array, labels: Array, chosen: Array) -> Any:
        params, others, opt_state, key = state
        key, dropout_key = jax.random.split(key)
        x = (images[chosen].astype(jnp.float32) / 255 - mean) / std

        def loss(params: Any) -> tuple[Array, Any]:
            logits, after = forward(params, others, x, dropout_key)
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels[chosen])
            return losses.mean(), after

        (_, others), gradients = jax.value_and_grad(loss, has_aux=True)(params)
        changes, opt_state = optimizer.update(gradients, opt_state, params)
        return optax.apply_updates(params, changes), others, opt_state, key

    places, steps = batches(job.examples, job.batch_size), 1

    def run() -> int:
        nonlocal state
        for chosen in itertools.islice(places, steps):
            state = step(state, images, labels, chosen)
        jax.block_until_ready(state)
        return steps

    begin = time.perf_counter()
    run()
    compile_seconds = time.perf_counter() - begin
    steps = max(1, int(job.seconds / seconds_a_unit(run, job.seconds)))

    def measure() -> dict[str, float]:
        seconds = seconds_a_unit(run, job.seconds)
        return {"seconds": seconds, "peak_memory_bytes": environment.peak_memory_bytes()}

    return Prepared(
        {
            "environment": environment.describe(),
            "parameters": parameters,
            "compile_seconds": compile_seconds,
        },
        measure,
    )


def prepare(job: Job) -> Prepared:
    """A training step, made ready; raises ConfigError where JAX cannot start."""
    devices.start()
    # As jaxact computes: full float32 where that is asked for, on an accelerator too.
    precision = "highest" if job.precision == "float32" else "default"
    jax.config.update("jax_default_matmul_precision", precision)
    return prepare_train_step(job)


if __name__ == "__main__":
    devices.take_one()
    serve(prepare)
