"""ConvNeXt in PyTorch, NCHW as there. Imports PyTorch alone."""

from collections.abc import Callable

import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]

from benchmarks.contenders.torch_activations import Activate, Function

EPSILON = 1e-6  # of LayerNorm, and what a block's factors start at


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of `[batch, channels, height, width]`."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Depthwise 7x7, LayerNorm, two dense layers of each pixel, scaled and added to the input.

    As in the official code, the dense layers see the channels in the last axis.
    """

    def __init__(self, channels: int, activate: Callable[[], nn.Module]):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, EPSILON)
        self.dense = nn.Sequential(
            nn.Linear(channels, 4 * channels), activate(), nn.Linear(4 * channels, channels)
        )
        self.scale = nn.Parameter(torch.full((channels,), EPSILON))

    def forward(self, x: Tensor) -> Tensor:
        y = self.dense(self.norm(self.conv(x).permute(0, 2, 3, 1)))
        return x + (self.scale * y).permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    """`jaxact.models.networks.convnext.ConvNeXt`, its layers in the order of their calls."""

    image_shape = (32, 32, 3)
    widths = (40, 80, 160, 320)
    depths = (2, 2, 6, 2)

    def __init__(self, make_activation: Callable[[], Function]):
        super().__init__()

        def activate() -> nn.Module:
            return Activate(make_activation())

        channels = self.widths[0]
        layers: list[nn.Module] = [nn.Conv2d(3, channels, 2, 2), ChannelNorm(channels, EPSILON)]
        for features, depth in zip(self.widths, self.depths, strict=True):
            if features != channels:
                layers += [ChannelNorm(channels, EPSILON), nn.Conv2d(channels, features, 2, 2)]
                channels = features
            layers += [Block(channels, activate) for _ in range(depth)]
        self.features = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(channels, EPSILON)
        self.dense = nn.Linear(channels, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Maps `[batch, 3, 32, 32]` to logits `[batch, 10]`."""
        return self.dense(self.norm(self.features(images).mean((2, 3))))
