"""python -m benchmarks.data_parallel [--model=small_cnn] [--devices=4] [--steps=1,10,100] ...

How far training on several devices is from that on one, which differs from it in the order of sums
alone: the largest difference of any parameter after some steps, by optimizer and precision, and the
shares of the parameters that differ by more than a thousandth of the learning rate. Needs
JAX_ENABLE_X64=1 and the devices, such as XLA_FLAGS=--xla_force_host_platform_device_count=4.
"""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks import results
from jaxact import models
from jaxact.command import Command, Option, Options
from jaxact.compilation.clock import Clock
from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.runs import setup
from jaxact.runs.dispatch import DispatchLength
from jaxact.runs.process import devices, environment
from jaxact.runs.stages import stages

OPTIMIZERS = {"adam": 1e-3, "sgd": 0.1}  # and the learning rate of each
PRECISIONS = ("float32", "float64")
NOTABLE = 1e-3  # of the learning rate: a difference that rounding alone does not explain


def parameters_after(config: Config, steps: Sequence[int]) -> dict[int, np.ndarray]:
    """All parameters of a run in a row, after so many steps."""
    prepared, clock, found = setup.prepare(config), Clock(), {}
    one_at_a_time = DispatchLength(1, 1)
    state = setup.initial_state(prepared, clock)
    for stage in stages(prepared, state, clock, one_at_a_time):
        if stage.step in steps:
            leaves = jax.tree.leaves(jax.device_get(stage.state.params))
            found[stage.step] = np.concatenate([leaf.ravel() for leaf in leaves])
        if stage.step == max(steps):
            break
    return found


def rows(config: Config, count: int, steps: Sequence[int]) -> list[dict[str, Any]]:
    """A row for each optimizer, precision and number of steps."""
    table = []
    for optimizer, rate in OPTIMIZERS.items():
        for precision in PRECISIONS:
            one = dataclasses.replace(
                config, optimizer=optimizer, learning_rate=rate, precision=precision
            )
            many = dataclasses.replace(one, devices=count)
            apart = [parameters_after(way, steps) for way in (one, many)]
            for step in steps:
                difference = np.abs(apart[0][step] - apart[1][step])
                table.append(
                    {
                        "optimizer": optimizer,
                        "precision": precision,
                        "steps": step,
                        "largest difference": float(difference.max()),
                        "in learning rates": float(difference.max() / rate),
                        "% of parameters notably apart": float(
                            100 * (difference > NOTABLE * rate).mean()
                        ),
                    }
                )
    return table


def data_parallel(options: Options) -> None:
    """Measures as the options say, writes the JSON and prints the table."""
    try:
        steps = sorted({int(text) for text in options.steps.split(",")})
        if steps[0] < 1:
            raise ValueError("a step is at least 1")
    except ValueError as error:
        raise ConfigError(
            f"--steps={options.steps} must be whole numbers from 1 ({error})"
        ) from error
    models.check_precision("float64")
    devices.take(options.devices)
    config = Config(
        model=options.model,
        activation=options.activation,
        epochs=max(steps),  # at least a step each
        latency_samples=0,
        health_examples=0,
    )
    if config.batch_size % options.devices:
        raise ConfigError(f"--devices={options.devices} must divide the batch, {config.batch_size}")
    known = environment.describe(count=options.devices)
    words = ("data_parallel", options.model, str(options.devices), known["platform"])
    results.publish(
        Path(options.out or results.default_path(*words)),
        "data_parallel",
        f"{options.devices} devices and one: {options.model} on {config.dataset}",
        {"model": options.model, "activation": options.activation, "steps": steps},
        {"jaxact": known},
        rows(config, options.devices, steps),
    )


COMMAND = Command(
    "python -m benchmarks.data_parallel",
    __doc__ or "",
    {
        "model": Option("small_cnn", "the network", models.names()),
        "activation": Option("relu", "spec of the activation function"),
        "devices": Option(4, "among which batches are divided", least=2),
        "steps": Option("1,10,100", "after which parameters are compared, by commas"),
        "out": Option(None, "JSON file; one in benchmarks/results, if not given", Path),
    },
)

if __name__ == "__main__":
    sys.exit(COMMAND.run(data_parallel))
