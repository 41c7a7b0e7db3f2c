"""The networks that a user has, and one for tests that ask about runs: it compiles in no time."""

from typing import Any, ClassVar, NamedTuple

from flax import linen as nn
from jax import Array

from jaxact import models
from jaxact.models import MLP, AlexNet, ConvNet, ConvNeXt, MobileNetV2
from jaxact.models.layers.common import flatten
from jaxact.models.networks import vgg
from jaxact.models.networks.mobilenet_v2 import Stage


class ThinCNN(ConvNet):
    """Conv 3x3 (4), act, dropout, dense 10: a layer of each kind that a run could get wrong."""

    input_size: ClassVar[int] = 8
    image_shape: ClassVar[tuple[int, int, int]] = (8, 8, 1)

    dropout: str = "channels"
    dropout_rate: float = 0.5

    @nn.compact
    def __call__(self, images: Array, *, train: bool) -> Array:
        """Maps `[batch, height, width, channels]` to logits `[batch, classes]`."""
        x = self.activate(self.conv(images, 4, 3, "VALID"))
        x = self.drop(x, rate=self.dropout_rate, form=self.dropout, train=train)
        return self.logits(flatten(x))


class Published(NamedTuple):
    """What is counted in a network: parameters with 10 classes, layers of the activation."""

    parameters: int
    activations: int


PUBLISHED = {
    "small_cnn": Published(21_840, 3),
    "vgg11": Published(9_231_114, 8),
    "alexnet": Published(60_965_224 - 990 * 4097, 7),  # the paper's has 1000 classes
    "alexnet32": Published(8_991_946, 7),
    "four_layer_cnn": Published(89_578, 3),
    "resnet20": Published(269_722, 19),
    "resnet18": Published(11_173_962, 17),
    "preact_resnet18": Published(11_172_170, 17),
    "mobilenet_v2": Published(2_236_682, 35),
    "convnext": Published(3_376_290, 12),
    "mlp": Published(1_796_010, 2),
}
# Of those that are alike one: the others differ in depth, width and the size of images.
OF_EACH_KIND = ("small_cnn", "vgg11", "alexnet32", "preact_resnet18", "mobilenet_v2", "convnext")
# Layers of the activation within the fixture `thin_networks`.
RESIDUAL = ("resnet20", "resnet18", "preact_resnet18")
THIN = {name: known.activations for name, known in PUBLISHED.items()}
THIN |= {"vgg11": 4, "mobilenet_v2": 7, "convnext": 2} | dict.fromkeys(RESIDUAL, 5)
SHAPES = {name: models.MODELS[name].image_shape for name in PUBLISHED}
UNCOUNTED = sorted(set(models.MODELS) - set(PUBLISHED))
models.MODELS["thin_cnn"] = ThinCNN  # before a configuration is told which networks there are


def make_thin(patch: Any) -> None:
    """VGG-11 and AlexNet of a sixteenth of their width, VGG-11 without its last four layers too.

    Residual networks and ConvNeXt have two stages of one block, MobileNetV2 three blocks. All their
    parameters take seconds; a layer of each kind is left.

    Args:
      patch: pytest's `MonkeyPatch`.
    """
    stages = tuple(tuple(width // 16 for width in stage) for stage in vgg.STAGES[:3])
    patch.setattr(vgg, "STAGES", stages)
    for name in RESIDUAL:
        patch.setattr(models.MODELS[name], "widths", (4, 8))
        patch.setattr(models.MODELS[name], "blocks", 1)
    patch.setattr(ConvNeXt, "widths", (4, 8))
    patch.setattr(ConvNeXt, "depths", (1, 1))
    patch.setattr(MobileNetV2, "first", 4)
    patch.setattr(MobileNetV2, "stages", (Stage(1, 4, 1, 1), Stage(6, 8, 2, 2)))
    patch.setattr(MobileNetV2, "last", 16)
    patch.setattr(MLP, "widths", (16, 16))
    patch.setattr(AlexNet, "widths", (6, 16, 24, 24, 16))
    patch.setattr(AlexNet, "hidden", 256)
