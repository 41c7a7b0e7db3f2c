"""Functions that see channels, and the rules by which a network makes room for them.

An `Activation` gives a number for a number. A `ChannelActivation` may look at all channels, the
last axis of its input, or at all of an image `[batch, height, width, channels]`. Five rules hold
for all of them:

Channels. It takes `ratio` channels for each that it gives: 2 of the gated linear units, a value and
a gate; as many as maxout has pieces; 1/2 of CReLU, which gives both signs of each; 1 of the rest.
`input_channels(n)` is what it takes to give n, and pieces are n channels apart: the values, then
the gates.

Width. Networks keep the widths that they were planned with: what comes out of the activation. The
convolution or dense layer before it gives `input_channels(n)`; BatchNorm, dropout and pooling
between the two act on all of these. Where no such layer comes before (after the sum of a residual
block, or where BatchNorm and activation precede the convolution), a dense layer over the channels
of each pixel does, without which a gate would have nothing to choose from: the W and V of
Shazeer 2020. In a grouped or depthwise convolution the pieces of a group go together. Shazeer's
comparison narrows gated layers by 2/3, so that all have one number of parameters; ours leaves
widths as planned, and tables show the ratio of the parameters to those with ReLU.

Parameters. Their shapes follow from the input's, and `draw` fills them: `learned`. Each channel has
its own, whatever is shared in an activation's layer. Kernels among them, called so, are decayed as
those of layers are.

State. `normalizes`: the formula takes a function `normalize`. Alone it leaves numbers as they are;
in a network it is BatchNorm, with a scale, a bias and running statistics.

Limits. A function without a number for a number has no derivative to draw and no dead units. Places
that need one refuse it and say so; the others ask for `input_channels`.

Sources: Goodfellow et al. 2013, arXiv 1302.4389 (maxout); Dauphin et al. 2016, arXiv 1612.08083,
and Shazeer 2020, arXiv 2002.05202 (gated linear units).
"""

import dataclasses
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from jaxact.activations.activation import Activation, ActivationError


class Learned(NamedTuple):
    """A parameter whose shape follows from that of the input.

    Attributes:
      name: as the function takes it.
      shape: from the shape of the input, `[..., channels]`, to the parameter's.
      draw: an initialiser as `jax.nn.initializers` has them: key, shape and dtype to an array.
    """

    name: str
    shape: Callable[[tuple[int, ...]], tuple[int, ...]]
    draw: Callable[[Array, tuple[int, ...], Any], Array]


@dataclasses.dataclass(frozen=True)
class ChannelActivation(Activation):
    """A function of channels, its constants bound: `act(x, **act.drawn(key, x.shape))`.

    Attributes:
      ratio: channels that it takes for each that it gives.
      learned: its parameters.
      normalizes: whether it takes a function `normalize`, BatchNorm in a network.
      is_pointwise: whether each pixel of an output depends on the same pixel alone.
      Those of `Activation`; it is not elementwise, and has no `initial`.
    """

    elementwise: bool = False
    ratio: Fraction = Fraction(1)
    learned: tuple[Learned, ...] = ()
    normalizes: bool = False
    is_pointwise: bool = True

    @property
    def learns(self) -> bool:
        return bool(self.learned)

    def input_channels(self, features: int) -> int:
        """The channels that it takes to give so many.

        Raises:
          ActivationError: it cannot give as many.
        """
        needed = features * self.ratio
        if needed.denominator > 1:
            multiple = self.ratio.denominator
            raise ActivationError(
                f"{self.spec} gives a multiple of {multiple} channels, not {features}: choose a "
                "network whose widths are such, or another activation"
            )
        return int(needed)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that it gives for an input's, `[..., channels]`."""
        return (*shape[:-1], int(shape[-1] / self.ratio))

    def drawn(self, key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> dict[str, Any]:
        """The parameters before training, by name, for inputs of a shape `[..., channels]`."""
        return {
            one.name: one.draw(jax.random.fold_in(key, place), one.shape(shape), dtype)
            for place, one in enumerate(self.learned)
        }

    def derivative(self, x: ArrayLike, **params: Any) -> Array:
        """Raises TypeError: what maps channels to channels has a Jacobian, of `jax.vjp`."""
        raise TypeError(
            f"{self.spec} sees channels, so it has no derivative of one number: use jax.vjp"
        )

    def _arguments(self, key: Any, params: Mapping[str, Any]) -> dict[str, Any]:
        if key is not None:
            raise TypeError(f"{self.name} draws nothing: it takes no key")
        names = [one.name for one in self.learned]
        allowed = [*names, *["normalize"] * self.normalizes]
        if unknown := sorted(set(params) - set(allowed)):
            raise TypeError(
                f"{self.name} has no learnable {unknown[0]!r}; learnable: "
                f"{', '.join(names) or 'none'}"
            )
        if lacking := [name for name in names if name not in params]:
            raise TypeError(
                f"{self.name} needs {', '.join(lacking)}: act(x, **act.drawn(key, x.shape))"
            )
        return {**dict(self.constants), **params}
