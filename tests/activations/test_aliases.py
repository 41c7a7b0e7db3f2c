"""Functions with several names: all that there are, and none besides."""

import itertools

import numpy as np
import pytest

from jaxact import activations
from jaxact.activations import aliases
from tests.support.own_files import write_module

pytestmark = pytest.mark.usefixtures("without_programs")


def test_all_second_names_are_known():
    """By value over all registered functions, at what they learn at first."""
    x = np.linspace(-12, 12, 600, dtype=np.float32)  # wider than clipped_gelu
    values = {}
    for name in activations.names():
        act = activations.get(name)
        values[name] = (tuple(act.initial), np.asarray(act(x, **act.params)))
    same = {
        (second, first)
        for first, second in itertools.combinations(values, 2)
        if values[first][0] == values[second][0]
        and np.allclose(values[first][1], values[second][1], rtol=1e-5, atol=1e-6)
    }
    assert same == set(aliases.twins(activations.names()))
    assert same == {tuple(pair) for pair in aliases.known(activations.names())}
    assert len(same) == len(aliases.ALIASES) > 0


@pytest.mark.parametrize(
    ("specs", "twins"),
    [
        (["swish", "silu"], [("silu", "swish")]),
        (["silu", "relu", "swish"], [("swish", "silu")]),
        (["swish(beta=1.5)", "silu"], []),
        (["relu", "leaky_relu(negative_slope=0)"], [("leaky_relu(negative_slope=0.0)", "relu")]),
        (["prelu", "leaky_relu(negative_slope=0.25)"], []),  # one of them learns
        (["gelu", "gelu_tanh"], []),
        (["elu", "jax.nn:elu"], [("jax.nn:elu", "elu")]),
        (["elu(alpha=0.5)", "celu(alpha=0.5)"], []),
    ],
)
def test_twins(specs, twins):
    assert aliases.twins(specs) == tuple(twins)


def test_one_s_own_functions_are_told_by_value_and_gradient(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    write_module(
        tmp_path,
        """
def plus(x):
    return jnp.where(x > 0, x, 0)


def straight(x):  # the step with another gradient
    return x + jax.lax.stop_gradient((x > 0).astype(x.dtype) - x)


def wrong(x):
    raise ValueError


def wrong_too(x):
    raise ValueError
""",
        "alike",
    )
    specs = [
        "relu",
        "binary_step",
        *(f"alike:{n}" for n in ("plus", "straight", "wrong", "wrong_too")),
    ]
    assert aliases.twins(specs) == (("alike:plus", "relu"),)
