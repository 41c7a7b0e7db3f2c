"""Activation functions, each with its closed-form derivative, exact to the precision of its dtype.

`get("leaky_relu(negative_slope=0.05)")` gives a record: `act(x, **act.params)` is the value,
`act.derivative(x, **act.params)` the derivative. Each function is a plain one too.
"""

from jaxact.activations import (  # noqa: F401  (they fill the registry)  # noqa: F401  # noqa: F401
    catalogue as _catalogue,
    catalogue_gated as _catalogue_gated,
    catalogue_learnable as _catalogue_learnable,
)
from jaxact.activations.activation import Activation, ActivationError, Kink
from jaxact.activations.functions.algebraic import bent_identity, isrlu, isru, sqnl, squared_relu
from jaxact.activations.functions.composed import elish, hard_elish, lisht
from jaxact.activations.functions.exponential import celu, elu, selu
from jaxact.activations.functions.gated import (
    hard_mish,
    hard_silu,
    hard_swish,
    learned_swish,
    mish,
    quick_gelu,
    silu,
    swish,
)
from jaxact.activations.functions.gaussian import gelu, gelu_tanh
from jaxact.activations.functions.learnable import arelu, pdelu, prelu, srs
from jaxact.activations.functions.learnable_shapes import (
    affine_combination,
    apl,
    convex_combination,
    pau,
)
from jaxact.activations.functions.normalized import softmax
from jaxact.activations.functions.periodic import snake
from jaxact.activations.functions.rectifiers import (
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
from jaxact.activations.functions.shrinkage import hard_shrink, soft_shrink, tanh_shrink
from jaxact.activations.functions.sigmoids import sigmoid, soft_sign, tanh
from jaxact.activations.functions.smooth_rectifiers import (
    log_sigmoid,
    softplus,
    sparse_plus,
    squareplus,
)
from jaxact.activations.registry import INTEGER, NUMBER, POSITIVE, Domain, get, names, register

__all__ = [
    "INTEGER",
    "NUMBER",
    "POSITIVE",
    "Activation",
    "ActivationError",
    "Domain",
    "Kink",
    "affine_combination",
    "apl",
    "arelu",
    "bent_identity",
    "binary_step",
    "celu",
    "convex_combination",
    "elish",
    "elu",
    "gelu",
    "gelu_tanh",
    "get",
    "hard_elish",
    "hard_mish",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "isrlu",
    "isru",
    "leaky_relu",
    "learned_swish",
    "linear",
    "lisht",
    "log_sigmoid",
    "mish",
    "names",
    "pau",
    "pdelu",
    "prelu",
    "quick_gelu",
    "register",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "snake",
    "soft_shrink",
    "soft_sign",
    "softmax",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "sqnl",
    "squared_relu",
    "squareplus",
    "srs",
    "swish",
    "tanh",
    "tanh_shrink",
]
