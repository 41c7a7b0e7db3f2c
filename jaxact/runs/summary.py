"""The one record that a run ends in."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxact import activations, models
from jaxact.activations import ChannelActivation
from jaxact.compilation.clock import Clock
from jaxact.inference import folding, latency
from jaxact.runs.process import environment
from jaxact.runs.records.snapshot import Snapshot
from jaxact.runs.setup import Setup, create_model
from jaxact.training import data_parallel, early_stopping

CHECKED_IMAGES = 32
# Of logits, by the largest one.
TOLERANCES = {"float32": 1e-3, "float64": 1e-12, "tf32": 2e-2, "bfloat16": 1e-1}


def network_to_time(setup: Setup, snapshot: Snapshot) -> tuple[Any, int]:
    """The variables that are timed: BatchNorm folded where real images then have the same logits.

    Returns:
      The variables, and how many BatchNorm layers were folded.
    """
    images = setup.data.test_images[:CHECKED_IMAGES]
    # Latency is one device's, however many have trained.
    chosen, fitted = data_parallel.local((snapshot.chosen, setup.train.preprocessing))
    folded = setup.program.fold(chosen, images[:1], *fitted)
    layers = len(folded[0].get(folding.FOLDED, {}))
    if not layers:
        return folded, 0
    own = chosen.evaluated, *fitted
    # Of one image: so the classifier is compiled anyway.
    classify = setup.program.classifier.logits
    expected, actual = (
        np.stack([classify(variables, image[None])[0] for image in images])
        for variables in (own, folded)
    )
    tolerance = TOLERANCES[setup.config.precision] * float(np.abs(expected).max())
    return (folded, layers) if np.abs(actual - expected).max() <= tolerance else (own, 0)


def parameters_with_relu(setup: Setup, snapshot: Snapshot) -> int:
    """The parameters that the network has with ReLU, which tells what the activation adds."""
    params = snapshot.state.params
    if setup.activation.learns or isinstance(setup.activation, ChannelActivation):
        shape = setup.train.images.shape[1:]
        relu = activations.get("relu")
        model = create_model(setup.config, relu, setup.model.num_classes, shape).model
        image = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
        params = jax.eval_shape(model.initial, jax.random.key(0), image)["params"]
    return models.count_parameters(params)


def summarize(setup: Setup, clock: Clock, snapshot: Snapshot) -> dict[str, Any]:
    """The run in one record, as in `summary.json`; the latency is measured here."""
    config, rows = setup.config, snapshot.progress["rows"]
    score = f"{config.eval_split}_accuracy"
    reached = next((row for row in rows if row[score] >= config.target_accuracy), None)
    examples = rows[-1]["step"] * config.batch_size
    is_best_kept = config.early_stopping_epochs is not None
    best_epoch = early_stopping.best_epoch(rows) if is_best_kept else None
    # Its parameters are the run's result.
    chosen = rows[-1] if best_epoch is None else rows[best_epoch - 1]

    latency_ms = None
    if config.latency_samples:
        variables, layers = network_to_time(setup, snapshot)
        latency_ms = latency.measure(
            setup.program.classifier, variables, setup.data.test_images, config.latency_samples
        ) | {"folded_batch_norms": layers}
    return {
        "dataset": config.dataset,
        "model": config.model,
        "activation": setup.activation.spec,
        "seed": config.seed,
        "parameters": models.count_parameters(snapshot.state.params),
        "parameters_with_relu": parameters_with_relu(setup, snapshot),
        "epochs": config.epochs,
        "epochs_trained": rows[-1]["epoch"],
        "stopped_early": rows[-1]["epoch"] < config.epochs,
        "best_epoch": best_epoch,
        "eval_split": config.eval_split,
        "test_examples": setup.data.test_examples,
        "target_accuracy": config.target_accuracy,
        "reached_target": reached is not None,
        "epoch_to_target": reached and reached["epoch"],
        "seconds_to_target": reached and reached["train_seconds"],
        **clock.readings(),
        "test_loss": chosen["test_loss"],
        "test_accuracy": chosen["test_accuracy"],
        "error_percent": 100 * (1 - chosen["test_accuracy"]),
        "images_per_second": examples / clock.train_seconds,
        "peak_memory_bytes": environment.peak_memory_bytes(),
        "train_memory_bytes": setup.program.train.memory_bytes(setup.fed),
        "latency_ms": latency_ms,
    }
