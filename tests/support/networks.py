"""A network for tests that ask about runs, not about networks: its programs compile in no time."""

from typing import ClassVar

from flax import linen as nn
from jax import Array

from jaxact import models
from jaxact.models import ConvNet
from jaxact.models.layers.common import flatten


class ThinCNN(ConvNet):
    """Conv 3x3 (4), act, dropout, dense 10: a layer of each kind that a run could get wrong."""

    input_size: ClassVar[int] = 8

    dropout: str = "channels"
    dropout_rate: float = 0.5

    @nn.compact
    def __call__(self, images: Array, *, train: bool) -> Array:
        """Maps `[batch, height, width, channels]` to logits `[batch, classes]`."""
        x = self.activate(self.conv(images, 4, 3, "VALID"))
        x = self.drop(x, rate=self.dropout_rate, form=self.dropout, train=train)
        return self.logits(flatten(x))


PUBLISHED = models.names()  # the networks that a user has
models.MODELS["thin_cnn"] = ThinCNN  # before a configuration is told which networks there are
