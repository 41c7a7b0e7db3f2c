"""Initialisers of kernels and biases, by the name a configuration gives them.

Each variance below is that of the kernel's entries; `n_in` and `n_out` are the fans: kernel height
x kernel width x input (output) channels of a convolution, input (output) features of a dense layer.
The normal ones are truncated at two deviations and rescaled to the stated variance.
"""

import math

import jax
from jax.nn.initializers import Initializer, variance_scaling

from jaxact.errors import ConfigError, did_you_mean


def _uniform(bound: float) -> Initializer:
    def init(key, shape, dtype=None, out_sharding=None):
        del out_sharding
        return jax.random.uniform(key, shape, dtype or jax.numpy.float32, -bound, bound)

    return init


KERNEL_INITIALIZERS: dict[str, Initializer] = {
    # Uniform in +-1/sqrt(n_in), variance 1/(3 n_in): PyTorch's default for Conv2d and Linear.
    "torch_default": variance_scaling(1 / 3, "fan_in", "uniform"),
    # Variance 2/(n_in + n_out): Glorot and Bengio 2010, equation 16.
    "xavier_uniform": variance_scaling(1.0, "fan_avg", "uniform"),
    "xavier_normal": variance_scaling(1.0, "fan_avg", "truncated_normal"),
    # Variance 2/n_in: He et al. 2015 (arXiv:1502.01852), equation 10.
    "he_uniform": variance_scaling(2.0, "fan_in", "uniform"),
    "he_normal": variance_scaling(2.0, "fan_in", "truncated_normal"),
    # Variance 1/n_in: LeCun et al. 1998, "Efficient BackProp", section 4.6.
    "lecun_uniform": variance_scaling(1.0, "fan_in", "uniform"),
    "lecun_normal": variance_scaling(1.0, "fan_in", "truncated_normal"),
    # N(0, 0.01^2): too small for deep networks; AlexNet's choice.
    "normal_0.01": jax.nn.initializers.normal(0.01),
    # N(0, 0.05^2): too large for wide networks; their tanh saturates.
    "normal_0.05": jax.nn.initializers.normal(0.05),
    # Every unit stays equal to its neighbours: shows why symmetry must be broken.
    "zeros": jax.nn.initializers.zeros,
}


def kernel_initializer(name: str) -> Initializer:
    """The kernel initialiser of that name.

    Raises:
      ConfigError: no initialiser has that name.
    """
    try:
        return KERNEL_INITIALIZERS[name]
    except KeyError:
        raise ConfigError(
            f"kernel_init={name!r} is unknown{did_you_mean(name, KERNEL_INITIALIZERS)} "
            f"(one of {', '.join(KERNEL_INITIALIZERS)})"
        ) from None


def bias_initializer(name: str, fan_in: int, value: float | None = None) -> Initializer:
    """Biases start at `value`; at None, at what goes with the kernels' initialiser `name`.

    That is zero, but for `torch_default`: uniform in +-1/sqrt(fan_in).
    """
    if value is not None:
        return jax.nn.initializers.constant(value)
    return _uniform(1 / math.sqrt(fan_in)) if name == "torch_default" else jax.nn.initializers.zeros
