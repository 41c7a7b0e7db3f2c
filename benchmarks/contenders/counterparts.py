"""jax.nn's own version of an activation, as a spec of a user's function."""

import inspect

import jax

from jaxact.activations import Activation, ChannelActivation, get

# jax.nn's `gelu` is the tanh form unless told otherwise.
_SPECS = {
    "gelu": "jax.nn:gelu(approximate=False)",
    "gelu_tanh": "jax.nn:gelu(approximate=True)",
}


def jax_nn_spec(activation: Activation) -> str | None:
    """The spec of jax.nn's function, such as `jax.nn:elu(alpha=1.0)`; None if it has none.

    It becomes a plain `Activation` that JAX differentiates by jax.nn's own rules. A function that
    sees channels has none: one's own, as it would be, keeps the shape.
    """
    if isinstance(activation, ChannelActivation):
        return None
    name, constants = activation.name, dict(activation.constants)
    if name in _SPECS:
        return _SPECS[name]
    function = getattr(jax.nn, name, None)
    if function is None:
        return None
    taken = inspect.signature(function).parameters.keys()
    defaults = dict(get(name).constants)  # a parameter that jax.nn lacks stands at ours
    constants = {k: v for k, v in constants.items() if k in taken or v != defaults[k]}
    if not constants.keys() <= taken:
        return None
    arguments = ", ".join(f"{key}={value!r}" for key, value in constants.items())
    return f"jax.nn:{name}({arguments})" if arguments else f"jax.nn:{name}"
