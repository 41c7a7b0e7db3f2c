"""Networks as users have them, of both of Flax's APIs, and four that are wrong."""

from collections.abc import Callable

from flax import linen as nn

try:
    from flax import nnx
except ImportError:  # it does not go with every version of JAX
    nnx = None


class WithSetup(nn.Module):
    activation: Callable
    num_classes: int = 10
    width: int = 4

    def setup(self):
        self.first = nn.Conv(self.width, (3, 3))
        self.second = nn.Conv(self.width, (3, 3), strides=2)
        self.last = nn.Dense(self.num_classes)

    def __call__(self, x):
        x = nn.max_pool(self.activation(self.first(x)), (2, 2), (2, 2))
        return self.last(self.activation(self.second(x)).mean((1, 2)))


class Block(nn.Module):
    act: Callable
    features: int

    @nn.compact
    def __call__(self, x, train):
        x = nn.Conv(self.features, (3, 3), use_bias=False)(x)
        x = self.act(nn.BatchNorm(use_running_average=not train)(x))
        x = nn.Dropout(0.3, deterministic=not train)(x)
        return nn.max_pool(x, (3, 3), (2, 2), "SAME")


class Compact(nn.Module):
    act: Callable
    num_classes: int

    @nn.compact
    def __call__(self, x, train: bool):
        for features in (4, 6):
            x = Block(self.act, features)(x, train)
        return nn.Dense(self.num_classes)(x.reshape(len(x), -1))


class PreActivation(nn.Module):
    """With dilated convolutions, and an activation of its own at its end."""

    activation: Callable

    @nn.compact
    def __call__(self, x, *, deterministic):
        def normalized(x):
            return self.activation(nn.BatchNorm(use_running_average=deterministic)(x))

        x = nn.Conv(4, (3, 3))(x)
        y = nn.Conv(4, (3, 3), kernel_dilation=(1, 2))(normalized(x))
        x = nn.Conv(4, (1, 1), strides=2)(x + nn.Conv(4, (3, 3))(normalized(y)))
        return nn.Dense(10)(nn.relu(x).mean((1, 2)))


class NeverCalls(nn.Module):
    activation: Callable

    @nn.compact
    def __call__(self, x):
        return nn.Dense(10)(nn.relu(x.reshape(len(x), -1)))


class TakesNone(nn.Module):
    width: int = 3

    @nn.compact
    def __call__(self, x):
        return nn.Dense(10)(x.reshape(len(x), -1))


class WrongShape(nn.Module):
    activation: Callable

    @nn.compact
    def __call__(self, x):
        return nn.Dense(7)(self.activation(x.reshape(len(x), -1)))


class Raises(nn.Module):
    activation: Callable

    @nn.compact
    def __call__(self, x):
        raise RuntimeError("no such layer")


LINEN = ("WithSetup", "WithSetup(width=6)", "Compact", "PreActivation")
NNX = ()

if nnx is not None:
    NNX = ("Residual", "Next(width=4)")

    class ResidualBlock(nnx.Module):
        def __init__(self, channels, features, activation, rngs):
            self.conv = nnx.Conv(channels, features, (3, 3), 2, use_bias=False, rngs=rngs)
            self.norm = nnx.BatchNorm(features, rngs=rngs)
            self.shortcut = nnx.Conv(channels, features, (1, 1), strides=2, rngs=rngs)
            self.activation = activation

        def __call__(self, x):
            return self.activation(self.shortcut(x) + self.activation(self.norm(self.conv(x))))

    class Residual(nnx.Module):
        def __init__(self, activation, num_classes=10, *, rngs):
            blocks = [ResidualBlock(1, 4, activation, rngs), ResidualBlock(4, 6, activation, rngs)]
            self.blocks = nnx.List(blocks)
            self.dropout = nnx.Dropout(0.3, rngs=rngs)
            self.last = nnx.Linear(6, num_classes, rngs=rngs)

        def __call__(self, x):
            for block in self.blocks:
                x = block(x)
            return self.last(self.dropout(x.mean((1, 2))))

    class Next(nnx.Module):
        def __init__(self, act, num_classes, rngs, width=8):
            self.stem = nnx.Conv(1, width, (2, 2), strides=2, rngs=rngs)
            self.mix = nnx.Conv(width, width, (7, 7), feature_group_count=width, rngs=rngs)
            self.norm = nnx.LayerNorm(width, rngs=rngs)
            self.up = nnx.Linear(width, 4 * width, rngs=rngs)
            self.last = nnx.Linear(4 * width, num_classes, rngs=rngs)
            self.act = act

        def __call__(self, x):
            return self.last(self.act(self.up(self.norm(self.mix(self.stem(x))))).mean((1, 2)))


def spec(name: str) -> str:
    return f"tests.support.own_networks:{name}"
