"""Networks in plain form, of flax.nnx."""

import functools
import itertools

import jax.numpy as jnp
from flax import nnx
from jax import Array

from benchmarks.contenders.plain_networks import Activation


class Block(nnx.Module):
    def __init__(self, before: int, features: int, activation: Activation, rngs: nnx.Rngs):
        self.stride, self.more = (2 if features > before else 1), (features - before) // 2
        make = functools.partial(nnx.Conv, kernel_size=(3, 3), padding=1, use_bias=False, rngs=rngs)
        self.first = make(before, features, strides=self.stride)
        self.second = make(features, features)
        self.norms = nnx.List([nnx.BatchNorm(features, momentum=0.9, rngs=rngs) for _ in range(2)])
        self.activation = activation

    def __call__(self, x: Array) -> Array:
        y = self.activation(self.norms[0](self.first(x)))
        y = self.norms[1](self.second(y))
        shortcut = x[:, :: self.stride, :: self.stride]
        shortcut = jnp.pad(shortcut, ((0, 0), (0, 0), (0, 0), (self.more, self.more)))
        return self.activation(shortcut + y)


class ResNet20(nnx.Module):
    """The ResNet-20 of `benchmarks.contenders.plain_networks`."""

    def __init__(self, activation: Activation, num_classes: int, rngs: nnx.Rngs):
        widths = (16, *[16] * 3, *[32] * 3, *[64] * 3)
        self.stem = nnx.Conv(3, 16, (3, 3), padding=1, use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(16, momentum=0.9, rngs=rngs)
        self.blocks = nnx.List(
            [
                Block(before, features, activation, rngs)
                for before, features in itertools.pairwise(widths)
            ]
        )
        self.head = nnx.Linear(64, num_classes, rngs=rngs)
        self.activation = activation

    def __call__(self, x: Array) -> Array:
        x = self.activation(self.norm(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((1, 2)))


class TinyNnx(nnx.Module):
    def __init__(self, activation, num_classes, rngs):
        self.conv = nnx.Conv(3, 2, (3, 3), use_bias=False, rngs=rngs)
        self.norm, self.drop = nnx.BatchNorm(2, rngs=rngs), nnx.Dropout(0.5, rngs=rngs)
        self.head, self.activation = nnx.Linear(2, num_classes, rngs=rngs), activation

    def __call__(self, x):
        return self.head(self.drop(self.activation(self.norm(self.conv(x)))).mean((1, 2)))
