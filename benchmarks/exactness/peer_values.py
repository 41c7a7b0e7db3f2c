"""Values and derivatives of another library's activations, in a process of its own.

    python -m benchmarks.exactness.peer_values          prints the libraries that are installed
    python -m benchmarks.exactness.peer_values LIBRARY NAME PARAMETERS INPUTS RESULTS

PARAMETERS is JSON, INPUTS a file of float32 numbers (`numpy.save`), RESULTS one that is written:
`[2, n]`, or nothing where the library has no such function. Imports NumPy and the library alone.
"""

import functools
import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

CHUNK = 2**20
Compute = Callable[[np.ndarray], tuple[Any, Any]]


def libraries() -> dict[str, str]:
    """The libraries that this interpreter has, each with its version."""
    found = {}
    for package, names in {"jax": ("jax.nn", "jax.nn, HIGHEST"), "torch": ("torch",)}.items():
        if importlib.util.find_spec(package) is not None:
            found |= dict.fromkeys(names, importlib.metadata.version(package))
    return found


def of_jax(name: str, is_highest: bool) -> Compute | None:
    """jax.nn's function; with the highest accuracy, those that are one operation of XLA's."""
    import jax
    import jax.numpy as jnp

    if is_highest:
        operation = {"tanh": "tanh", "sigmoid": "logistic"}.get(name)
        if operation is None or not hasattr(jax.lax, "AccuracyMode"):
            return None
        highest = jax.lax.AccuracyMode.HIGHEST
        function: Any = functools.partial(getattr(jax.lax, operation), accuracy=highest)
    elif name in ("gelu", "gelu_tanh"):
        function = functools.partial(jax.nn.gelu, approximate=name == "gelu_tanh")
    else:
        function = getattr(jax.nn, name, None)
    if function is None:
        return None

    @jax.jit
    def compute(x: Any) -> tuple[Any, Any]:
        y, pull_back = jax.vjp(function, x)
        return y, pull_back(jnp.ones_like(y))[0]

    return compute


def of_torch(name: str, parameters: dict[str, Any]) -> Compute | None:
    """PyTorch's function, in eager mode."""
    import torch  # pyright: ignore[reportMissingImports]

    from benchmarks.contenders import torch_activations

    if name not in torch_activations.ACTIVATIONS:
        return None
    function = torch_activations.activation(name, parameters)

    def compute(numbers: np.ndarray) -> tuple[Any, Any]:
        x = torch.from_numpy(numbers.copy()).requires_grad_()
        y = function(x)
        y.sum().backward()
        return y.detach().numpy(), x.grad.numpy()

    return compute


def main(library: str, name: str, parameters: str, inputs: str, results: str) -> None:
    is_torch = library == "torch"
    compute = (
        of_torch(name, json.loads(parameters)) if is_torch else of_jax(name, "HIGHEST" in library)
    )
    if compute is None:
        return
    x = np.load(inputs)
    found = np.empty((2, x.size), np.float32)
    for start in range(0, x.size, CHUNK):
        piece = slice(start, start + CHUNK)
        padded = np.resize(x[piece], CHUNK)
        for row, part in zip(found, compute(padded), strict=True):
            row[piece] = np.asarray(part)[: x[piece].size]
    np.save(results, found)


if __name__ == "__main__":
    if sys.argv[1:]:
        main(*sys.argv[1:])
    else:
        print(json.dumps(libraries()))
