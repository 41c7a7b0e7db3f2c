"""The jaxact side of a benchmark, in a process of its own; see `benchmarks.contenders.protocol`."""

if __name__ == "__main__":  # as jaxact.main does
    from jaxact.runs.process import huge_pages

    huge_pages.restart()

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contenders import step_profile, synthetic
from benchmarks.contenders.protocol import Job, Prepared, seconds_a_unit, serve
from jaxact import activations, models
from jaxact.compilation.clock import Clock
from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.inference import latency
from jaxact.runs import dispatch, setup
from jaxact.runs.loading import run_data
from jaxact.runs.process import devices, environment
from jaxact.training import program
from jaxact.training.program import Program
from jaxact.training.state import Totals, TrainState
from jaxact.training.steps import Keys

LATENCY_IMAGES = 32


def network(job: Job) -> tuple[Config, Program]:
    """Configuration and compiled functions, as a run of `jaxact.main` has them."""
    config = Config(
        model=job.model,
        activation=job.activation,
        batch_size=job.batch_size,
        precision=job.precision,
        augmentation="none",
        steps_per_dispatch=job.steps_per_dispatch,
    )
    activation = activations.get(config.activation)
    examined = setup.create_model(config, activation, synthetic.CLASSES, image_shape(job))
    recipe = program.Recipe(
        model=examined.model,
        augmentation=config.augmentation,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        learning_rate_schedule=config.learning_rate_schedule,
        weight_decay=config.weight_decay,
        total_steps=0,
    )
    return config, program.build(recipe)


def image_shape(job: Job) -> synthetic.Shape:
    """The height, width and channels of a job's images."""
    if job.image_shape is None:
        return models.MODELS[job.model].image_shape
    height, width, channels = job.image_shape
    return height, width, channels


def initial_state(compiled: Program, clock: Clock, keys: Keys, job: Job) -> TrainState:
    image = jnp.zeros((1, *image_shape(job)), jnp.float32)
    return compiled.init.prepare(clock, keys.init, image)(keys.init, image)


def details(state: TrainState, clock: Clock) -> dict[str, Any]:
    return {
        "environment": environment.describe(),
        "parameters": models.count_parameters(state.params),
        "compile_seconds": clock.compile_seconds,
    }


class Training(NamedTuple):
    """A network in training.

    Attributes:
      details: what there is to know about it.
      run: trains for a dispatch, waits for it, and returns how many steps it had.
      compiled: its functions.
    """

    details: dict[str, Any]
    run: Callable[[], int]
    compiled: Program


def training(job: Job) -> Training:
    """Training as `jaxact.runs.stages` does it: dispatches of many steps, each waited for."""
    config, compiled = network(job)
    return in_training(job, config, compiled, Keys.from_seed(config.seed))


def in_training(job: Job, config: Config, compiled: Program, keys: Keys) -> Training:
    """The training of a program of one run, or of several at once, with its keys."""
    clock, shape = Clock(), image_shape(job)
    images, labels = synthetic.examples(shape, job.examples)
    examples = run_data.on_device(images, labels, *synthetic.statistics(shape))
    length = dispatch.choose(config.steps_per_dispatch, job.examples // job.batch_size)
    state, totals = initial_state(compiled, clock, keys, job), Totals.zero(keys.init.shape)
    order_arguments = (keys.order, jnp.int32(0), examples.labels)
    order = compiled.order.prepare(clock, *order_arguments)(*order_arguments)

    def run() -> int:
        nonlocal state, totals
        count = length.steps
        arguments = (dispatch.argument(count), state, totals, order, examples, keys)
        train, begin = compiled.train.prepare(clock, *arguments), time.perf_counter()
        state, totals = jax.block_until_ready(train(*arguments))
        length.after(count, time.perf_counter() - begin)
        return count

    while run() < length.steps:  # until it has found its length
        pass
    described = details(state, clock) | {"steps_per_dispatch": length.steps}
    return Training(described, run, compiled)


def prepare_train_step(job: Job) -> Prepared:
    """The time of a step."""
    trained = training(job)

    def measure() -> dict[str, float]:
        seconds = seconds_a_unit(trained.run, job.seconds)
        return {"seconds": seconds, "peak_memory_bytes": environment.peak_memory_bytes()}

    return Prepared(trained.details, measure)


def prepare_step_profile(job: Job) -> Prepared:
    """The time of a step by kind of layer; raises ConfigError where it is not a CPU's."""
    if jax.default_backend() != "cpu":
        raise ConfigError(
            "the profile of a step is for CPUs: set JAX_PLATFORMS=cpu, or use jax.profiler.trace"
        )
    trained = training(job)
    program = trained.compiled.train.text()
    return Prepared(
        trained.details, lambda: step_profile.measure(trained.run, job.seconds, program)
    )


def prepare_latency(job: Job) -> Prepared:
    """The latency of one sample, as every run's summary has it."""
    config, compiled = network(job)
    clock = Clock()
    state = initial_state(compiled, clock, Keys.from_seed(config.seed), job)
    shape = image_shape(job)
    images, _ = synthetic.examples(shape, LATENCY_IMAGES)
    variables = compiled.fold(state, images[:1], *synthetic.statistics(shape))

    def measure() -> dict[str, float]:
        figures = latency.measure(compiled.classifier, variables, np.asarray(images), job.samples)
        return {
            "seconds": figures["p50"] / 1e3,
            "p99_seconds": figures["p99"] / 1e3,
            "host_seconds": figures["host_p50"] / 1e3,
            "floor_seconds": figures["dispatch_floor_p50"] / 1e3,
        }

    return Prepared(details(state, clock), measure)


TASKS = {
    "train_step": prepare_train_step,
    "step_profile": prepare_step_profile,
    "latency": prepare_latency,
}


def prepare(job: Job) -> Prepared:
    """A job of a task in `TASKS`, made ready; raises ConfigError where JAX cannot start."""
    devices.start()
    return TASKS[job.task](job)


if __name__ == "__main__":
    devices.take_one()
    serve(prepare)
