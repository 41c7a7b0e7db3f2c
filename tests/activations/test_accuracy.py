"""Values, derivatives and gradients against mpmath with 50 digits; `benchmarks.exactness.truth`.

They are computed operation by operation; what a compiler makes of them is seen by `test_ledger.py`.
"""

import functools
import importlib
import pkgutil
from typing import Any

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
from tests.support.groups import op_by_op

pytestmark = pytest.mark.usefixtures("without_programs")

NAMES = activations.names()
ELEMENTWISE = [name for name in NAMES if activations.get(name).elementwise]
HALVES = [np.float16, ml_dtypes.bfloat16]
COUNT = 600  # numbers of all sizes are in `test_ledger.py`
FITS = fit_gates.fits()
# JAX 0.12 differentiates expm1 as exp; up to 0.11 it was expm1 + 1, which is 0 below -17.
EXPM1_MENDED = jax.__version_info__ >= (0, 12)


def truth(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Float32 points, and there the true values and derivatives."""
    return truth_of(REFERENCES[name], activations.get(name).elementwise)


@functools.cache  # several names share a reference
def truth_of(reference, elementwise):
    x = softmax_rows(COUNT, seed=1)
    if elementwise:
        x = np.resize(points(reference, COUNT, seed=1), COUNT)  # one shape for all
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


@pytest.mark.parametrize("name", NAMES)
def test_derivative_float32(name):
    """The gradient is the derivative: `test_properties.py`; of a softmax it is asked here."""
    x, _, true = truth(name)
    activation, reference = activations.get(name), REFERENCES[name]
    results: dict[str, Any] = {"derivative": activation.derivative(x)}
    if not activation.elementwise:
        results["grad"] = gradient(activation, x)
    for source, got in results.items():
        errors = reference.derivative_errors(got, true, x)
        assert_within(errors, DERIVATIVE_TOLERANCE, x, source)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_float64(name):
    x, true, slope = (part.astype(np.float64) for part in truth(name))
    moderate = np.abs(x) < 30
    x, true, slope = (np.where(moderate, part, part[moderate][0]) for part in (x, true, slope))
    activation, reference = activations.get(name), REFERENCES[name]
    assert activation.derivative_function is not None
    sizes = _largest(true, x, reference.value_terms), _largest(slope, x, reference.derivative_terms)
    # 0.01 is another number in float64; the references have the one of float32.
    parameters = {**dict(activation.constants), **activation.params}
    parameters = {key: np.asarray(value, np.float32) for key, value in parameters.items()}
    function = functools.partial(activation.function, **parameters)
    derivative = functools.partial(activation.derivative_function, **parameters)
    with jax.enable_x64(True):
        wide = jnp.asarray(x)
        results = function(wide), derivative(wide)
    for got, expected, size in zip(results, (true, slope), sizes, strict=True):
        assert_within(np.abs(np.asarray(got) - expected), 2e-13 * size + 1e-15, x)


def _largest(true, x, terms):
    """The magnitude that errors are relative to."""
    return np.abs(true) if terms is None else np.maximum(np.abs(true), terms(x))


# A float16 holds them, too.
IN_BOTH = np.append(np.linspace(-12, 12, 101), np.nan).astype(ml_dtypes.bfloat16)


@op_by_op([IN_BOTH.astype(dtype) for dtype in HALVES])
def in_half_precision(activation, xs):
    return [(activation(x), activation.derivative(x)) for x in xs]


@functools.cache
def truth_in_half_precision(reference):
    x = IN_BOTH[:-1].astype(np.float64)
    return x, evaluate(reference.value, x), evaluate(reference.derivative, x)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_half_precision_is_rounded_once(name):
    reference = REFERENCES[name]
    x, *truths = truth_in_half_precision(reference)
    terms_of = reference.value_terms, reference.derivative_terms
    for dtype, results in zip(HALVES, in_half_precision(name), strict=True):
        info = ml_dtypes.finfo(dtype)
        smallest = max(float(info.smallest_normal), SMALLEST)
        largest = float(info.max)  # results beyond are an infinity
        for got, true, terms in zip(results, truths, terms_of, strict=True):
            assert got.dtype == dtype
            assert np.isnan(got[-1])
            lost = 0 if terms is None else VALUE_TOLERANCE * terms(x)  # before it is rounded
            got = np.clip(got[:-1].astype(np.float64), -largest, largest)
            error = np.abs(got - np.clip(true, -largest, largest))
            assert (error <= 0.501 * float(info.eps) * np.abs(true) + smallest + lost).all(), dtype


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
