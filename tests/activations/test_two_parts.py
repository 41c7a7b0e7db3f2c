"""Exponentials in two parts, against mpmath."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mpmath import mp, mpf

from jaxact.activations import two_parts

# The digits that users get: another compiler rounds in other places.
pytestmark = pytest.mark.usefixtures("optimized")


def points():
    """Numbers of all sizes up to `FAR` and of either sign, and a small rest of each."""
    rng = np.random.default_rng(0)
    small = 2.0 ** rng.uniform(-40, 0, 500) * rng.choice([-1, 1], 500)
    x = np.concatenate([rng.uniform(-two_parts.FAR, two_parts.FAR, 2000), small, [0.0]])
    return x.astype(np.float32), rng.uniform(-1e-5, 1e-5, x.size).astype(np.float32)


def test_both_parts_together():
    x, rest = points()
    high, low, power = jax.device_get(jax.jit(two_parts.exp)(x, rest))
    with mp.workdps(40):
        total = [(mpf(float(h)) + mpf(float(s))) for h, s in zip(high, low, strict=True)]
        true = [mp.exp(mpf(float(a)) + mpf(float(b))) for a, b in zip(x, rest, strict=True)]
        errors = [
            float(abs(t * mpf(2) ** int(p) / e - 1))
            for t, p, e in zip(total, power, true, strict=True)
        ]
    assert max(errors) < 2.0**-28
    assert max(e for e, at in zip(errors, x, strict=True) if abs(at) < 6) < 2.0**-29
    assert (np.abs(low) <= 2.0**-24).all()
    assert (high > 0.7).all()
    assert (high < 1.5).all()


def test_its_derivatives_are_itself():
    x, rest = points()
    near = np.abs(x) < 80
    x, rest = x[near], rest[near]

    def rounded(x, rest):
        return two_parts.exp(x, rest).rounded()

    both = jax.vmap(jax.value_and_grad(rounded, (0, 1)))
    value, slopes = jax.device_get(jax.jit(both)(x, rest))
    for slope in slopes:
        np.testing.assert_allclose(slope, value, rtol=1e-6)


@pytest.mark.parametrize("power", [-252, -149, -1, 0, 127, 254])
def test_scale_rounds_once_at_most(power):
    got = two_parts.scale(jnp.float32(1.25), jnp.float32(power))
    with np.errstate(over="ignore"):
        true = np.float32(np.ldexp(1.25, power))
    assert got == (true if abs(true) >= np.finfo(np.float32).tiny else 0)
