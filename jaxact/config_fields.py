"""The fields of a run's configuration: the default and the meaning of each.

They are data: `--help` prints them.
"""

import dataclasses
import functools
from typing import Any, ClassVar

from jaxact import data


def _field(group: str, default: Any, meaning: str) -> Any:
    """A field of `Config`, told by its group and meaning; a function makes the default anew."""
    told = {"group": group, "meaning": meaning}
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=told)
    return dataclasses.field(default=default, metadata=told)


_data = functools.partial(_field, "Data")
_model = functools.partial(_field, "Model")
_optimisation = functools.partial(_field, "Optimisation")
_measurement = functools.partial(_field, "Measurement")
_machine = functools.partial(_field, "Machine")


@dataclasses.dataclass(frozen=True)
class Config:
    """Every field of a run and its default: the small CNN with ReLU on the embedded digits."""

    # Fields that say where a run is made, not which: it may go on with others.
    OF_THE_MACHINE: ClassVar[tuple[str, ...]] = (
        "data_dir",
        "loading",
        "loading_workers",
        "devices",
        "distributed",
    )

    dataset: str = _data("digits", "a published data set by its name, or the path of your images")
    data_dir: str = _data(
        lambda: str(data.default_data_dir()),
        "folder of published data sets; $JAXACT_DATA, else ~/.cache/jaxact/data",
    )
    train_examples: int | None = _data(
        None, "training images: the first so many after a shuffle that all seeds share; null: all"
    )
    test_examples: int | None = _data(None, "test images, chosen likewise; null: all")
    image_size: int | None = _data(
        None,
        "height and width in pixels to which images are resized; those of a folder are scaled by "
        "their shorter side and cut around the middle; null: as they are",
    )
    channels_last: bool | None = _data(
        None,
        "where an .npz file's images have their channels. null: in the last axis, at most 4; True: "
        "there, any number; False: in axis 1, as PyTorch has them",
    )
    follow_links: bool = _data(
        False,
        "whether links may lead out of a folder of images; those that stay in it are followed",
    )
    loading: str = _data(
        "auto",
        "where images are while a run trains. device: all of them on it; stream: a folder of "
        "images, or of a data set that TFDS prepared, is read as it is needed; auto: streamed if "
        "they take more than a quarter of the memory that is free",
    )
    loading_workers: int | None = _data(
        None,
        "processes that read streamed images; 0: threads of the run's own. null: by the cores that "
        "are there",
    )
    eval_split: str = _data(
        "test",
        "images on which accuracy is measured after each epoch. test: the test set, as in the "
        "paper; validation: the data's own validation images, or a tenth held out of the training "
        "set, and the test set is read once, at the end",
    )
    augmentation: str = _data(
        "default",
        "random changes of training images, in the order in which they are applied, such as "
        "flip,rotate(amount=30),mixup; default: the data set's own, crop and flip for CIFAR, "
        "else none",
    )
    preprocessing: str = _data(
        "mean_std",
        "normalisation of pixels in [0, 1], fitted to the training images; mean_std: each channel "
        "less its mean, divided by its standard deviation",
    )

    model: str = _model(
        "small_cnn",
        "the network, or your own: package.module:Class, or with arguments Class(width=32), a "
        "module of flax.linen or flax.nnx whose constructor takes the activation as `activation` "
        "or `act`",
    )
    activation: str = _model(
        "relu",
        "the function under test, as a spec: mish, leaky_relu(negative_slope=0.05), or "
        "package.module:function of your own",
    )
    activation_sharing: str = _model(
        "layer", "reach of a learnable activation's parameters: one set a layer, or one a channel"
    )
    kernel_init: str = _model(
        "torch_default",
        "distribution of initial weights; torch_default: uniform within 1 / sqrt(inputs of a "
        "unit), as in PyTorch",
    )
    bias_init: float | None = _model(
        None, "initial value of every bias; null: as goes with kernel_init"
    )
    precision: str = _model(
        "float32",
        "arithmetic of convolutions and dense layers; tf32 and bfloat16 are quicker on a GPU; "
        "float64: parameters, images and all layers in it (needs JAX_ENABLE_X64=1)",
    )
    dropout: str = _model(
        "channels", "what the small CNN drops: whole channels (Dropout2d), or single elements"
    )
    dropout_rate: float = _model(
        0.5, "share that the small CNN and AlexNet drop in training; the others have no dropout"
    )

    epochs: int = _optimisation(20, "passes over the training images")
    batch_size: int = _optimisation(
        128, "training images in a step; those left over at the end of an epoch are left out"
    )
    optimizer: str = _optimisation(
        "adam",
        "method of descent, as a spec: sgd(momentum=0.9, nesterov=True), adam(b2=0.99), rmsprop, "
        "lion, muon",
    )
    learning_rate: float = _optimisation(1e-3, "step size; the peak of a schedule")
    learning_rate_schedule: str = _optimisation(
        "constant",
        "course of the learning rate. cosine: half a cosine from the peak to zero; one_cycle: up "
        "to the peak over the first 30 % of the steps, and down again; steps: a tenth from half of "
        "the steps on, a hundredth from three quarters on",
    )
    warmup_epochs: float = _optimisation(
        0.0, "epochs, whole or not, in which the learning rate rises to its first value"
    )
    clip_norm: float | None = _optimisation(
        None, "norm to which the gradient is scaled down where it is larger; null: it never is"
    )
    ema: float | None = _optimisation(
        None,
        "decay of an average of the variables over the steps, such as 0.999, by which the network "
        "is evaluated and kept; null: they are as the last step left them",
    )
    loss: str = _optimisation(
        "cross_entropy",
        "loss of the logits. hinge: the sum over the other classes; hinge_max: of the worst alone",
    )
    label_smoothing: float = _optimisation(
        0.0, "share of a label's weight that is spread over all classes while training"
    )
    l1: float = _optimisation(0.0, "weight of sum |w| over all kernels, added to the loss")
    l2: float = _optimisation(0.0, "weight of sum w^2 over all kernels, added to the loss")
    weight_decay: float = _optimisation(
        0.0,
        "decay of kernels: of adam, lion and muon decoupled from the gradient (AdamW), of the "
        "others a part of it",
    )
    early_stopping_epochs: int | None = _optimisation(
        None,
        "epochs without a lower validation loss after which the run ends, with the parameters of "
        "its best epoch (needs eval_split=validation); null: it has all its epochs",
    )
    deterministic: bool = _optimisation(
        False,
        "deterministic operations alone on a GPU, at some cost in speed; on a CPU they always are",
    )
    seed: int = _optimisation(
        0, "start of every random draw: initial weights, order of images, augmentation, dropout"
    )

    target_accuracy: float = _measurement(
        0.97, "accuracy on eval_split to which epochs and seconds are counted, 1 being all correct"
    )
    checkpoint_every_epochs: int | None = _measurement(
        None,
        "epochs between checkpoints; null: as often as costs at most 2 % of the time. There is "
        "always one at the end",
    )
    steps_per_dispatch: int | None = _measurement(
        None,
        "training steps that the device takes at once, without a change in results; null: an "
        "epoch, on a CPU about a second of work",
    )
    latency_samples: int = _measurement(
        1000, "classifications of one image that are timed at the end; 0: latency is not measured"
    )
    health_examples: int | None = _measurement(
        None,
        "training images on which activation layers are examined after each epoch; null: 1 % of "
        "them, at most 128; 0: never",
    )

    devices: int = _machine(
        1,
        "devices among which each batch is divided, those of all processes together; batch_size "
        "must be a multiple of it, and stays the batch of a step",
    )
    distributed: str | None = _machine(
        None,
        "how processes, on one host or several, find each other: auto (SLURM, Open MPI, TPUs), or "
        "HOST:PORT,PROCESSES,INDEX with the address of process 0; null: this process is alone",
    )


def meanings() -> dict[str, dict[str, str]]:
    """The meaning of every field by its name, within the group that it belongs to."""
    groups: dict[str, dict[str, str]] = {}
    for field in dataclasses.fields(Config):
        groups.setdefault(field.metadata["group"], {})[field.name] = field.metadata["meaning"]
    return groups
