"""The activations of PyTorch: what jaxact has for each.

A `dim` is the axis of that number; without one it is the last, where PyTorch guesses.
"""

from jaxact.activations.libraries.rows import Missing, Row, plain, spec
from jaxact.specs import Value

VERSION = "2.13.0"

_ATTENTION = Missing("attention, a layer of many activations and none by itself")


def _glu(dim: Value = -1) -> str:
    if dim != -1:
        raise ValueError("dim must be -1, the channels: leave it out")
    return "glu"


def _gelu(approximate: Value = "none") -> str:
    names = {"none": "gelu", "tanh": "gelu_tanh"}
    if not isinstance(approximate, str) or approximate not in names:
        raise ValueError("approximate must be 'none' or 'tanh'")
    return names[approximate]


def _hardtanh(min_val: Value = -1.0, max_val: Value = 1.0, inplace: Value = False) -> str:
    return spec("hard_tanh", low=min_val, high=max_val)


def _leaky(negative_slope: Value = 0.01, inplace: Value = False) -> str:
    return spec("leaky_relu", negative_slope=negative_slope)


def _along(name: str) -> Row:
    return lambda dim=None: spec(name, axis=-1 if dim is None else dim)


def _rrelu(
    lower: Value = 1 / 8,
    upper: Value = 1 / 3,
    training: Value = False,
    inplace: Value = False,
) -> str:
    """Drops PyTorch's `training`: the network's mode decides here."""
    return spec("rrelu", lower=lower, upper=upper)


def _shrink(name: str) -> Row:
    return lambda lambd=0.5: spec(name, threshold=lambd)


def _softplus(beta: Value = 1.0, threshold: Value = 20.0) -> str:
    """Beyond 20 the line that PyTorch goes over to differs from the function by 2e-9."""
    if not isinstance(threshold, int | float) or threshold < 20:
        raise ValueError("threshold below 20 makes it another function: leave it out")
    return spec("softplus", beta=beta)


def _threshold(threshold: Value, value: Value, inplace: Value = False) -> str:
    return spec("threshold", threshold=threshold, value=value)


def _with_alpha(name: str) -> Row:
    return lambda alpha=1.0, inplace=False: spec(name, alpha=alpha)


def _prelu(
    num_parameters: Value = 1, init: Value = 0.25, device: Value = None, dtype: Value = None
) -> str:
    if num_parameters != 1:
        raise ValueError("num_parameters: one a channel are had with activation_sharing=channel")
    return spec("prelu", alpha=init)


# A class, the function of the same name in torch.nn.functional, and what they are.
_BOTH: dict[tuple[str, str], Row] = {
    ("Threshold", "threshold"): _threshold,
    ("ReLU", "relu"): plain("relu"),
    ("Hardtanh", "hardtanh"): _hardtanh,
    ("ReLU6", "relu6"): plain("relu6"),
    ("Sigmoid", "sigmoid"): spec("sigmoid"),
    ("Hardsigmoid", "hardsigmoid"): plain("hard_sigmoid"),
    ("Tanh", "tanh"): spec("tanh"),
    ("SiLU", "silu"): plain("silu"),
    ("Mish", "mish"): plain("mish"),
    ("Hardswish", "hardswish"): plain("hard_silu"),
    ("ELU", "elu"): _with_alpha("elu"),
    ("CELU", "celu"): _with_alpha("celu"),
    ("SELU", "selu"): plain("selu"),
    ("GLU", "glu"): _glu,
    ("GELU", "gelu"): _gelu,
    ("Hardshrink", "hardshrink"): _shrink("hard_shrink"),
    ("LeakyReLU", "leaky_relu"): _leaky,
    ("LogSigmoid", "logsigmoid"): spec("log_sigmoid"),
    ("Softplus", "softplus"): _softplus,
    ("Softshrink", "softshrink"): _shrink("soft_shrink"),
    ("Softsign", "softsign"): spec("soft_sign"),
    ("Tanhshrink", "tanhshrink"): spec("tanh_shrink"),
    ("Softmin", "softmin"): _along("softmin"),
    ("Softmax", "softmax"): _along("softmax"),
    ("LogSoftmax", "log_softmax"): _along("log_softmax"),
}
# Those that have a form for their input's own memory, with an underscore.
_IN_PLACE = ("threshold", "relu", "hardtanh", "elu", "selu", "celu", "leaky_relu")

ROWS: dict[str, Row] = {
    **{f"torch.nn.{name}": row for (name, _), row in _BOTH.items()},
    "torch.nn.Identity": spec("identity"),
    "torch.nn.MultiheadAttention": _ATTENTION,
    "torch.nn.PReLU": _prelu,
    "torch.nn.RReLU": _rrelu,
    "torch.nn.Softmax2d": spec("softmax"),  # over the channels, which come last here
    **{f"torch.nn.functional.{name}": row for (_, name), row in _BOTH.items()},
    "torch.nn.functional.prelu": lambda weight: spec("prelu", alpha=weight),
    "torch.nn.functional.rrelu": _rrelu,
    "torch.nn.functional.gumbel_softmax": Missing("draws a sample, one of several classes"),
    **{
        f"torch.nn.functional.{name}_": row for (_, name), row in _BOTH.items() if name in _IN_PLACE
    },
    "torch.nn.functional.rrelu_": _rrelu,
}
