"""One's own functions: which activations they are, and a wrong one told in a line."""

import dataclasses
import re
import shlex
import traceback
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

# The import fills the registry: what is in it now is jaxact's, what comes later is the user's.
from jaxact.activations import functions as _functions, registry  # noqa: F401
from jaxact.activations.activation import Activation, ActivationError
from jaxact.errors import JaxactError

_JAXACTS = frozenset((*registry.names(), *registry.channel_names()))
# The complex numbers of a function that means none are a warning to JAX, or an error.
COMPLEX = "Casting .*complex"
# What to do about an error, by its kind and text.
_ADVICE = (
    (jax.errors.TracerBoolConversionError, "", "it branches on its input's values: use jnp.where"),
    (ValueError, "truth value of an array", "it branches on its input's values: use jnp.where"),
    (jax.errors.TracerArrayConversionError, "", "it hands its input to numpy: use jax.numpy"),
    (jax.errors.TracerIntegerConversionError, "", "it counts by its input's values"),
    (jax.errors.ConcretizationTypeError, "", "it takes its input's values from JAX: use jax.numpy"),
    (Exception, COMPLEX, "it drops an imaginary part: use jnp.real, if that is meant"),
)
# Where no line of a user's is: these packages, and what Python itself runs.
_NOT_THEIRS = (
    "<",
    *(str(Path(str(package.__file__)).parent) for package in (jax, np, registry)),
    str(Path(str(jax.__file__)).parents[1] / "flax"),
)
LONGEST = 200  # of what a message cites


def is_own(activation: Activation) -> bool:
    """Whether an activation is the user's: what it computes does not follow from jaxact's version.

    >>> is_own(registry.get("elu(alpha=0.5)")), is_own(registry.get("jax.nn:elu"))
    (False, True)
    """
    target = activation.spec.partition("(")[0]
    if ":" in target:
        is_ours = target.startswith("jaxact.")
    else:
        is_ours = target in _JAXACTS and registry.function(target) is activation.function
    if not is_ours:
        return True
    parts = (value for _, value in activation.constants if isinstance(value, str))  # of a pair
    return any(is_own(registry.get(part)) for part in parts)


def same(spec: str, other: str) -> bool:
    """Whether two specs name one function with the same parameters, however they are written.

    >>> same("hard_silu", "hard_swish"), same("jax.nn:elu()", "jax.nn:elu"), same("elu", "celu")
    (True, True, False)
    """
    try:
        one, two = (
            dataclasses.replace(registry.get(text), name="", spec="") for text in (spec, other)
        )
    except ActivationError:
        return spec == other
    return one == two


def call(activation: Activation, x: Array, **params: Any) -> Array:
    """The value of one's own activation; arguments as for a call of the `Activation`.

    Raises:
      ActivationError: it fails, or gives anything but an array of the shape and dtype of `x`.
    """
    try:
        y = activation(x, **params)
    except JaxactError:
        raise
    except Exception as error:  # whatever a user's function raises
        raise wrong(activation, f"fails on {_text(x)}: {cause(error)}") from error
    if not isinstance(y, Array | np.ndarray | np.generic):
        hint = ": it may lack a return" if y is None else ""
        raise wrong(activation, f"gives no array, but a {type(y).__name__}{hint}")
    if y.shape != x.shape:
        raise wrong(activation, f"gives {_text(y)} for {_text(x)}: it must keep the shape")
    if y.dtype != x.dtype:
        end = "jnp.real or jnp.abs" if jnp.iscomplexobj(y) else ".astype(x.dtype)"
        text = f"gives {_text(y)} for {_text(x)}: it must keep the dtype (end it with {end})"
        raise wrong(activation, text)
    return jnp.asarray(y)


def wrong(activation: Activation, text: str) -> ActivationError:
    """The error of a function of which `text` tells what it does."""
    spec = activation.spec
    hint = f"; see `python -m jaxact.check {shlex.quote(spec)}`" * is_found_elsewhere(spec)
    return ActivationError(f"{spec} {text}{hint}")


def is_found_elsewhere(spec: str) -> bool:
    """Whether another process finds an activation by its spec: not one that was given as function.

    >>> is_found_elsewhere("elu(alpha=0.5)"), is_found_elsewhere("jax.nn:elu")
    (True, True)
    >>> is_found_elsewhere("lambda_1c0ffee5")
    False
    """
    target = spec.partition("(")[0]
    return ":" in target or target in _JAXACTS


def cause(error: Exception) -> str:
    """The error of a user's function and its place, in a line, or what to do about it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = ": ".join([type(error).__name__, *lines[:1]])
    for kind, pattern, advice in _ADVICE:
        if isinstance(error, kind) and re.search(pattern, text):
            text = advice
            break
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(_NOT_THEIRS)]
    where = f" ({Path(theirs[-1].filename).name}, line {theirs[-1].lineno})" if theirs else ""
    return (text if len(text) <= LONGEST else f"{text[:LONGEST]}...") + where


def _text(x: Any) -> str:
    return f"{x.dtype}[{','.join(map(str, x.shape))}]"
