"""A hash of what a traced program computes, without the names and places of what is written."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core

# Calls of a program within another: what they compute stands in it as if it were written there.
# Derivatives of its own that it has are no part of its value.
_CALLS = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "remat": "jaxpr",
    "remat2": "jaxpr",
    "checkpoint": "jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "custom_vjp_call_jaxpr": "fun_jaxpr",
    "custom_lin": "fun_jaxpr",
}
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Opaque(Exception):
    """A program calls Python, of which it cannot be said what it computes."""


def program_hash(program: Any) -> str:
    """The SHA-256 of a program's outputs as expressions of its inputs.

    An expression is an operation, its parameters, and the hashes of its arguments; a constant is
    its content. So names, the order of lines, helper functions and what is not used do not count.

    Args:
      program: as `jax.make_jaxpr` gives it.

    Raises:
      Opaque: the program calls Python.
    """
    return _digest("program", *_of_jaxpr(program, None))


def _of_jaxpr(program: Any, inputs: Sequence[str] | None) -> list[str]:
    """The hashes of a program's outputs, from those of its inputs; None: inputs by their place."""
    jaxpr = getattr(program, "jaxpr", program)  # of a ClosedJaxpr, or one without constants
    if inputs is None:
        inputs = [_digest("input", k, var.aval) for k, var in enumerate(jaxpr.invars)]
    hashes = dict(zip(jaxpr.invars, inputs, strict=True))
    constants = getattr(program, "consts", ())
    hashes |= zip(jaxpr.constvars, map(_of_array, constants), strict=True)

    def of(atom: Any) -> str:
        return _of_array(atom.val, atom.aval) if isinstance(atom, core.Literal) else hashes[atom]

    for equation in jaxpr.eqns:
        name, arguments = equation.primitive.name, list(map(of, equation.invars))
        if name in _CALLS and _CALLS[name] in equation.params:
            outputs = _of_jaxpr(equation.params[_CALLS[name]], arguments)
        else:
            whole = _digest(name, _of_value(equation.params), *arguments)
            outputs = [_digest(whole, k) for k in range(len(equation.outvars))]
        hashes |= zip(equation.outvars, outputs, strict=True)
    return list(map(of, jaxpr.outvars))


def _of_value(value: Any) -> str:
    """The hash of an operation's parameter."""
    if hasattr(value, "eqns"):  # a Jaxpr, or one with its constants
        return _digest("program", *_of_jaxpr(value, None))
    if isinstance(value, np.ndarray | jax.Array):
        return _of_array(value)
    if isinstance(value, Mapping):
        named = sorted((str(key), _of_value(v)) for key, v in value.items() if key != "name")
        return _digest("mapping", *named)
    if isinstance(value, set | frozenset):
        return _digest("set", *sorted(map(_of_value, value)))
    if isinstance(value, tuple | list):
        return _digest("sequence", *map(_of_value, value))
    text = str(value) if isinstance(value, np.generic | np.dtype) else repr(value)
    if _ADDRESS.search(text):
        raise Opaque(text)
    return _digest(type(value).__name__, text)


def _of_array(array: Any, aval: Any = None) -> str:
    if isinstance(array, jax.Array) and jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
        array = jax.random.key_data(array)
    content = np.asarray(array)
    weak = getattr(aval if aval is not None else array, "weak_type", False)
    return _digest("array", content.dtype, content.shape, weak, content.tobytes().hex())


def _digest(*parts: Any) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
