"""Networks of flax.linen as users have them, and four that are wrong."""

from collections.abc import Callable

from flax import linen as nn


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


class Flat(nn.Module):
    """BatchNorm and dropout without a convolution: it compiles in no time."""

    act: Callable
    num_classes: int
    width: int = 6

    @nn.compact
    def __call__(self, x, train: bool):
        x = nn.Dense(self.width, use_bias=False)(x.reshape(len(x), -1))
        x = self.act(nn.BatchNorm(use_running_average=not train)(x))
        return nn.Dense(self.num_classes)(nn.Dropout(0.3, deterministic=not train)(x))


class PreActivation(nn.Module):
    """With dilated and transposed convolutions, and an activation of its own at its end."""

    activation: Callable

    @nn.compact
    def __call__(self, x, *, deterministic):
        def normalized(x):
            return self.activation(nn.BatchNorm(use_running_average=deterministic)(x))

        x = nn.Conv(4, (3, 3))(x)
        y = nn.Conv(4, (3, 3), kernel_dilation=(1, 2))(normalized(x))
        x = nn.ConvTranspose(4, (2, 2), strides=(2, 2))(x + nn.Conv(4, (3, 3))(normalized(y)))
        x = nn.Conv(4, (1, 1), strides=4)(x)
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
