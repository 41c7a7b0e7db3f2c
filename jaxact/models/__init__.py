"""The networks in which activations are compared: Flax modules that take NHWC images."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
from jax import Array

from jaxact import activations
from jaxact.errors import ConfigError, did_you_mean
from jaxact.models.inspection.layer_costs import LayerCost, layer_costs
from jaxact.models.inspection.tracing import layer_outputs
from jaxact.models.layers.common import DROPOUTS, PRECISIONS, check_precision, wide_dtype
from jaxact.models.layers.conv_net import ConvNet
from jaxact.models.layers.initializers import KERNEL_INITIALIZERS, kernel_initializer
from jaxact.models.networks.alexnet import AlexNet, AlexNet32
from jaxact.models.networks.convnext import ConvNeXt
from jaxact.models.networks.four_layer_cnn import FourLayerCNN
from jaxact.models.networks.mlp import MLP
from jaxact.models.networks.mobilenet_v2 import MobileNetV2
from jaxact.models.networks.resnet import PreActResNet18, ResNet18, ResNet20
from jaxact.models.networks.small_cnn import SmallCNN
from jaxact.models.networks.vgg import VGG11
from jaxact.models.own.factories import is_own
from jaxact.models.own.model import OwnModel
from jaxact.models.protocol import Model

Network = ConvNet | OwnModel  # what runs train

MODELS: dict[str, type[ConvNet]] = {
    "small_cnn": SmallCNN,
    "vgg11": VGG11,
    "alexnet": AlexNet,
    "alexnet32": AlexNet32,
    "four_layer_cnn": FourLayerCNN,
    "resnet20": ResNet20,
    "resnet18": ResNet18,
    "preact_resnet18": PreActResNet18,
    "mobilenet_v2": MobileNetV2,
    "convnext": ConvNeXt,
    "mlp": MLP,
}


def names() -> tuple[str, ...]:
    """The name of every model."""
    return tuple(MODELS)


def input_size(name: str) -> int:
    """The smallest height and width, in pixels, of the images that a model takes."""
    return OwnModel.input_size if is_own(name) else MODELS[name].input_size


def own_fields(name: str) -> tuple[str, ...]:
    """The fields that a model has beyond those of `ConvNet`, such as "dropout_rate"."""
    if is_own(name):
        return ()
    common = {field.name for field in dataclasses.fields(ConvNet)}
    return tuple(
        field.name for field in dataclasses.fields(MODELS[name]) if field.name not in common
    )


def create_model(
    name: str,
    activation: str | activations.Activation = "relu",
    num_classes: int = 10,
    kernel_init: str = "torch_default",
    sharing: str = "layer",
    precision: str = "float32",
    bias_init: float | None = None,
    **options: Any,
) -> ConvNet:
    """A model by name, with one activation everywhere.

    Args:
      name: one of `names()`.
      activation: a spec, as `jaxact.activations.get` takes it, or an `Activation`.
      num_classes: number of logits.
      kernel_init: a name of `jaxact.models.layers.initializers`.
      sharing: learnable activation parameters for each "layer" or "channel".
      precision: "float32", "float64" (parameters and all else, too; needs JAX_ENABLE_X64), "tf32"
        (of an NVIDIA GPU; elsewhere float32), or "bfloat16" (mixed: parameters, BatchNorm's
        statistics and logits stay float32).
      bias_init: what every bias starts at; None: as goes with `kernel_init`.
      **options: further fields of the model's own, see `own_fields`.

    Returns:
      A module: `init(key, images, train=False)`, `apply(variables, images, train=...)` to logits
      `[batch, num_classes]`. Its attribute `input_size` is the smallest image height and width.

    Raises:
      ConfigError: unknown name, initialiser, sharing or precision; or float64 without
        JAX_ENABLE_X64.
      ValueError: unknown activation.
    """
    if name not in MODELS:
        raise ConfigError(
            f"model={name!r} is unknown{did_you_mean(name, MODELS)} (one of {', '.join(MODELS)})"
        )
    if sharing not in ("layer", "channel"):
        raise ConfigError(f"sharing={sharing!r} must be 'layer' or 'channel'")
    if precision not in PRECISIONS:
        raise ConfigError(f"precision={precision!r} must be one of {', '.join(PRECISIONS)}")
    check_precision(precision)
    kernel_initializer(kernel_init)
    if isinstance(activation, str):
        activation = activations.get(activation)
    return MODELS[name](
        activation=activation,
        num_classes=num_classes,
        kernel_init=kernel_init,
        sharing=sharing,
        precision=precision,
        bias_init=bias_init,
        **options,
    )


def predict(model: Model, variables: Mapping[str, Any], images: Array) -> Array:
    """The logits of a trained model: normalised images to `[batch, num_classes]`."""
    return model.predict(variables, images)


def count_parameters(params: Mapping[str, Any]) -> int:
    """Number of trainable scalars in a `params` collection."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))


__all__ = [
    "DROPOUTS",
    "KERNEL_INITIALIZERS",
    "MODELS",
    "PRECISIONS",
    "ConvNet",
    "LayerCost",
    "Model",
    "Network",
    "check_precision",
    "count_parameters",
    "create_model",
    "input_size",
    "is_own",
    "layer_costs",
    "layer_outputs",
    "names",
    "own_fields",
    "predict",
    "wide_dtype",
]
