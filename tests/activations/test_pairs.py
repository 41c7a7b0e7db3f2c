"""Pairs of registered functions, named by a spec."""

import jax
import numpy as np
import pytest

from jaxact import activations
from jaxact.activations import ActivationError

X = np.linspace(-3, 3, 25, dtype=np.float32)
MODULE = "jaxact.activations.pairs"
TANH = np.tanh(X)
RELU = np.maximum(X, 0)


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("chain(outer='tanh', inner='relu')", np.tanh(RELU)),
        ("chain(outer='relu', inner='tanh')", np.maximum(TANH, 0)),
        ("product(left='identity', right='tanh')", X * TANH),
        ("total(left='relu', right='tanh')", RELU + TANH),
        ("maximum(left='identity', right='tanh')", np.maximum(X, TANH)),
        (
            "maximum(left='leaky_relu(negative_slope=0.5)', right='tanh')",
            np.maximum(np.where(X < 0, X / 2, X), TANH),
        ),
    ],
)
def test_values(spec, wanted):
    pair = activations.get(f"{MODULE}:{spec}")
    np.testing.assert_allclose(pair(X), wanted, rtol=1e-5, atol=1e-6)
    assert activations.get(pair.spec) == pair
    assert jax.jit(pair)(X).dtype == np.float32


def test_a_derivative_follows_the_product_rule():
    pair = activations.get(f"{MODULE}:product(left='identity', right='sigmoid')")
    np.testing.assert_allclose(
        pair.derivative(X), activations.get("silu").derivative(X), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("prelu", "parameters to learn"),
        ("softmax", "not elementwise"),
        ("rrelu", "draws from a key"),
        ("tanhh", "did you mean"),
    ],
)
def test_what_cannot_be_a_part_is_said(part, said):
    pair = activations.get(f"{MODULE}:chain(outer='tanh', inner='{part}')")
    with pytest.raises(ActivationError, match=said):
        pair(X)
