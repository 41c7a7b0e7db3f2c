"""The same networks in PyTorch, NCHW as there. Imports PyTorch alone."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

from benchmarks.contenders.torch_activations import Activate, Function, activation
from benchmarks.contenders.torch_networks.convnext import ConvNeXt
from benchmarks.contenders.torch_networks.mobilenet import MobileNetV2
from benchmarks.contenders.torch_networks.resnets import PreActResNet18, ResNet, ResNet20


class SmallCNN(nn.Module):
    """jaxact's `small_cnn`: the activation after the pooling, Dropout2d after the second
    convolution."""

    image_shape = (28, 28, 1)

    def __init__(self, make_activation: Callable[[], Function]):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5)
        self.conv2 = nn.Conv2d(10, 20, 5)
        self.dropout = nn.Dropout2d(0.5)
        self.dense1 = nn.Linear(320, 50)
        self.dense2 = nn.Linear(50, 10)
        self.act1, self.act2, self.act3 = (make_activation() for _ in range(3))

    def forward(self, images: Tensor) -> Tensor:
        """Maps `[batch, 1, 28, 28]` to logits `[batch, 10]`."""
        x = self.act1(F.max_pool2d(self.conv1(images), 2))
        x = self.act2(F.max_pool2d(self.dropout(self.conv2(x)), 2))
        return self.dense2(self.act3(self.dense1(x.flatten(1))))


class VGG11(nn.Module):
    """jaxact's `vgg11`: convolution, BatchNorm and activation, five stages with max-pooling."""

    image_shape = (32, 32, 3)

    def __init__(self, make_activation: Callable[[], Function]):
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for stage in ((64,), (128,), (256, 256), (512, 512), (512, 512)):
            for features in stage:
                layers += [
                    nn.Conv2d(channels, features, 3, padding=1),
                    nn.BatchNorm2d(features),
                    Activate(make_activation()),
                ]
                channels = features
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.dense = nn.Linear(512, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Maps `[batch, 3, 32, 32]` to logits `[batch, 10]`."""
        return self.dense(self.features(images).mean((2, 3)))


class AlexNet(nn.Module):
    """jaxact's `alexnet`, layer by layer: LRN's alpha is PyTorch's, 5 times the paper's."""

    image_shape = (227, 227, 3)
    widths = (96, 256, 384, 384, 256)
    flattened, hidden = 6 * 6 * 256, 4096

    def __init__(self, make_activation: Callable[[], Function]):
        super().__init__()
        first, second, third, fourth, fifth = self.widths

        def activate() -> nn.Module:
            return Activate(make_activation())

        def pool() -> nn.Module:
            return nn.MaxPool2d(3, 2, ceil_mode=True)

        def normalize() -> nn.Module:
            return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

        self.features = nn.Sequential(
            self.first(first),
            *(activate(), normalize(), pool()),
            nn.Conv2d(first, second, 5, padding=2, groups=2),
            *(activate(), normalize(), pool()),
            nn.Conv2d(second, third, 3, padding=1),
            activate(),
            nn.Conv2d(third, fourth, 3, padding=1, groups=2),
            activate(),
            nn.Conv2d(fourth, fifth, 3, padding=1, groups=2),
            activate(),
            pool(),
        )
        self.dense = nn.Sequential(
            nn.Linear(self.flattened, self.hidden),
            *(activate(), nn.Dropout(0.5)),
            nn.Linear(self.hidden, self.hidden),
            *(activate(), nn.Dropout(0.5)),
            nn.Linear(self.hidden, 10),
        )

    def first(self, features: int) -> nn.Module:
        return nn.Conv2d(3, features, 11, stride=4)

    def forward(self, images: Tensor) -> Tensor:
        """Maps `[batch, 3, 227, 227]`, or of `AlexNet32` `[batch, 3, 32, 32]`, to logits."""
        return self.dense(self.features(images).flatten(1))


class AlexNet32(AlexNet):
    """`jaxact.models.networks.alexnet.AlexNet32`."""

    image_shape = (32, 32, 3)
    widths = (48, 128, 192, 192, 128)
    flattened, hidden = 4 * 4 * 128, 2048

    def first(self, features: int) -> nn.Module:
        return nn.Conv2d(3, features, 5, padding=2)


class FourLayerCNN(nn.Module):
    """`jaxact.models.networks.four_layer_cnn`."""

    image_shape = (32, 32, 3)

    def __init__(self, make_activation: Callable[[], Function]):
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for features in (32, 32, 64):
            layers += [
                nn.Conv2d(channels, features, 5, padding=2),
                Activate(make_activation()),
                nn.MaxPool2d(3, 2, ceil_mode=True),
            ]
            channels = features
        self.features = nn.Sequential(*layers)
        self.dense = nn.Linear(4 * 4 * 64, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Maps `[batch, 3, 32, 32]` to logits `[batch, 10]`."""
        return self.dense(self.features(images).flatten(1))


class MLP(nn.Module):
    """jaxact's `mlp`; it sees pixels in the order `[channels, height, width]`."""

    image_shape = (28, 28, 1)

    def __init__(self, make_activation: Callable[[], Function]):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, 1000),
            Activate(make_activation()),
            nn.Linear(1000, 1000),
            Activate(make_activation()),
            nn.Linear(1000, 10),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Maps `[batch, 1, 28, 28]` to logits `[batch, 10]`."""
        return self.layers(images)


NETWORKS = {
    "small_cnn": SmallCNN,
    "vgg11": VGG11,
    "alexnet": AlexNet,
    "alexnet32": AlexNet32,
    "four_layer_cnn": FourLayerCNN,
    "resnet20": ResNet20,
    "resnet18": ResNet,
    "preact_resnet18": PreActResNet18,
    "mobilenet_v2": MobileNetV2,
    "convnext": ConvNeXt,
    "mlp": MLP,
}


def create(model: str, name: str, parameters: dict[str, Any]) -> nn.Module:
    """A network with one activation everywhere, named and with the parameters it has in jaxact."""
    if model not in NETWORKS:
        raise ValueError(f"PyTorch has no {model}: write it in {__name__}, with a row in NETWORKS")
    return NETWORKS[model](lambda: activation(name, parameters))


def count_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
