"""Which of a network's parameters are kernels: those that are decayed and penalised."""

from typing import Any

import jax


def is_kernel(path: tuple[Any, ...], leaf: jax.Array) -> bool:
    """Whether a parameter is a kernel: the only kind that is decayed.

    That is one named "kernel", as Flax's layers call it, and in modules of the user's own every
    other matrix, too. Biases, scales of normalisation and learnable activation parameters are not:
    decaying PReLU's alpha would pull it towards ReLU (He et al. 2015, section 2.1). Of a function
    that sees channels its kernels are.
    """
    *layers, name = (str(getattr(key, "key", key)) for key in path)
    if any(layer.startswith("ActivationLayer") for layer in layers):
        return name.endswith("kernel")
    return name == "kernel" or (leaf.ndim > 1 and name not in ("bias", "scale"))


def kernels(params: Any) -> Any:
    """Which of a model's parameters are kernels, in their tree."""
    return jax.tree_util.tree_map_with_path(is_kernel, params)
