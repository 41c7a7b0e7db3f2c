"""The checks of functions that see channels, as pure functions of one.

They are tried on a vector of channels for each of a batch, as a dense layer gives, and on images.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxact.activations.activation import ActivationError
from jaxact.activations.channel_activation import ChannelActivation
from jaxact.activations.registry import get
from jaxact.activations.verification.points import worst

FEATURES = 4  # that a function gives
DTYPES = ("float64", "float32", "float16", "bfloat16")
_STEP = 1e-6
_LARGEST = 60  # exponent of 2: a product of two such numbers is none that overflows
Drawn = Mapping[str, Any]


def shapes(activation: ChannelActivation) -> tuple[tuple[int, ...], ...]:
    """The shape of what a dense layer gives, and of images."""
    channels = activation.input_channels(FEATURES)
    return (3, channels), (2, 4, 3, channels)


def inputs(
    activation: ChannelActivation, shape: tuple[int, ...], dtype: str = "float64"
) -> tuple[jax.Array, Drawn]:
    """Normal numbers, and parameters as before training but with biases that are not all 0."""
    rng = np.random.default_rng(0)
    drawn = activation.drawn(jax.random.key(0), shape)
    params = {
        name: jnp.asarray(np.asarray(value) + 0.1 * rng.standard_normal(value.shape), dtype)
        for name, value in drawn.items()
    }
    return jnp.asarray(rng.standard_normal(shape), dtype), params


def _call(activation: ChannelActivation, x: jax.Array, params: Drawn) -> jax.Array:
    return activation(x, **params)


def _gradients(activation: ChannelActivation) -> tuple[bool, str]:
    """The gradient of an unevenly weighted sum, in each number of the input and the parameters."""
    details = []
    for shape in shapes(activation):
        start = inputs(activation, shape)
        weights = jnp.cos(jnp.arange(np.prod(activation.output_shape(shape))))
        leaves, structure = jax.tree.flatten(start)
        flat = jnp.concatenate([leaf.ravel() for leaf in leaves])
        ends = np.cumsum([leaf.size for leaf in leaves])[:-1].tolist()
        like = [leaf.shape for leaf in leaves]

        def total(
            flat: jax.Array,
            weights: jax.Array = weights,
            structure: Any = structure,
            ends: list[int] = ends,
            like: list[tuple[int, ...]] = like,
        ) -> jax.Array:
            parts = [p.reshape(s) for p, s in zip(jnp.split(flat, ends), like, strict=True)]
            return jnp.sum(weights * _call(activation, *structure.unflatten(parts)).ravel())

        @jax.jit
        def both(flat: jax.Array, total: Callable[..., Any] = total) -> Any:
            moves = _STEP * jnp.eye(flat.size)
            ahead, behind = (jax.vmap(total)(flat + sign * moves) for sign in (1, -1))
            return jax.grad(total)(flat), (ahead - behind) / (2 * _STEP)

        gradient, difference = jax.device_get(both(flat))
        passed, detail = worst(gradient, difference, np.asarray(flat), 1e-7)
        details.append(f"{'image' if len(shape) > 2 else 'vector'}: {detail}")
        if not passed:
            return False, details[-1]
    return True, "; ".join(details)


def _shape_and_dtype(activation: ChannelActivation) -> tuple[bool, str]:
    for shape in shapes(activation):
        for dtype in DTYPES:
            x, params = inputs(activation, shape, dtype)
            for parameters in (params, {k: v.astype("float32") for k, v in params.items()}):
                y = jax.eval_shape(functools.partial(_call, activation), x, parameters)
                if y.shape != (*shape[:-1], FEATURES) or y.dtype != x.dtype:
                    return False, f"{dtype}{list(shape)} becomes {y.dtype}{list(y.shape)}"
    taken = activation.input_channels(FEATURES)
    return True, f"{taken} channels become {FEATURES}; {', '.join(DTYPES)}"


def _transforms(activation: ChannelActivation) -> tuple[bool, str]:
    for shape in shapes(activation):
        x, params = inputs(activation, shape, "float32")
        plain = _call(activation, x, params)
        call = functools.partial(_call, activation)
        for name, y in (
            ("jit", jax.jit(call)(x, params)),
            ("vmap", jax.vmap(call, (0, None))(x[None], params)[0]),
        ):
            passed, detail = worst(y, plain, np.asarray(plain), 1e-5)
            if not passed:
                return False, f"{name}: {detail}"
    return True, "as without"


def _scales(activation: ChannelActivation) -> tuple[bool, str]:
    scales = 2.0 ** np.arange(-126, _LARGEST)
    for shape in shapes(activation):
        x, params = inputs(activation, shape, "float32")

        def values(
            scale: jax.Array, x: jax.Array = x, params: Drawn = params
        ) -> tuple[jax.Array, jax.Array]:
            y, pull_back = jax.vjp(lambda x: _call(activation, x, params), scale * x)
            return y, pull_back(jnp.ones_like(y))[0]

        results = jax.jit(jax.vmap(values))(jnp.asarray(scales, jnp.float32))
        for name, found in zip(("value", "gradient"), results, strict=True):
            finite = np.isfinite(found).reshape(len(scales), -1).all(1)
            if not finite.all():
                return False, f"{name} is not finite at |x| = {scales[~finite][0]:.3g}"
    return True, f"value and gradient, to |x| = {scales[-1]:.3g}"


def _nan(activation: ChannelActivation) -> tuple[bool, str]:
    for shape in shapes(activation):
        x, params = inputs(activation, shape, "float32")
        y = _call(activation, x.at[0].set(jnp.nan), params)
        if not np.isnan(y[0]).all():
            return False, "an example of NaNs gives numbers"
        if np.isnan(y[1:]).any():
            return False, "an example of NaNs spoils others"
    return True, "each example by itself"


def _parameters(activation: ChannelActivation) -> tuple[bool, str]:
    x, params = inputs(activation, shapes(activation)[1], "float64")
    if not params:
        return True, "none"
    grads = jax.grad(lambda params: jnp.sum(jnp.sin(_call(activation, x, params))))(params)
    still = [name for name, leaf in grads.items() if not np.any(leaf)]
    if still:
        return False, f"no gradient reaches {', '.join(still)}"
    return True, ", ".join(f"{name}{list(leaf.shape)}" for name, leaf in params.items())


def _spec(activation: ChannelActivation) -> tuple[bool, str]:
    try:
        return get(activation.spec) == activation, activation.spec
    except ActivationError:
        return True, "made in code: no spec names it"


CHECKS: dict[str, Callable[[Any], tuple[bool, str]]] = {
    "gradient is the finite difference": _gradients,
    "shape and dtype": _shape_and_dtype,
    "jit and vmap": _transforms,
    "finite whatever the scale": _scales,
    "NaN in, NaN out": _nan,
    "learnable parameters": _parameters,
    "spec gives it back": _spec,
}
