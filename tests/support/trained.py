"""Runs' folders with a network that nobody has trained: as `fit` leaves them, in no time."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxact import activations, data
from jaxact.runs import setup
from jaxact.runs.records import record_files, workdirs
from jaxact.runs.records.checkpoint import Checkpoints
from jaxact.runs.records.snapshot import Snapshot
from jaxact.training.optimizer import create_optimizer
from jaxact.training.state import Totals
from tests.support.tiny import TINY
from tests.support.variables import drawn, state_of

CLASSES = ("ant", "bee", "cat")
FITTED = data.Preprocessing(jnp.array([0.4]), jnp.array([0.3]))


def run(
    folder: Path,
    image_shape: tuple[int, int, int] = (8, 8, 1),
    classes: tuple[str, ...] = CLASSES,
    preprocessing: data.Preprocessing = FITTED,
    has_best: bool = False,
    step: int = 8,
    **fields: Any,
) -> Path:
    """Writes a run of `TINY` with these fields, and gives its folder.

    Args:
      has_best: whether an earlier epoch, whose parameters are larger by 1, was the best.
    """
    config = dataclasses.replace(TINY, **fields)
    activation = activations.get(config.activation)
    model, _, taken = setup.create_model(config, activation, len(classes), image_shape)
    height, width, channels = image_shape
    size = max(height, model.input_size), max(width, model.input_size)
    variables = jax.tree.map(jnp.asarray, drawn(model, *size, channels))
    optimizer = create_optimizer(1e-3, "constant", 0.0, 10)
    state = state_of(variables, optimizer.init, step)
    best = jax.tree.map(lambda leaf: leaf + 1, variables) if has_best else None
    rows = [{"epoch": 1, "validation_loss": 0.1}, {"epoch": 2, "validation_loss": 0.2}]
    folder.mkdir(parents=True, exist_ok=True)
    with Checkpoints(folder / record_files.CHECKPOINTS) as checkpoints:
        checkpoints.save(Snapshot(state, Totals.zero(), {"rows": rows}, best, preprocessing))
    record = dataclasses.asdict(config) | workdirs.function_record(config.activation)
    record |= {} if taken is None else {workdirs.MODEL: taken}
    record_files.write_json(folder / record_files.CONFIG, record)
    described = {"image_shape": image_shape, "class_names": classes}
    record_files.write_json(folder / record_files.DATA, described)
    return folder


def images(count: int, shape: tuple[int, int, int] = (8, 8, 1)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)
