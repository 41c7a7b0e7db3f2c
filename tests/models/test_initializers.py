"""Kernel initialisers: the variance each one promises, and its distribution."""

import math

import jax
import numpy as np
import pytest

from jaxact.errors import ConfigError
from jaxact.models.layers.initializers import (
    KERNEL_INITIALIZERS,
    bias_initializer,
    kernel_initializer,
)

SHAPE = (3, 3, 64, 128)
N_IN, N_OUT = 9 * 64, 9 * 128
VARIANCES = {
    "torch_default": 1 / (3 * N_IN),
    "xavier_uniform": 2 / (N_IN + N_OUT),
    "xavier_normal": 2 / (N_IN + N_OUT),
    "he_uniform": 2 / N_IN,
    "he_normal": 2 / N_IN,
    "lecun_uniform": 1 / N_IN,
    "lecun_normal": 1 / N_IN,
    "normal_0.01": 1e-4,
    "normal_0.05": 2.5e-3,
    "zeros": 0.0,
}


@pytest.mark.parametrize("name", KERNEL_INITIALIZERS)
def test_variance(name):
    kernel = np.asarray(kernel_initializer(name)(jax.random.key(0), SHAPE))
    assert kernel.var() == pytest.approx(VARIANCES[name], rel=0.02)
    assert abs(kernel.mean()) <= 5 * math.sqrt(VARIANCES[name] / kernel.size)


@pytest.mark.parametrize("name", [n for n in KERNEL_INITIALIZERS if "uniform" in n or "torch" in n])
def test_uniform_ones_fill_their_interval_evenly(name):
    bound = math.sqrt(3 * VARIANCES[name])
    kernel = np.asarray(kernel_initializer(name)(jax.random.key(0), SHAPE)).ravel()
    counts, _ = np.histogram(kernel, bins=10, range=(-bound, bound))
    assert counts.sum() == kernel.size
    np.testing.assert_allclose(counts, kernel.size / 10, rtol=0.05)


def test_torch_default_draws_biases_from_the_kernels_interval():
    bias = np.asarray(bias_initializer("torch_default", 25)(jax.random.key(0), (4000,), np.float32))
    assert np.abs(bias).max() <= 0.2
    assert bias.std() == pytest.approx(0.2 / math.sqrt(3), rel=0.05)


def test_other_initialisers_start_biases_at_zero():
    bias = bias_initializer("he_normal", 25)(jax.random.key(0), (7,), np.float32)
    np.testing.assert_array_equal(bias, 0)


@pytest.mark.parametrize("name", ["torch_default", "he_normal"])
def test_a_value_for_biases_counts_whatever_goes_with_the_kernels(name):
    bias = bias_initializer(name, 25, 0.01)(jax.random.key(0), (7,), np.float32)
    np.testing.assert_array_equal(bias, np.float32(0.01))


def test_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean he_normal"):
        kernel_initializer("he_norml")
