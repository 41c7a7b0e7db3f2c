"""The base of the networks: their fields, and the layers that these fields decide."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from flax import linen as nn
from jax import Array

from jaxact.activations import Activation
from jaxact.models.convolution.pooling import max_pool
from jaxact.models.layers.activation_layer import ActivationLayer, steady
from jaxact.models.layers.common import (
    BATCH_NORM_EPSILON,
    BATCH_NORM_MOMENTUM,
    PRECISIONS,
    always_dropping,
    convolution,
    dropout,
    linear,
    wide_dtype,
    widened,
)

LAYER_NORM_EPSILON = 1e-6


class ConvNet(nn.Module):
    """The base of the models: their fields, and the layers that these fields decide.

    The methods make layers; call them in a compact `__call__`.

    Attributes:
      activation: the function under test.
      num_classes: number of logits.
      kernel_init: a name of `jaxact.models.layers.initializers`.
      sharing: whether a "layer" or each "channel" has learnable activation parameters of its own.
      precision: a name of `PRECISIONS`.
      bias_init: what every bias starts at; None: as goes with `kernel_init`.
      fuses_pooling: whether a convolution may give its pooled outputs at once; not where the
        outputs of every layer are wanted.
    """

    input_size: ClassVar[int]  # the smallest height and width, in pixels
    image_shape: ClassVar[tuple[int, int, int]]  # of the images for which it was published
    normalizes: ClassVar[bool] = False  # whether it has BatchNorm; `batch_norm` requires it
    is_lowered: ClassVar[bool] = True  # whether none of its convolutions is XLA's on a CPU

    activation: Activation
    num_classes: int = 10
    kernel_init: str = "torch_default"
    sharing: str = "layer"
    precision: str = "float32"
    bias_init: float | None = None
    fuses_pooling: bool = True

    @nn.nowrap
    def initial(self, key: Array, images: Any) -> dict[str, Any]:
        """The variables before training; see `jaxact.models.protocol.Model`, as of the next."""
        return widened(self.init(key, images, train=False), self.precision)

    @nn.nowrap
    def predict(self, variables: Mapping[str, Any], images: Array) -> Array:
        """The logits in evaluation."""
        return cast(Array, self.apply(variables, images, train=False))

    @nn.nowrap
    def forward(
        self, variables: Mapping[str, Any], images: Array, key: Array
    ) -> tuple[Array, dict[str, Any]]:
        """The logits in training, and the collections after it."""
        logits, updates = cast(
            Any,
            self.apply(
                variables, images, train=True, rngs={"dropout": key}, mutable=["batch_stats"]
            ),
        )
        return logits, {**updates}

    @nn.nowrap
    def predict_dropping(self, variables: Mapping[str, Any], images: Array, key: Array) -> Array:
        """Logits with dropout masks drawn from `key`."""
        with always_dropping(), steady():
            return cast(Array, self.apply(variables, images, train=False, rngs={"dropout": key}))

    @property
    def _settings(self) -> tuple[str, str, float | None]:
        return self.kernel_init, self.precision, self.bias_init

    @nn.nowrap
    def conv(
        self,
        x: Array,
        features: int,
        size: int,
        padding: str | int,
        stride: int = 1,
        groups: int = 1,
        has_bias: bool = True,
    ) -> Array:
        """A `size` x `size` convolution, NHWC; padding "SAME", "VALID", or zeros on each side.

        With `groups` of n, each n-th of the features sees its n-th of the channels alone.
        """
        return convolution(
            x, features, size, padding, *self._settings, stride, groups, has_bias=has_bias
        )

    @nn.nowrap
    def conv_and_pool(self, x: Array, features: int, size: int, padding: str) -> Array:
        """`max_pool` of `conv`; as one, it is faster on a CPU."""
        if not self.fuses_pooling:
            return max_pool(self.conv(x, features, size, padding))
        return convolution(x, features, size, padding, *self._settings, pools=True)

    @nn.nowrap
    def dense(self, x: Array, features: int) -> Array:
        """`x W + b`, `[..., n]` to `[..., features]`."""
        return linear(x, features, *self._settings)

    @nn.nowrap
    def logits(self, x: Array) -> Array:
        """The last dense layer, `[batch, num_classes]`: float64 in that precision, else float32."""
        return self.dense(x, self.num_classes).astype(wide_dtype(self.precision))

    @nn.nowrap
    def batch_norm(self, x: Array, train: bool) -> Array:
        """BatchNorm with the momentum and epsilon of the paper's framework.

        Raises:
          TypeError: the class does not say that it normalizes.
        """
        if not self.normalizes:
            raise TypeError(f"{type(self).__name__} has BatchNorm; say `normalizes = True` in it")
        return nn.BatchNorm(
            use_running_average=not train,
            momentum=BATCH_NORM_MOMENTUM,
            epsilon=BATCH_NORM_EPSILON,
            dtype=PRECISIONS[self.precision].dtype,
        )(x)

    @nn.nowrap
    def layer_norm(self, x: Array) -> Array:
        """LayerNorm over the channels, `[..., channels]`, each with a learned scale and bias.

        Source: Ba et al. 2016 (arXiv:1607.06450).
        """
        return nn.LayerNorm(epsilon=LAYER_NORM_EPSILON, dtype=PRECISIONS[self.precision].dtype)(x)

    @nn.nowrap
    def drop(self, x: Array, rate: float, form: str, train: bool) -> Array:
        """Dropout, `form` a name of `DROPOUTS`."""
        return dropout(x, rate, form, train)

    @nn.nowrap
    def widened(self, features: int, groups: int = 1) -> int:
        """The channels that a layer gives for its activation to make `features` of them.

        Args:
          groups: of a convolution, which has no fewer channels.

        Raises:
          ActivationError: the function cannot give as many.
        """
        return max(self.activation.input_channels(features), groups)

    @nn.nowrap
    def activate(self, x: Array, features: int | None = None, groups: int = 1) -> Array:
        """The function under test, `[..., widened(features)]` to `[..., features]`.

        Where x has other channels, a dense layer gives the function what it needs; see
        `jaxact.activations.channel_activation`.

        Args:
          features: default: as many as x has.
          groups: of the convolution that gives x.
        """
        features = x.shape[-1] if features is None else features
        needed = self.activation.input_channels(features)
        if x.shape[-1] != needed:
            x, groups = self.dense(x, needed), 1
        return ActivationLayer(self.activation, self.sharing, groups)(x)
