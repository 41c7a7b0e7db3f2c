"""Values, derivatives and gradients against mpmath with 50 digits; `benchmarks.exactness.truth`."""

import functools
import importlib
import pkgutil

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from mpmath import mp, mpf

from benchmarks.accuracy import gradient
from benchmarks.exactness import fit_gates, fits
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
from jaxact.activations import functions
from jaxact.activations.functions.gates import coefficients
from tests.support.groups import in_groups

# The digits that users get: another compiler rounds in other places.
pytestmark = pytest.mark.usefixtures("optimized")

NAMES = activations.names()
ELEMENTWISE = [name for name in NAMES if activations.get(name).elementwise]
HALVES = [np.float16, ml_dtypes.bfloat16]
COUNT = 3000
FITS = fit_gates.fits()
# JAX 0.12 differentiates expm1 as exp; up to 0.11 it was expm1 + 1, which is 0 below -17.
EXPM1_MENDED = jax.__version_info__ >= (0, 12)


def truth(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Float32 points, and there the true values and derivatives."""
    return truth_of(REFERENCES[name], activations.get(name).elementwise)


@functools.cache  # several names share a reference
def truth_of(reference, elementwise):
    x = points(reference, COUNT, seed=1) if elementwise else softmax_rows(COUNT, seed=1)
    return x, evaluate(reference.value, x), evaluate(reference.derivative, x)


def assert_within(
    errors: np.ndarray, allowed: np.ndarray | float, x: np.ndarray, source: str = "value"
) -> None:
    worst = np.unravel_index(np.argmax(errors / allowed), errors.shape)
    assert (errors <= allowed).all(), f"{source}: error {errors[worst]:.2e} at x = {x[worst]!r}"


def test_every_activation_has_a_reference():
    assert set(NAMES) == set(REFERENCES)


@pytest.mark.parametrize("name", NAMES)
def test_value_float32(name):
    x, true, _ = truth(name)
    reference = REFERENCES[name]
    errors = reference.value_errors(activations.get(name)(x), true, x)
    assert_within(errors, VALUE_TOLERANCE, x)


@functools.cache
def derivatives(name):
    """The closed form and what JAX makes of it, number by number and as a whole, of one program."""
    activation, x = activations.get(name), truth(name)[0]
    if not activation.elementwise:
        return {"derivative": activation.derivative(x), "grad": gradient(activation, x)}
    of_all = {
        "derivative": activation.derivative,
        "grad": jax.vmap(jax.grad(activation)),
        "jitted grad": functools.partial(_vjp_of_ones, activation),
    }
    return jax.device_get(jax.jit(lambda x: {key: f(x) for key, f in of_all.items()})(x))


@pytest.mark.parametrize("name", NAMES)
def test_derivative_float32(name):
    x, _, true = truth(name)
    reference = REFERENCES[name]
    for source, got in derivatives(name).items():
        errors = reference.derivative_errors(got, true, x)
        assert_within(errors, DERIVATIVE_TOLERANCE, x, source)


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


IN_HALVES = [np.linspace(-12, 12, 301).astype(dtype) for dtype in HALVES]


@in_groups(ELEMENTWISE, IN_HALVES)
def in_half_precision(activation, xs):
    return [(activation(x), _vjp_of_ones(activation, x)) for x in xs]


@functools.cache
def truth_in_half_precision(reference, i):
    x = IN_HALVES[i].astype(np.float64)
    return evaluate(reference.value, x), evaluate(reference.derivative, x)


@pytest.mark.parametrize("i", range(len(HALVES)), ids=["float16", "bfloat16"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_half_precision_is_rounded_once(name, i):
    reference, info = REFERENCES[name], ml_dtypes.finfo(HALVES[i])
    x = IN_HALVES[i].astype(np.float64)
    truths = truth_in_half_precision(reference, i)
    terms_of = reference.value_terms, reference.derivative_terms
    for got, true, terms in zip(in_half_precision(name)[i], truths, terms_of, strict=True):
        smallest = max(float(info.smallest_normal), SMALLEST)
        lost = 0 if terms is None else VALUE_TOLERANCE * terms(x)  # before it is rounded
        got = np.asarray(got).astype(np.float64)
        largest = float(info.max)  # results beyond are an infinity
        error = np.abs(np.clip(got, -largest, largest) - np.clip(true, -largest, largest))
        assert (error <= 0.501 * float(info.eps) * np.abs(true) + smallest + lost).all()


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


@pytest.mark.parametrize("fit", fits.FITS, ids=lambda fit: fit.place)
def test_polynomials_are_those_of_the_fits(fit):
    module, name = fit.place.split(":")
    committed = getattr(importlib.import_module(f"jaxact.activations.{module}"), name)
    coefficients, error = fit.coefficients()
    assert error < fit.error
    np.testing.assert_allclose(committed, coefficients, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", FITS)
def test_coefficients_of_gates_are_those_of_the_fit(name):
    fitted, error = fits.interpolate(*FITS[name])
    assert error < 3e-8
    np.testing.assert_allclose(getattr(coefficients, name), fitted, rtol=1e-11)


# By convention: mish's is `_MISH_ROOT`, in whichever file.
ROOTS = {
    name.strip("_").removesuffix("_ROOT").lower(): root
    for file in pkgutil.walk_packages(functions.__path__, f"{functions.__name__}.")
    for name, root in vars(importlib.import_module(file.name)).items()
    if name.endswith("_ROOT") and isinstance(root, tuple)
}


@pytest.mark.parametrize("name", ROOTS)
def test_roots_of_the_derivatives(name):
    with mp.workdps(50):
        slope = REFERENCES[name].derivative(mpf(ROOTS[name][0]) + mpf(ROOTS[name][1]))
        assert abs(slope) < 1e-30
    assert {"swish", "mish", "gelu", "gelu_tanh", "elish", "hard_elish"} <= ROOTS.keys()
    assert {"tanh_exp", "serf", "logish", "golu", "phish"} <= ROOTS.keys()
    assert {"colu", "gcu", "gelu_sine"} <= ROOTS.keys()
