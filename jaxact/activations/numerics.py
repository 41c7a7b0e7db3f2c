"""What every activation shares: dtype handling, closed-form gradients, and the precision helpers.

XLA evaluates float32 arithmetic to about half a unit in the last place and `exp`, `expm1`, `log1p`
to one or two. What is lost beyond that is lost by formulas: by `1 - tanh(x)**2`, by rounding an
argument before `exp`, by subtracting near a root. The helpers below avoid these three.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_derivatives import SymbolicZero

P = ParamSpec("P")
Kernel = TypeVar("Kernel", bound=Callable[..., Array])


def elementwise(derivative: Callable[..., Array] | None = None) -> Callable[[Kernel], Kernel]:
    """Makes a formula `kernel(x, *parameters)` into a function for arrays of any floating dtype.

    The formula sees float32 or float64 only: float16 and bfloat16 are computed in float32 and
    rounded once. Parameters may be numbers or arrays of another floating dtype that broadcast
    against the trailing axes of `x`; the result has the shape and the dtype of `x`.

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
            return call(floating(kernel.__name__, x), *parameters)

        return function  # pyright: ignore[reportReturnType]

    return decorate


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


def nan_like(x: Array, otherwise: Array) -> Array:
    """NaN where `x` is NaN, else `otherwise`: for comparisons, which lose a NaN."""
    return jnp.where(jnp.isnan(x), jnp.nan, otherwise)


def negative_abs(x: Array) -> Array:
    """-|x|, differentiated as -x at 0, so that formulas in it keep their derivative there."""
    return jnp.where(x < 0, x, -x)


def gate_times(x: Array, gate: Array) -> Array:
    """x * gate, with the limit 0 (not NaN) where the gate closes at an infinite x."""
    return jnp.where(gate == 0, gate, x * gate)


def in_two_parts(high: float, low: float, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """The constant `high + low`, a double-double, as the sum of two numbers of `dtype`."""
    if dtype == jnp.float64:
        return np.asarray(high, dtype), np.asarray(low, dtype)
    first = np.asarray(high, dtype)
    return first, np.asarray(high - float(first) + low, dtype)


def halves(x: Array) -> tuple[Array, Array]:
    """`x` as high + low, each of so few bits that products of two of them are exact."""
    info = jnp.finfo(x.dtype)
    high = jax.lax.reduce_precision(x, info.nexp, info.nmant // 2)
    return high, x - high


def exact_product(a: Array, b: Array) -> tuple[Array, Array]:
    """a * b as a rounded product and its rounding error (Dekker 1971)."""
    (a1, a2), (b1, b2) = halves(a), halves(b)
    product = a * b
    return product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2


def exact_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b as a rounded sum and its rounding error (Knuth 1969)."""
    total = a + b
    b_seen = total - a
    return total, (a - (total - b_seen)) + (b - b_seen)


def gaussian(x: Array) -> Array:
    """exp(-x**2 / 2), to relative precision far into the tail.

    Rounding x**2 costs a relative x**2 * eps. With x = h + l, where h**2 is exact, it is
    exp(-h**2 / 2) exp(-l (x + h) / 2); the stop_gradient leaves the derivative -x gaussian(x).
    """
    high = jax.lax.stop_gradient(halves(x)[0])
    return jnp.exp(-0.5 * high * high) * jnp.exp(-0.5 * (x - high) * (x + high))
