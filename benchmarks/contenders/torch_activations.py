"""The activations in PyTorch. Imports PyTorch alone."""

from collections.abc import Callable
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

Function = Callable[[Tensor], Tensor]


def _with(function: Callable[..., Tensor], **constants: Any) -> Callable[..., Function]:
    """`function` with its constants, and then with the parameters that an activation has."""
    return lambda **parameters: lambda x: function(x, **constants, **parameters)


def _swish(x: Tensor, beta: float = 1.0) -> Tensor:
    return F.silu(x) if beta == 1 else x * torch.sigmoid(beta * x)


# By jaxact's name: its parameters to a function; PReLU is a module, with a parameter of its own.
ACTIVATIONS: dict[str, Callable[..., Function]] = {
    "identity": _with(lambda x: x),
    "sigmoid": _with(torch.sigmoid),
    "tanh": _with(torch.tanh),
    "relu": _with(F.relu),
    "relu6": _with(F.relu6),
    "leaky_relu": _with(F.leaky_relu),
    "prelu": lambda alpha: nn.PReLU(init=alpha),
    "elu": _with(F.elu),
    "celu": _with(F.celu),
    "selu": _with(F.selu),
    "swish": _with(_swish),
    "silu": _with(F.silu),
    "mish": _with(F.mish),
    "gelu": _with(F.gelu),
    "gelu_tanh": _with(F.gelu, approximate="tanh"),
    "hard_sigmoid": _with(F.hardsigmoid),
    "hard_silu": _with(F.hardswish),
    "hard_swish": _with(F.hardswish),
    "hard_tanh": lambda low, high: lambda x: F.hardtanh(x, low, high),
    "log_sigmoid": _with(F.logsigmoid),
    "soft_sign": _with(F.softsign),
    "softplus": _with(F.softplus),
}


def activation(name: str, parameters: dict[str, Any]) -> Function:
    """The activation of jaxact's name.

    Raises:
      ValueError: PyTorch has none.
    """
    if name not in ACTIVATIONS:
        raise ValueError(f"PyTorch has no {name}; it has {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name](**parameters)


class Activate(nn.Module):
    """A function as a module."""

    def __init__(self, function: Function):
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)
