"""The activations of Keras: what jaxact has for each."""

from jaxact.activations.libraries.rows import Missing, Row, spec
from jaxact.specs import Value

VERSION = "3.15.1"

_LARGEST = 3.4028235e38  # of float32: no bound


def _glu(axis: Value = -1) -> str:
    if axis != -1:
        raise ValueError("axis must be -1, the channels: leave it out")
    return "glu"


def _relu(negative_slope: Value = 0.0, max_value: Value = None, threshold: Value = 0.0) -> str:
    if max_value is None and threshold == 0:
        return spec("leaky_relu", negative_slope=negative_slope) if negative_slope else "relu"
    if max_value is None and negative_slope == 0:
        return spec("threshold", threshold=threshold)
    if max_value == 6 and negative_slope == 0 and threshold == 0:
        return "relu6"
    high = _LARGEST if max_value is None else max_value
    return spec("clipped_leaky_relu", negative_slope=negative_slope, threshold=threshold, high=high)


def _relu_layer(
    max_value: Value = None, negative_slope: Value = 0.0, threshold: Value = 0.0
) -> str:
    return _relu(negative_slope, max_value, threshold)


def _gelu(approximate: Value = False) -> str:
    return "gelu_tanh" if approximate else "gelu"


def _along(name: str) -> Row:
    return lambda axis=-1: spec(name, axis=axis)


def _leaky(negative_slope: float) -> Row:
    return lambda negative_slope=negative_slope: spec("leaky_relu", negative_slope=negative_slope)


def _shrink(name: str) -> Row:
    return lambda threshold=0.5: spec(name, threshold=threshold)


def _with_alpha(name: str) -> Row:
    return lambda alpha=1.0: spec(name, alpha=alpha)


_FUNCTIONS: dict[str, Row] = {
    "celu": _with_alpha("celu"),
    "elu": _with_alpha("elu"),
    "exponential": "exponential",
    "gelu": _gelu,
    "glu": _glu,
    "hard_shrink": _shrink("hard_shrink"),
    "hard_sigmoid": "hard_sigmoid",
    "hard_silu": "hard_silu",
    "hard_swish": "hard_silu",
    "hard_tanh": "hard_tanh",
    "leaky_relu": _leaky(0.2),
    "linear": "identity",
    "log_sigmoid": "log_sigmoid",
    "log_softmax": _along("log_softmax"),
    "mish": "mish",
    "relu": _relu,
    "relu6": "relu6",
    "selu": "selu",
    "sigmoid": "sigmoid",
    "silu": "silu",
    "soft_shrink": _shrink("soft_shrink"),
    "softmax": _along("softmax"),
    "softplus": "softplus",
    "softsign": "soft_sign",
    "sparse_plus": "sparse_plus",
    "sparse_sigmoid": "sparse_sigmoid",
    "sparsemax": _along("sparsemax"),
    "squareplus": lambda b=4.0: spec("squareplus", b=b),
    "swish": "silu",
    "tanh": "tanh",
    "tanh_shrink": "tanh_shrink",
    "threshold": lambda threshold, default_value: spec(
        "threshold", threshold=threshold, value=default_value
    ),
}

ROWS: dict[str, Row] = {
    **{f"keras.activations.{name}": row for name, row in _FUNCTIONS.items()},
    "keras.layers.Activation": Missing("holds a function: name it, as keras.activations.relu"),
    "keras.layers.ELU": _with_alpha("elu"),
    "keras.layers.LeakyReLU": _leaky(0.3),
    "keras.layers.PReLU": Missing(
        "learns a slope for each unit, from 0; prelu(alpha=0) learns one for a layer or a channel"
    ),
    "keras.layers.ReLU": _relu_layer,
    "keras.layers.Softmax": _along("softmax"),
}
