"""The cost of an activation beside ReLU's: what is timed, and how it is told. Never how long."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import activations
from jaxact.activations import Activation
from jaxact.timing import cost


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(cost, "ELEMENTS", {"cpu": 2**10, "gpu": 2**10})


@pytest.mark.parametrize("spec", ["prelu", "softmax", "jax.nn:silu"])
def test_both_passes_are_timed(spec):
    found = cost.costs(activations.get(spec))
    assert tuple(found) == cost.PASSES
    for one in found.values():
        assert one.elements == 2**10
        assert 0 < one.ms.low <= one.ms.value <= one.ms.high
        assert 0 < one.ratio.low <= one.ratio.value <= one.ratio.high


def test_the_calls_compute_what_they_are_named(monkeypatch):
    """In turn, own ones and ReLU's; the ratio is taken round by round."""
    seen = {}

    def planted(calls, samples, warmups):
        seen.update(calls)
        own = np.linspace(2, 4, samples)
        return {name: own if name.startswith("own") else own / 2 for name in calls}

    monkeypatch.setattr(cost, "interleaved", planted)
    found = cost.costs(activations.get("tanh"))
    assert list(seen) == [f"{whose} {name}" for whose in ("own", "ReLU's") for name in cost.PASSES]
    for one in found.values():
        assert one.ratio == (2, 2, 2)
        assert one.ms == (3, 2.5, 3.5)


def test_a_slow_one_has_fewer_rounds(monkeypatch):
    rounds = []

    def planted(calls, samples, warmups):
        rounds.append(samples)
        return {name: np.full(samples, 50.0) for name in calls}

    monkeypatch.setattr(cost, "interleaved", planted)
    cost.costs(activations.get("tanh"))
    assert rounds == [1, 5]


def test_results_are_values_and_gradients():
    x, cotangent = jnp.asarray([[-1.0, 0.5, 2.0]]), jnp.asarray([[1.0, 2.0, 3.0]])
    kept = []

    def keeping(x):
        y = jnp.tanh(x)
        jax.debug.callback(lambda y: kept.append(np.asarray(y)), y)
        return y

    calls = cost._passes(Activation("kept", keeping), x, cotangent)
    for call in calls:
        call(0)
        call(1)
    jax.effects_barrier()
    assert len(kept) == 4
    np.testing.assert_allclose(kept, [np.tanh(x)] * 4, rtol=1e-6)
