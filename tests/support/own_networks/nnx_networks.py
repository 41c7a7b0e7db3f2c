"""Networks of flax.nnx as users have them."""

from flax import nnx


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
