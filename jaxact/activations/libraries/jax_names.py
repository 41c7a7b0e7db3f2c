"""The activations of jax.nn: what jaxact has for each; `jax.nn:relu`, with a colon, is JAX's."""

from jaxact.activations.libraries.rows import Missing, Row, spec
from jaxact.specs import Value

VERSION = "0.12.0"


def _glu(axis: Value = -1) -> str:
    if axis != -1:
        raise ValueError("axis must be -1, the channels: leave it out")
    return "glu"


def _gelu(approximate: Value = True) -> str:
    return "gelu_tanh" if approximate else "gelu"


_ROWS: dict[str, Row] = {
    "celu": lambda alpha=1.0: spec("celu", alpha=alpha),
    "elu": lambda alpha=1.0: spec("elu", alpha=alpha),
    "gelu": _gelu,
    "glu": _glu,
    "hard_sigmoid": "hard_sigmoid",
    "hard_silu": "hard_silu",
    "hard_swish": "hard_silu",
    "hard_tanh": "hard_tanh",
    "identity": "identity",
    "leaky_relu": lambda negative_slope=0.01: spec("leaky_relu", negative_slope=negative_slope),
    "log_sigmoid": "log_sigmoid",
    "log_softmax": lambda axis=-1: spec("log_softmax", axis=axis),
    "mish": "mish",
    "relu": "relu",
    "relu6": "relu6",
    "selu": "selu",
    "sigmoid": "sigmoid",
    "silu": "silu",
    "soft_sign": "soft_sign",
    "softmax": lambda axis=-1: spec("softmax", axis=axis),
    "softplus": "softplus",
    "sparse_plus": "sparse_plus",
    "sparse_sigmoid": "sparse_sigmoid",
    "squareplus": lambda b=4.0: spec("squareplus", b=b),
    "standardize": Missing("brings an axis to mean 0 and variance 1: a normalization layer"),
    "swish": "silu",
    "tanh": "tanh",
}

ROWS: dict[str, Row] = {f"jax.nn.{name}": row for name, row in _ROWS.items()}
