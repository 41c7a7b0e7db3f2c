"""Values, derivatives and gradients against mpmath with 50 digits; `benchmarks.exactness.truth`."""

import functools

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from benchmarks.accuracy import gradient
from benchmarks.exactness import fit_gelu
from benchmarks.exactness.references import REFERENCES
from benchmarks.exactness.truth import (
    DERIVATIVE_TOLERANCE,
    SMALLEST,
    VALUE_TOLERANCE,
    evaluate,
    points,
    softmax_rows,
)
from jaxact import activations
from jaxact.activations.functions import composed, gated, gaussian

# The digits that users get: another compiler rounds in other places.
pytestmark = pytest.mark.usefixtures("optimized")

NAMES = activations.names()
ELEMENTWISE = [name for name in NAMES if activations.get(name).elementwise]
HALVES = [np.float16, ml_dtypes.bfloat16]
COUNT = 3000
# JAX 0.12 differentiates expm1 as exp; up to 0.11 it was expm1 + 1, which is 0 below -17.
EXPM1_MENDED = jax.__version_info__ >= (0, 12)


@functools.cache
def truth(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Float32 points, and there the true values and derivatives."""
    reference = REFERENCES[name]
    elementwise = activations.get(name).elementwise
    x = points(reference, COUNT, seed=1) if elementwise else softmax_rows(COUNT, seed=1)
    return x, evaluate(reference.value, x), evaluate(reference.derivative, x)


def assert_within(errors: np.ndarray, allowed: np.ndarray, x: np.ndarray) -> None:
    worst = np.unravel_index(np.argmax(errors / allowed), errors.shape)
    assert (errors <= allowed).all(), f"relative error {errors[worst]:.2e} at x = {x[worst]!r}"


def test_every_activation_has_a_reference():
    assert set(NAMES) == set(REFERENCES)


@pytest.mark.parametrize("name", NAMES)
def test_value_float32(name):
    x, true, _ = truth(name)
    reference = REFERENCES[name]
    errors = reference.value_errors(activations.get(name)(x), true, x)
    assert_within(errors, reference.allowed(VALUE_TOLERANCE, x), x)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("source", ["derivative", "grad", "jitted grad"])
def test_derivative_float32(name, source):
    x, _, true = truth(name)
    activation, reference = activations.get(name), REFERENCES[name]
    got = {
        "derivative": lambda: activation.derivative(x),
        "grad": lambda: gradient(activation, x),
        "jitted grad": lambda: jax.jit(functools.partial(_vjp_of_ones, activation))(x),
    }
    if source == "jitted grad" and not activation.elementwise:
        source = "grad"
    errors = reference.derivative_errors(got[source](), true, x)
    assert_within(errors, reference.allowed(DERIVATIVE_TOLERANCE, x), x)


def _vjp_of_ones(function, x):
    return jax.grad(lambda x: jnp.sum(function(x)))(x)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_float64(name):
    x, true, slope = truth(name)
    moderate = np.abs(x) < 30
    x, true, slope = x[moderate].astype(np.float64), true[moderate], slope[moderate]
    activation, reference = activations.get(name), REFERENCES[name]
    assert activation.derivative_function is not None
    sizes = _largest(true, x, reference.value_terms), _largest(slope, x, reference.derivative_terms)
    # 0.01 is another number in float64; the references have the one of float32.
    parameters = {**dict(activation.constants), **activation.params}
    parameters = {key: np.asarray(value, np.float32) for key, value in parameters.items()}
    function = functools.partial(activation.function, **parameters)
    derivative = functools.partial(activation.derivative_function, **parameters)
    of_all = jax.jit(lambda x: (function(x), derivative(x), _vjp_of_ones(function, x)))
    with jax.enable_x64(True):
        results = of_all(x)
    for got, expected, size in zip(
        results, (true, slope, slope), (sizes[0], sizes[1], sizes[1]), strict=True
    ):
        assert_within(np.abs(np.asarray(got) - expected), 2e-13 * size + 1e-15, x)


def _largest(true, x, terms):
    """The magnitude that errors are relative to."""
    return np.abs(true) if terms is None else np.maximum(np.abs(true), terms(x))


@functools.cache
def in_half_precision(name):
    """Points of both dtypes, and there values and gradients of one program."""
    activation = activations.get(name)
    points = [np.linspace(-12, 12, 301).astype(dtype) for dtype in HALVES]
    of_all = jax.jit(lambda xs: [(activation(x), _vjp_of_ones(activation, x)) for x in xs])
    return dict(zip(HALVES, zip(points, jax.device_get(of_all(points)), strict=True), strict=True))


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_half_precision_is_rounded_once(name, dtype):
    reference = REFERENCES[name]
    x, (value, slope) = in_half_precision(name)[dtype]
    wide = x.astype(np.float64)
    epsilon = float(ml_dtypes.finfo(dtype).eps)
    for got, function, terms in (
        (value, reference.value, reference.value_terms),
        (slope, reference.derivative, reference.derivative_terms),
    ):
        true = evaluate(function, wide)
        smallest = max(float(ml_dtypes.finfo(dtype).smallest_normal), SMALLEST)
        lost = 0 if terms is None else VALUE_TOLERANCE * terms(wide)  # before it is rounded
        error = np.abs(np.asarray(got).astype(np.float64) - true)
        assert (error <= 0.501 * epsilon * np.abs(true) + smallest + lost).all()


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("tanh", 10),
        ("sigmoid", 20),
        pytest.param("elu", -20, marks=pytest.mark.skipif(EXPM1_MENDED, reason="mended in JAX")),
    ],
)
def test_jax_nn_is_less_exact(name, at):
    """The reason for the closed forms: the gradient of jax.nn is 0 where the truth is not."""
    x = np.float32(at)
    true = evaluate(REFERENCES[name].derivative, np.asarray([x]))[0]
    assert float(jax.grad(getattr(jax.nn, name))(x)) == 0 < true
    assert float(jax.grad(activations.get(name))(x)) == pytest.approx(true, rel=1e-6)


@pytest.mark.parametrize(
    ("fitted", "committed"),
    [(fit_gelu.tail, gaussian._TAIL), (fit_gelu.slope, gaussian._SLOPE)],
    ids=["tail", "slope"],
)
def test_gelu_coefficients_are_those_of_the_fit(fitted, committed):
    coefficients, error = fit_gelu.fit(fitted)
    assert error < 2e-8
    np.testing.assert_allclose(committed, coefficients, rtol=1e-11)


@pytest.mark.parametrize(
    ("root", "name"),
    [
        (gated.SWISH_ROOT, "swish"),
        (gated._MISH_ROOT, "mish"),
        (gaussian._GELU_ROOT, "gelu"),
        (gaussian._TANH_ROOT, "gelu_tanh"),
        (composed._ELISH_ROOT, "elish"),
        (composed._HARD_ELISH_ROOT, "hard_elish"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_roots_of_the_derivatives(root, name):
    from mpmath import mp, mpf

    with mp.workdps(50):
        slope = REFERENCES[name].derivative(mpf(root[0]) + mpf(root[1]))
        assert abs(slope) < 1e-30
