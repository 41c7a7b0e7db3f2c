"""MobileNetV2 in PyTorch, NCHW as there. Imports PyTorch alone."""

from collections.abc import Callable

from torch import Tensor, nn  # pyright: ignore[reportMissingImports]

from benchmarks.contenders.torch_activations import Activate, Function

# Expansion, channels of the outputs, blocks, stride of the first: 1 in the second row, for CIFAR.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def normalized(
    channels: int, features: int, size: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """A convolution without bias, and BatchNorm."""
    conv = nn.Conv2d(channels, features, size, stride, size // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(features)]


class InvertedResidual(nn.Module):
    """Conv 1x1 to more channels, depthwise 3x3, conv 1x1 to few; added to an input of its shape."""

    def __init__(
        self,
        channels: int,
        expansion: int,
        features: int,
        stride: int,
        activate: Callable[[], nn.Module],
    ):
        super().__init__()
        inner = expansion * channels
        wider = [*normalized(channels, inner, 1), activate()] if expansion > 1 else []
        self.inner = nn.Sequential(
            *wider,
            *normalized(inner, inner, 3, stride, groups=inner),
            activate(),
            *normalized(inner, features, 1),
        )
        self.is_residual = stride == 1 and channels == features

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x) if self.is_residual else self.inner(x)


class MobileNetV2(nn.Module):
    """`jaxact.models.networks.mobilenet_v2.MobileNetV2`, the activation in place of ReLU6."""

    image_shape = (32, 32, 3)

    def __init__(self, make_activation: Callable[[], Function]):
        super().__init__()

        def activate() -> nn.Module:
            return Activate(make_activation())

        channels = 32
        layers: list[nn.Module] = [*normalized(3, channels, 3), activate()]
        for expansion, features, blocks, first in STAGES:
            for stride in (first, *(1 for _ in range(blocks - 1))):
                layers.append(InvertedResidual(channels, expansion, features, stride, activate))
                channels = features
        self.features = nn.Sequential(*layers, *normalized(channels, 1280, 1), activate())
        self.dense = nn.Linear(1280, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Maps `[batch, 3, 32, 32]` to logits `[batch, 10]`."""
        return self.dense(self.features(images).mean((2, 3)))
