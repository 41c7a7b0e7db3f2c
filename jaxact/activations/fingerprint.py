"""The fingerprint of what one's own function computes, by which a changed one is told."""

import base64
import functools
import hashlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.activations import own
from jaxact.activations.activation import Activation, ActivationError
from jaxact.activations.program_hash import Opaque, program_hash

Fingerprint = Mapping[str, Any]

# What networks give to activations: after a convolution, after a dense layer, in mixed precision,
# and after convolutions of many channels, of larger images and of single pixels.
INPUTS = (
    ((4, 8, 8, 16), "float32"),
    ((256, 16), "float32"),
    ((4, 8, 8, 16), "bfloat16"),
    ((2, 32, 32, 64), "float32"),
    ((2, 1, 1, 512), "float32"),
)
BLOCK = 32  # neighbouring inputs of which another JAX version is to give the same mean
# What another version may differ by: rounding, of `exp` and the like, and the tail of a gradient.
RELATIVE, ABSOLUTE = 1e-4, 1e-5
_FAILS = "fails"


def fingerprint(activation: Activation) -> Fingerprint | None:
    """The record of a computation, value and gradients; None for an activation of jaxact's.

    Returns:
      As JSON holds it:
        jax: the version it was made with.
        program: the hash of its traced program (None: it calls Python), at the first of `INPUTS`
          that it takes.
        other_programs: one hash of those at the rest.
        values, gradients: hashes of what it gives at 4,096 inputs, and as many of the whole range.
        means: what it gives at the former, as far as another JAX version gives the same.
        initial: its learnable parameters.

    Raises:
      ActivationError: the function fails, or does not keep shape and dtype.
    """
    if not own.is_own(activation):
        return None
    programs = _programs(activation)
    first = int(programs[0] == _FAILS)
    program = programs.pop(first)
    evaluated = _evaluated.__wrapped__ if program is None else _evaluated
    return {
        "jax": jax.__version__,
        "program": program,
        "other_programs": hashlib.sha256(repr(programs).encode()).hexdigest(),
        **evaluated(activation, INPUTS[first][0], program),
        "initial": {name: np.asarray(value).tolist() for name, value in activation.initial},
    }


def tried(activation: Activation) -> Activation:
    """The activation, once its value and gradient have been traced if it is one's own.

    Raises:
      ActivationError: as `fingerprint`.
    """
    if own.is_own(activation):
        _programs(activation)
    return activation


def change(stored: Any, now: Fingerprint) -> str:
    """The difference from the function of which `stored` was made, in a few words; "" if none.

    The same program computes the same. Another one of the same JAX version does if it gives the
    same numbers; under another version, whose programs and rounding differ, if its means are near.
    """
    if stored == now:
        return ""
    try:
        if stored["initial"] != now["initial"]:
            return "its learnable parameters begin elsewhere"
        if stored["jax"] != now["jax"]:
            return _change_of_means(stored["means"], now["means"])
        if stored["program"] is None or stored["program"] != now["program"]:
            words = {"values": "its values differ", "gradients": "its gradient differs"}
            return next((text for key, text in words.items() if stored[key] != now[key]), "")
        if stored["other_programs"] != now["other_programs"]:
            return "it differs after a dense layer, on inputs of another size, or in bfloat16"
    except (KeyError, TypeError, ValueError):
        return "its stored fingerprint cannot be read"
    return ""


def inputs() -> tuple[np.ndarray, np.ndarray]:
    """4,096 float32 numbers within 1024 of 0, three quarters within 6, and as many of all sizes.

    They are exact, so the same everywhere, and rise; none is subnormal, which not every CPU keeps.
    """
    near = np.arange(-1536, 1536) / 256
    far = np.ldexp(1 + np.arange(64) / 64, np.arange(2, 10)[:, None]).ravel()
    sizes = np.linspace(0x00800000, 0x7F7FFFFF, 2048).astype(np.uint32).view(np.float32)
    return _rising(near, far, -far), _rising(sizes, -sizes)


def _rising(*parts: np.ndarray) -> np.ndarray:
    return np.sort(np.concatenate(parts)).astype(np.float32)


def value_and_gradients(activation: Activation) -> Callable[..., Any]:
    """`(x, cotangent, params)` to its value, its value in training, and its gradients."""

    def value(x: jax.Array, params: Mapping[str, jax.Array]) -> jax.Array:
        return own.call(activation, x, **params)

    def compute(x: jax.Array, cotangent: jax.Array, params: Mapping[str, jax.Array]) -> Any:
        y = value(x, params)
        try:
            y_in_training, pull_back = jax.vjp(value, x, params)
            gradients = pull_back(cotangent)
        except ActivationError:
            raise
        except Exception as error:  # whatever a user's derivative raises
            text = f"has a gradient that fails: {own.cause(error)}"
            raise own.wrong(activation, text) from error
        return y, y_in_training, gradients

    return compute


def _params(activation: Activation) -> dict[str, np.ndarray]:
    return {name: np.asarray(value, np.float32) for name, value in activation.initial}


def _programs(activation: Activation) -> list[str | None]:
    """The hashes of an activation's programs at `INPUTS`, and `_FAILS` where it has none.

    Raises:
      ActivationError: it fails after a convolution and after a dense layer, or is traced otherwise
        each time.
    """
    programs: list[str | None] = []
    errors = []
    for shape, dtype in INPUTS:
        try:
            programs.append(_program(activation, shape, dtype))
        except ActivationError as error:  # it may be made for layers of one kind
            programs.append(_FAILS)
            errors.append(error)
    if programs[0] == programs[1] == _FAILS:
        raise errors[0]
    first = int(programs[0] == _FAILS)
    if _program(activation, *INPUTS[first]) != programs[first]:
        text = (
            "is another function each time that it is traced: it may draw random numbers in Python"
        )
        raise own.wrong(activation, text)
    return programs


def _program(activation: Activation, shape: tuple[int, ...], dtype: str) -> str | None:
    x = jax.ShapeDtypeStruct(shape, dtype)
    with jax.disable_jit(False), warnings.catch_warnings():
        warnings.filterwarnings("error", own.COMPLEX)
        program = jax.make_jaxpr(value_and_gradients(activation))(x, x, _params(activation))
    try:
        return program_hash(program)
    except Opaque:
        return None


@functools.lru_cache
def _evaluated(
    activation: Activation, shape: tuple[int, ...], program: str | None
) -> dict[str, str]:
    """The hashes and the means of what the function gives at `inputs()`."""
    del program  # a changed function may be an equal object
    cotangent = jnp.resize(jnp.asarray([1, 2, 0.5], jnp.float32), shape)  # not constant: a softmax
    compute = jax.jit(value_and_gradients(activation))
    with jax.disable_jit(False), jax.debug_nans(False), jax.debug_infs(False):
        results = [
            jax.device_get(compute(x.reshape(shape), cotangent, _params(activation)))
            for x in inputs()
        ]
    y, _, (slope, others) = results[0]
    means = [_means(y), _means(slope / cotangent), *map(np.ravel, jax.tree.leaves(others))]
    return {
        "values": _bits([result[:2] for result in results]),
        "gradients": _bits([result[2] for result in results]),
        "means": base64.b64encode(np.concatenate(means).astype("<f4").tobytes()).decode(),
    }


def _means(values: Any) -> np.ndarray:
    """Weighted means over blocks; the weights differ, or those of an odd function would be 0."""
    blocks = np.asarray(values, np.float64).reshape(-1, BLOCK)
    finite = np.nan_to_num(blocks, nan=3e9, posinf=1e9, neginf=-1e9)
    return finite @ np.linspace(1, 2, BLOCK) / (1.5 * BLOCK)


def _change_of_means(stored: str, now: str) -> str:
    old, new = (np.frombuffer(base64.b64decode(text), "<f4") for text in (stored, now))
    differ = np.abs(old - new) > ABSOLUTE + RELATIVE * np.abs(new)
    if not differ.any():
        return ""
    blocks = inputs()[0].size // BLOCK
    return "its values differ" if differ[:blocks].any() else "its gradient differs"


def _bits(tree: Any) -> str:
    """The hash of numbers, all NaNs and both zeros alike."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        digest.update(np.where(np.isnan(leaf), np.float32(np.nan), leaf + np.float32(0)).tobytes())
    return digest.hexdigest()
