"""The networks as a user writes them: stock Flax, nothing of jaxact in them.

`--peer=plain` trains them by a plain jitted step; given as `--model`, such as
`benchmarks.contenders.plain_networks:ResNet20`, jaxact trains them as a module of the user's own.
"""

import functools
from collections.abc import Callable

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

Activation = Callable[[Array], Array]


class Plain(nn.Module):
    """The fields of the Linen networks, and BatchNorm and convolutions as most of them have it."""

    activation: Activation
    num_classes: int = 10

    @nn.nowrap
    def conv_norm(
        self, x: Array, features: int, size: int, train: bool, stride: int = 1, groups: int = 1
    ) -> Array:
        """A convolution without bias, and BatchNorm."""
        return self.norm(conv(features, size, stride, groups)(x), train)

    @nn.nowrap
    def norm(self, x: Array, train: bool) -> Array:
        return nn.BatchNorm(use_running_average=not train, momentum=0.9, epsilon=1e-5)(x)


def conv(features: int, size: int, stride: int = 1, groups: int = 1) -> nn.Conv:
    """A convolution without bias, with zeros on all sides as PyTorch has them."""
    return nn.Conv(
        features,
        (size, size),
        strides=(stride, stride),
        padding=size // 2,
        feature_group_count=groups,
        use_bias=False,
    )


def halved(x: Array) -> Array:
    """The largest of each 2x2 pixels."""
    return nn.max_pool(x, (2, 2), strides=(2, 2))


class SmallCNN(Plain):
    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        x = self.activation(halved(nn.Conv(10, (5, 5), padding="VALID")(x)))
        x = nn.Conv(20, (5, 5), padding="VALID")(x)
        x = nn.Dropout(0.5, broadcast_dims=(1, 2), deterministic=not train)(x)
        x = self.activation(halved(x)).reshape(len(x), -1)
        return nn.Dense(self.num_classes)(self.activation(nn.Dense(50)(x)))


class VGG11(Plain):
    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        for stage in ((64,), (128,), (256, 256), (512, 512), (512, 512)):
            for features in stage:
                x = self.activation(self.norm(nn.Conv(features, (3, 3))(x), train))
            x = halved(x)
        return nn.Dense(self.num_classes)(x.mean((1, 2)))


class ResNet20(Plain):
    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        x = self.activation(self.conv_norm(x, 16, 3, train))
        for features, stride in ((16, 1), (32, 2), (64, 2)):
            for s in (stride, 1, 1):
                y = self.activation(self.conv_norm(x, features, 3, train, s))
                y = self.conv_norm(y, features, 3, train)
                more = (features - x.shape[-1]) // 2
                x = jnp.pad(x[:, ::s, ::s], ((0, 0), (0, 0), (0, 0), (more, more)))
                x = self.activation(x + y)
        return nn.Dense(self.num_classes)(x.mean((1, 2)))


class ResNet18(Plain):
    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        x = self.activation(self.conv_norm(x, 64, 3, train))
        for features, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
            for s in (stride, 1):
                y = self.activation(self.conv_norm(x, features, 3, train, s))
                y = self.conv_norm(y, features, 3, train)
                if x.shape != y.shape:
                    x = self.conv_norm(x, features, 1, train, s)
                x = self.activation(x + y)
        return nn.Dense(self.num_classes)(x.mean((1, 2)))


class PreActResNet18(Plain):
    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        x = conv(64, 3)(x)
        for features, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
            for s in (stride, 1):
                y = self.activation(self.norm(x, train))
                if s > 1:
                    x = conv(features, 1, s)(y)
                y = self.activation(self.conv_norm(y, features, 3, train, s))
                x = x + conv(features, 3)(y)
        x = self.activation(self.norm(x, train))
        return nn.Dense(self.num_classes)(x.mean((1, 2)))


class MobileNetV2(Plain):
    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        x = self.activation(self.conv_norm(x, 32, 3, train))
        for expansion, features, blocks, stride in (
            (1, 16, 1, 1),
            (6, 24, 2, 1),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ):
            for s in (stride, *[1] * (blocks - 1)):
                inner, y = expansion * x.shape[-1], x
                if expansion > 1:
                    y = self.activation(self.conv_norm(y, inner, 1, train))
                y = self.activation(self.conv_norm(y, inner, 3, train, s, inner))
                y = self.conv_norm(y, features, 1, train)
                x = x + y if x.shape == y.shape else y
        x = self.activation(self.conv_norm(x, 1280, 1, train))
        return nn.Dense(self.num_classes)(x.mean((1, 2)))


class ConvNeXt(Plain):
    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        del train  # nothing in it differs
        norm = functools.partial(nn.LayerNorm, epsilon=1e-6)
        for stage, (features, blocks) in enumerate(((40, 2), (80, 2), (160, 6), (320, 2))):
            x = norm()(x) if stage else x
            x = nn.Conv(features, (2, 2), strides=(2, 2), padding="VALID")(x)
            x = x if stage else norm()(x)
            for block in range(blocks):
                y = nn.Conv(features, (7, 7), feature_group_count=features)(x)
                y = self.activation(nn.Dense(4 * features)(norm()(y)))
                y = nn.Dense(features)(y)
                initial = nn.initializers.constant(1e-6)
                x = x + y * self.param(f"scale_{stage}_{block}", initial, (features,))
        return nn.Dense(self.num_classes)(norm()(x.mean((1, 2))))


class MLP(Plain):
    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        del train  # nothing in it differs
        x = x.reshape(len(x), -1)
        for _ in range(2):
            x = self.activation(nn.Dense(1000)(x))
        return nn.Dense(self.num_classes)(x)


class Unusual(Plain):
    """Convolutions that few networks have: dilated, depthwise 5x3 of unequal strides, in groups."""

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        x = self.activation(self.norm(nn.Conv(24, (3, 3))(x), train))
        x = self.activation(self.norm(nn.Conv(32, (3, 3), kernel_dilation=(2, 2))(x), train))
        x = nn.Conv(64, (5, 3), strides=(2, 1), feature_group_count=32, padding="SAME")(x)
        x = nn.max_pool(self.activation(self.norm(x, train)), (3, 3), strides=(1, 2))
        x = nn.Conv(64, (3, 3), kernel_dilation=(1, 3), feature_group_count=4, padding="VALID")(x)
        x = self.activation(self.norm(x, train))
        return nn.Dense(self.num_classes)(x.mean((1, 2)))


# Of jaxact's networks, by their names.
PLAIN = {
    "small_cnn": SmallCNN,
    "vgg11": VGG11,
    "resnet20": ResNet20,
    "resnet18": ResNet18,
    "preact_resnet18": PreActResNet18,
    "mobilenet_v2": MobileNetV2,
    "convnext": ConvNeXt,
    "mlp": MLP,
}
