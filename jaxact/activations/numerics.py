"""The frame of every activation: dtype handling, closed-form gradients, helpers for limits."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.custom_derivatives import SymbolicZero
from jax.typing import ArrayLike

P = ParamSpec("P")
Kernel = TypeVar("Kernel", bound=Callable[..., Array])


def elementwise(derivative: Callable[..., Array] | None = None) -> Callable[[Kernel], Kernel]:
    """Makes a formula `kernel(x, *parameters)` into a function for arrays of any floating dtype.

    The formula sees float32 or float64 only: float16 and bfloat16 are computed in float32 and
    rounded once. Parameters may be numbers or arrays of another floating dtype that broadcast
    against the trailing axes of `x`, or tuples of numbers or arrays of coefficients, which have an
    axis for them before those; the result has the shape and the dtype of `x`.

    Args:
      derivative: the closed form of d kernel / d x with the same parameters, which becomes what
          `jax.grad` computes. None: the formula is differentiated by JAX (the derivatives
          themselves are, for second derivatives).

    Returns:
      A decorator. What it makes raises TypeError for an `x` that is not real floating-point.
    """

    def decorate(kernel: Kernel) -> Kernel:
        signature = inspect.signature(kernel)

        def evaluate(x: Array, *parameters: Array) -> Array:
            dtype = computing_dtype(x)
            cast = [jnp.asarray(p).astype(dtype) for p in parameters]
            return kernel(x.astype(dtype), *cast).astype(x.dtype)

        call = evaluate if derivative is None else _with_derivative(evaluate, derivative)
        call = jax.jit(call)

        @functools.wraps(kernel)
        def function(*args: Any, **kwargs: Any) -> Array:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            x, *parameters = bound.args
            arrays = [jnp.asarray(p) if isinstance(p, tuple) else p for p in parameters]
            return call(floating(kernel.__name__, x), *arrays)

        return function  # pyright: ignore[reportReturnType]

    return decorate


def channelwise(kernel: Kernel) -> Kernel:
    """Makes a formula of channels, `kernel(x, **parameters)`, one for arrays of any floating dtype.

    As with `elementwise`, the formula sees float32 or float64 only, and its result is rounded once.
    What it is built from sees to its own derivative.
    """

    @functools.wraps(kernel)
    def function(x: Any, *args: Any, **kwargs: Any) -> Array:
        x = floating(kernel.__name__, x)
        dtype = computing_dtype(x)

        def cast(value: Any) -> Any:  # arrays; a count or a function is the formula's own affair
            return jnp.asarray(value, dtype) if hasattr(value, "dtype") else value

        values = [cast(value) for value in args]
        named = {name: cast(value) for name, value in kwargs.items()}
        return kernel(x.astype(dtype), *values, **named).astype(x.dtype)

    return function  # pyright: ignore[reportReturnType]


def computing_dtype(x: Array) -> Any:
    """float64 for float64, float32 for every other dtype."""
    return jnp.float64 if x.dtype == jnp.float64 else jnp.float32


def floating(name: str, x: Any) -> Array:
    """`x` as an array; raises TypeError unless its dtype is real floating-point."""
    x = jnp.asarray(x)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        message = f"{name} needs a floating-point x, got {x.dtype}: cast it, x.astype(jnp.float32)"
        raise TypeError(message)
    return x


def _with_derivative(
    evaluate: Callable[..., Array], derivative: Callable[..., Array]
) -> Callable[..., Array]:
    """`evaluate` with `derivative(x, *parameters)` as its derivative in `x`.

    Parameters are differentiated by JAX, and only where they are perturbed, so that a constant
    costs nothing. The one residual that reverse mode keeps is the derivative, of the dtype of `x`.
    """
    function = jax.custom_jvp(evaluate)

    def rule(primals: tuple[Array, ...], tangents: tuple[Any, ...]) -> tuple[Array, Any]:
        x, *parameters = primals
        tangent = tangents[0]
        perturbed = [i for i, t in enumerate(tangents[1:]) if not isinstance(t, SymbolicZero)]
        out = None
        if not isinstance(tangent, SymbolicZero):
            out = derivative(x, *parameters) * tangent
        if perturbed:

            def of_perturbed(*values: Array) -> Array:
                substituted = list(parameters)
                for i, value in zip(perturbed, values, strict=True):
                    substituted[i] = value
                return evaluate(x, *substituted)

            values = tuple(parameters[i] for i in perturbed)
            directions = tuple(tangents[1 + i] for i in perturbed)
            along = jax.jvp(of_perturbed, values, directions)[1]
            out = along if out is None else out + along
        return function(*primals), jnp.zeros_like(x) if out is None else out

    function.defjvp(rule, symbolic_zeros=True)
    return function


def finite(x: Array) -> Array:
    """`x`, an infinity as the largest number, so that 0 times it is 0."""
    info = jnp.finfo(x.dtype)
    return jnp.clip(x, info.min, info.max)


def scaled(x: Array, slope: ArrayLike) -> Array:
    """slope * x, which a slope of 0 makes 0 also at the infinities."""
    return jnp.where(jnp.equal(slope, 0), slope * finite(x), slope * x)


def nan_like(x: Array, otherwise: Array) -> Array:
    """NaN where `x` is NaN, else `otherwise`: for comparisons, which lose a NaN."""
    return jnp.where(jnp.isnan(x), jnp.nan, otherwise)


def negative_abs(x: Array) -> Array:
    """-|x|, differentiated as -x at 0, so that formulas in it keep their derivative there."""
    return jnp.where(x < 0, x, -x)


def negative_part(x: Array) -> Array:
    """min(x, 0), differentiated as x at 0: as "x if x > 0 else ..." wants it."""
    return jnp.where(x > 0, 0, x)
