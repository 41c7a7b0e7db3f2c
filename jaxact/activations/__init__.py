"""Activation functions, each with its closed-form derivative, exact to the precision of its dtype.

`get("leaky_relu(negative_slope=0.05)")` gives a record: `act(x, **act.params)` is the value,
`act.derivative(x, **act.params)` the derivative. Each function is a plain one too.
"""

from jaxact.activations import catalogue as _catalogue  # noqa: F401  (fills the registry)
from jaxact.activations.exponential import celu, elu, selu
from jaxact.activations.gated import hard_silu, hard_swish, mish, silu, swish
from jaxact.activations.gaussian import gelu, gelu_tanh
from jaxact.activations.learnable import prelu
from jaxact.activations.normalized import softmax
from jaxact.activations.record import Activation, ActivationError, Kink
from jaxact.activations.rectifiers import (
    binary_step,
    hard_sigmoid,
    hard_tanh,
    identity,
    leaky_relu,
    linear,
    relu,
    relu6,
    sparse_sigmoid,
)
from jaxact.activations.registry import INTEGER, NUMBER, POSITIVE, Domain, get, names, register
from jaxact.activations.sigmoids import sigmoid, soft_sign, tanh
from jaxact.activations.smooth_rectifiers import log_sigmoid, softplus, sparse_plus, squareplus

__all__ = [
    "INTEGER",
    "NUMBER",
    "POSITIVE",
    "Activation",
    "ActivationError",
    "Domain",
    "Kink",
    "binary_step",
    "celu",
    "elu",
    "gelu",
    "gelu_tanh",
    "get",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "mish",
    "names",
    "prelu",
    "register",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softmax",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "swish",
    "tanh",
]
