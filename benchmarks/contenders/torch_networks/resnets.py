"""The residual networks in PyTorch, NCHW as there. Imports PyTorch alone."""

from collections.abc import Callable

from torch import Tensor, nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

from benchmarks.contenders.torch_activations import Activate, Function


class Block(nn.Module):
    """Two 3x3 convolutions, added to the shortcut before the last activation."""

    def __init__(
        self, channels: int, features: int, stride: int, activate: Callable[[], nn.Module]
    ):
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(channels, features, 3, stride, 1, bias=False),
            nn.BatchNorm2d(features),
            activate(),
            nn.Conv2d(features, features, 3, 1, 1, bias=False),
            nn.BatchNorm2d(features),
        )
        self.shortcut = self.short(channels, features, stride)
        self.last = activate()

    def short(self, channels: int, features: int, stride: int) -> nn.Module:
        """A 1x1 convolution where the shape changes."""
        if stride == 1 and channels == features:
            return nn.Identity()
        return nn.Sequential(
            nn.Conv2d(channels, features, 1, stride, bias=False), nn.BatchNorm2d(features)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.inner(x) + self.shortcut(x))


class BlockOfZeros(Block):
    """`Block` whose shortcut has no parameters: channels of zeros are added (option A)."""

    def short(self, channels: int, features: int, stride: int) -> nn.Module:
        half = (features - channels) // 2

        def zeros(x: Tensor) -> Tensor:
            return F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, half, half))

        return Activate(zeros)


class PreActBlock(nn.Module):
    """BatchNorm and activation before each convolution; the sum goes on as it is."""

    def __init__(
        self, channels: int, features: int, stride: int, activate: Callable[[], nn.Module]
    ):
        super().__init__()
        self.before = nn.Sequential(nn.BatchNorm2d(channels), activate())
        self.shortcut = (
            nn.Conv2d(channels, features, 1, stride, bias=False)
            if stride > 1 or channels != features
            else None
        )
        self.inner = nn.Sequential(
            nn.Conv2d(channels, features, 3, stride, 1, bias=False),
            nn.BatchNorm2d(features),
            activate(),
            nn.Conv2d(features, features, 3, 1, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.before(x)
        return self.inner(y) + (x if self.shortcut is None else self.shortcut(y))


class ResNet(nn.Module):
    """jaxact's residual networks, their layers in the order in which they are called."""

    image_shape = (32, 32, 3)
    widths = (64, 128, 256, 512)
    blocks = 2
    block: type[nn.Module] = Block
    is_pre_activated = False

    def __init__(self, make_activation: Callable[[], Function]):
        super().__init__()

        def activate() -> nn.Module:
            return Activate(make_activation())

        def normalized(features: int) -> list[nn.Module]:
            return [nn.BatchNorm2d(features), activate()]

        channels = self.widths[0]
        layers: list[nn.Module] = [nn.Conv2d(3, channels, 3, padding=1, bias=False)]
        layers += [] if self.is_pre_activated else normalized(channels)
        for stage, features in enumerate(self.widths):
            for place in range(self.blocks):
                stride = 2 if stage and not place else 1
                layers.append(self.block(channels, features, stride, activate))
                channels = features
        layers += normalized(channels) if self.is_pre_activated else []
        self.features = nn.Sequential(*layers)
        self.dense = nn.Linear(channels, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Maps `[batch, 3, 32, 32]` to logits `[batch, 10]`."""
        return self.dense(self.features(images).mean((2, 3)))


class ResNet20(ResNet):
    """`jaxact.models.networks.resnet.ResNet20`."""

    widths = (16, 32, 64)
    blocks = 3
    block = BlockOfZeros


class PreActResNet18(ResNet):
    """`jaxact.models.networks.resnet.PreActResNet18`."""

    block = PreActBlock
    is_pre_activated = True
