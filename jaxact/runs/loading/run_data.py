"""The images of a run: divided, preprocessed, and on the device or ready to be streamed."""

import dataclasses
import functools
from collections.abc import Hashable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxact import data, models
from jaxact.config import Config
from jaxact.data.streaming.images import StreamedImages
from jaxact.errors import ConfigError
from jaxact.inference import latency
from jaxact.inference.batches import images_at_once
from jaxact.runs.loading import choice
from jaxact.runs.loading.evaluation import StreamedBatches
from jaxact.runs.process import devices, modes
from jaxact.runs.shared import DATA
from jaxact.training import data_parallel, health
from jaxact.training.steps import Examples

# Subsets and the validation split are the same for every seed, so that seeds differ in training
# alone.
SPLIT_SEED = 0
# Fields that change nothing about the images: runs that differ in these alone share them.
NOT_OF_IMAGES = frozenset(
    (
        "model", "activation", "activation_sharing", "kernel_init", "bias_init", "precision",
        "dropout", "dropout_rate", "epochs", "batch_size", "learning_rate",
        "learning_rate_schedule", "optimizer", "warmup_epochs", "clip_norm", "ema", "loss",
        "label_smoothing", "l1", "l2", "weight_decay", "early_stopping_epochs",
        "deterministic", "seed", "target_accuracy", "checkpoint_every_epochs",
        "steps_per_dispatch", "latency_samples", "distributed",
    )
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class RunData:
    """The data of runs that differ in activation, seed, rates and epochs alone.

    Attributes:
      train: the training images, on the device; of streamed ones the labels, and the images' shape.
      evaluations: the splits to evaluate, by name ("test", "validation"), in batches on the device,
        or streamed.
      probe: the training images on which activation layers are examined; None: they are not.
      test_images: uint8 `[examples, height, width, channels]`, on the host, for the latency; of
        streamed ones the first.
      test_examples: how many there are.
      num_classes: of the data set.
      augmentation: as `jaxact.training.program.Recipe` has it.
      record: which data they are, as in `data.json`.
      streamed: the training images, where they are streamed.
    """

    train: Examples
    evaluations: dict[str, Any]
    probe: Examples | None
    test_images: np.ndarray
    test_examples: int
    num_classes: int
    augmentation: str
    record: Mapping[str, Any]
    streamed: StreamedImages | None = None


def load(config: Config, may_stream: bool = False) -> RunData:
    """The images of a run, on the device: read and fitted once for all runs that share them.

    Args:
      may_stream: whether images that are too many for the device may be streamed; else all are on
        it.

    Raises:
      ConfigError: they are too few for the configuration, or too large for it; or JAX is told to be
        too strict.
      DataError: they cannot be had.
    """
    modes.refuse_strict()
    is_divided = config.devices > 1 or config.distributed is not None
    if is_divided or not (may_stream and data.is_folder(config.dataset)):
        reason = (
            "the images of a run on several devices, each of which has all of them, cannot be"
            if is_divided
            else f"{config.dataset} is no folder of images, which alone can be"
            if may_stream
            else "this is no run of a command, whose images alone can be"
        )
        choice.refuse_stream(config.loading, reason)
        config = dataclasses.replace(config, loading=choice.DEVICE)
    fields = {k: v for k, v in dataclasses.asdict(config).items() if k not in NOT_OF_IMAGES}
    files = data.stamp(config.dataset), jax.config.read("jax_enable_x64")
    size = models.input_size(config.model)
    images = DATA.get(("images", *fields.items(), size, *files), lambda: _load(config, files))
    if (count := len(images.train.labels)) < config.batch_size:
        raise ConfigError(
            f"config.batch_size={config.batch_size} must be at most the number of training images, "
            f"{count}"
        )
    return images


def _load(config: Config, files: Hashable) -> RunData:
    name, data_dir = config.dataset, config.data_dir
    options = {k: getattr(config, k) for k in ("image_size", "channels_last", "follow_links")}
    dataset = DATA.get(
        ("dataset", name, data_dir, *options.values(), config.loading, files),
        lambda: data.load(
            name, data_dir, **options, resident_bytes=choice.resident_bytes(config.loading)
        ),
    )
    is_streamed = isinstance(dataset.train.images, StreamedImages)
    splits = choose_splits(dataset, config, models.input_size(config.model))
    train = splits.pop("train")
    probe = choose_probe(train, config)
    augmentation = data.augmentation_text(
        data.parse_augmentation(config.augmentation, dataset.augmentation)
    )
    colors = data.color_components(train.images) if data.needs_colors(augmentation) else None
    mesh = devices.mesh(config.devices)
    put = functools.partial(on_device, mesh=mesh)
    # Put on the device once: all splits share a whitening matrix.
    fitted = data_parallel.replicated(
        data.fit_preprocessing(config.preprocessing, train.images), mesh
    )
    examples = put(None if is_streamed else train.images, train.labels, *fitted, colors)
    if is_streamed:
        shape = jax.ShapeDtypeStruct(train.images.shape, jnp.uint8)
        examples = dataclasses.replace(examples, images=shape)
    batches = functools.partial(in_batches, workers=config.loading_workers, mesh=mesh)
    return RunData(
        train=examples,
        evaluations={name: batches(split, *fitted) for name, split in splits.items()},
        probe=None if probe is None else put(probe.images[:], probe.labels, *fitted),
        test_images=splits["test"].images[: latency.IMAGES if is_streamed else None],
        test_examples=len(splits["test"]),
        num_classes=dataset.num_classes,
        augmentation=augmentation,
        record=data.describe(dataset, *_notes(dataset, config)),
        streamed=train.images if is_streamed else None,
    )


def _notes(dataset: data.Dataset, config: Config) -> list[str]:
    """Notes on what the user may have expected otherwise: `configs/cifar.py` has crop and flip."""
    is_own = dataset.fingerprint is not None
    if not is_own or config.augmentation != "default":
        return []
    return [
        "not augmented, as is the default of one's own images (crop and flip: "
        "--config.augmentation=crop_flip)"
    ]


def choose_splits(dataset: data.Dataset, config: Config, input_size: int) -> dict[str, data.Split]:
    """The images to train on, "train", and to evaluate: "test", and "validation" if asked for."""
    splits = {"train": dataset.train, "test": dataset.test}
    if config.eval_split == "validation":
        if dataset.validation is None:
            splits["train"], splits["validation"] = data.hold_out(dataset.train, seed=SPLIT_SEED)
        else:
            splits["validation"] = dataset.validation
    for name in ("train", "test"):
        field = f"{name}_examples"
        splits[name] = data.subset(
            splits[name], getattr(config, field), SPLIT_SEED, f"config.{field}"
        )
    return {
        name: data.Split(data.fit_to_model(split.images, input_size), split.labels)
        for name, split in splits.items()
    }


def choose_probe(train: data.Split, config: Config) -> data.Split | None:
    """The training images on which activation layers are examined: the same for every seed."""
    examples = config.health_examples
    if examples is None:
        examples = health.automatic_examples(len(train))
    if examples > len(train):
        raise ConfigError(
            f"config.health_examples={examples} must be at most the number of training images, "
            f"{len(train)} (0: health is not recorded; null: 1 % of them, at most "
            f"{health.AUTOMATIC_MOST})"
        )
    return data.subset(train, examples, SPLIT_SEED) if examples else None


def on_device(*leaves: Any, mesh: Mesh | None = None) -> Examples:
    """Examples on the default device, or whole on each of a mesh."""
    return Examples(*(data_parallel.replicated(leaf, mesh) for leaf in leaves))


def in_batches(
    split: data.Split, *preprocessing: Any, workers: int | None = None, mesh: Mesh | None = None
) -> Any:
    """Splits into equal batches, the last one filled with blanks labelled -1.

    Args:
      split: in batches of about `images_at_once`.
      workers: that read images that are streamed.
      mesh: of the devices among which each batch is divided: it is a multiple of them.

    Returns:
      `Examples`; of images that are streamed `StreamedBatches`.
    """
    count, shares = len(split.labels), 1 if mesh is None else mesh.size
    batches = -(-count // images_at_once(*split.images.shape[1:3]))
    size = -(-count // (batches * shares)) * shares
    blanks, shape = batches * size - count, (batches, size)
    labels = np.pad(split.labels, (0, blanks), constant_values=-1).reshape(shape)
    if isinstance(split.images, StreamedImages):
        like = on_device(None, None, *preprocessing)
        return StreamedBatches(split.images, labels, like, workers)
    images = np.pad(split.images, ((0, blanks), (0, 0), (0, 0), (0, 0)))
    images = images.reshape(*shape, *images.shape[1:])
    return on_device(images, labels, *preprocessing, mesh=mesh)
