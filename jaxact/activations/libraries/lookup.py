"""The tables of names: which there are, and our spec for a name of another library.

Nothing is imported of those libraries: `torch.nn.ReLU` is a name here, and no more.
"""

import inspect
from collections.abc import Mapping
from typing import NamedTuple

from jaxact.activations.activation import ActivationError
from jaxact.activations.libraries import jax_names, keras_names, model_hub_names, torch_names
from jaxact.activations.libraries.rows import Missing, Row
from jaxact.errors import did_you_mean
from jaxact.specs import Value


class Library(NamedTuple):
    """A library: what it is called, the version that its table was made from, and the table."""

    title: str
    version: str
    rows: Mapping[str, Row]


# By the first part of their names.
LIBRARIES = {
    "torch": Library("PyTorch", torch_names.VERSION, torch_names.ROWS),
    "keras": Library("Keras", keras_names.VERSION, keras_names.ROWS),
    "transformers": Library(
        "Hugging Face transformers",
        model_hub_names.TRANSFORMERS_VERSION,
        model_hub_names.TRANSFORMERS,
    ),
    "timm": Library("timm", model_hub_names.TIMM_VERSION, model_hub_names.TIMM),
    "jax": Library("JAX", jax_names.VERSION, jax_names.ROWS),
}


def is_of_a_library(target: str) -> bool:
    """Whether a name without a colon is one of a library with a table.

    >>> is_of_a_library("torch.nn.ReLU"), is_of_a_library("jax.nn:relu"), is_of_a_library("relu")
    (True, False, False)
    """
    first, dot, _ = target.partition(".")
    return bool(dot) and ":" not in target and first in LIBRARIES


def translated(target: str, arguments: Mapping[str, Value]) -> str:
    """Our spec for a library's name with the library's own parameters.

    Args:
      target: as the library writes it: `torch.nn.LeakyReLU`.
      arguments: those given, by the library's names.

    Raises:
      ActivationError: the name is unknown, we have nothing for it, or a parameter is wrong.

    >>> translated("torch.nn.LeakyReLU", {"negative_slope": 0.2})
    'leaky_relu(negative_slope=0.2)'
    """
    rows = LIBRARIES[target.partition(".")[0]].rows
    if target not in rows:
        near = did_you_mean(target, rows, likeness=0.8)
        raise ActivationError(f"unknown activation {target}{near or '; docs/names.md lists all'}")
    row = rows[target]
    if isinstance(row, Missing):
        raise ActivationError(f"there is nothing here for {target}: {row.reason}")
    translate = row if callable(row) else lambda: row
    parameters = inspect.signature(translate)
    try:
        bound = parameters.bind(**arguments)
    except TypeError as error:
        takes = f"it takes {', '.join(parameters.parameters) or 'none'}"
        raise ActivationError(f"{target}: {error}; {takes}") from None
    try:
        return translate(*bound.args, **bound.kwargs)
    except ValueError as error:
        raise ActivationError(f"{target}: {error}") from None
