"""The activations of Hugging Face's transformers (keys of ACT2FN) and timm (its act layers)."""

from jaxact.activations.libraries.rows import Missing, Row, plain, spec

TRANSFORMERS_VERSION = "5.24.0"
TIMM_VERSION = "1.0.31"

_TRANSFORMERS: dict[str, Row] = {
    "gelu": "gelu",
    "gelu_10": "clipped_gelu",
    "gelu_accurate": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_new": "gelu_tanh",
    "gelu_python": "gelu",
    "gelu_python_tanh": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "hardswish": "hard_silu",
    "laplace": "laplace",
    "leaky_relu": "leaky_relu",
    "linear": "identity",
    "mish": "mish",
    "prelu": "prelu",
    "quick_gelu": "quick_gelu",
    "relu": "relu",
    "relu2": "squared_relu",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "silu": "silu",
    "sqrtsoftplus": Missing("the square root of softplus"),
    "swish": "silu",
    "tanh": "tanh",
    "xielu": "xielu",
}

_TIMM: dict[str, Row] = {
    "celu": lambda alpha=1.0, inplace=False: spec("celu", alpha=alpha),
    "elu": lambda alpha=1.0, inplace=False: spec("elu", alpha=alpha),
    "gelu": plain("gelu"),
    "gelu_tanh": plain("gelu_tanh"),
    "hard_mish": plain("hard_mish"),
    "hard_sigmoid": plain("hard_sigmoid"),
    "hard_swish": plain("hard_silu"),
    "hardsigmoid": plain("hard_sigmoid"),
    "hardswish": plain("hard_silu"),
    "identity": "identity",
    "leaky_relu": lambda negative_slope=0.01, inplace=False: spec(
        "leaky_relu", negative_slope=negative_slope
    ),
    "mish": plain("mish"),
    "prelu": lambda init=0.25, inplace=False: spec("prelu", alpha=init),
    "quick_gelu": plain("quick_gelu"),
    "relu": plain("relu"),
    "relu6": plain("relu6"),
    "selu": plain("selu"),
    "sigmoid": plain("sigmoid"),
    "silu": plain("silu"),
    "swish": plain("silu"),
    "tanh": plain("tanh"),
}

TRANSFORMERS: dict[str, Row] = {f"transformers.{name}": row for name, row in _TRANSFORMERS.items()}
TIMM: dict[str, Row] = {f"timm.{name}": row for name, row in _TIMM.items()}
