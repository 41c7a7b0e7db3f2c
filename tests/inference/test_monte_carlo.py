"""Monte Carlo dropout: its moments, what it leaves as in evaluation, and that it drops."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from jaxact import models
from jaxact.inference import monte_carlo
from jaxact.models.layers.common import DROPOUTS
from tests.support.variables import drawn

pytestmark = pytest.mark.usefixtures("quick_convolution")
KEY = jax.random.key(7)

PREDICT = jax.jit(monte_carlo.predict, static_argnums=(0, 4))


def create(name, **options):
    model = models.create_model(name, **options)
    shape = (6, model.input_size, model.input_size, 1)
    images = jnp.asarray(np.random.default_rng(7).normal(size=shape), jnp.float32)
    return model, drawn(model, *shape[1:]), images


def test_moments_of_dropout_before_a_linear_layer_are_those_that_theory_gives():
    rate, rng = 0.2, np.random.default_rng(7)
    x, weights = (rng.normal(size=shape).astype(np.float32) for shape in ((8, 20), (20, 3)))

    @jax.jit
    def draw(key):
        kept = jax.random.bernoulli(key, 1 - rate, x.shape)
        return jnp.where(kept, x / (1 - rate), 0) @ weights

    exact_mean = x @ weights
    exact_spread = np.sqrt((rate / (1 - rate)) * (x**2 @ weights**2))
    errors = {}
    for samples in (16, 4096):
        moments = jax.jit(functools.partial(monte_carlo.moments, draw, samples=samples))
        mean, spread = moments(jax.random.key(2))
        errors[samples] = np.abs((mean - exact_mean) / exact_spread).mean()
        # The mean of T draws is off by a standard normal number over sqrt(T): |.| 0.8 on average.
        assert 0.5 < errors[samples] * samples**0.5 < 1.1
    np.testing.assert_allclose(spread, exact_spread, rtol=0.06)


@pytest.mark.parametrize("form", DROPOUTS)
def test_without_dropout_there_is_no_spread(form):
    model, variables, images = create("thin_cnn", dropout=form, dropout_rate=0.0)
    mean, spread = PREDICT(model, variables, images, KEY, 5)
    np.testing.assert_array_equal(spread, 0)
    logits = jax.jit(lambda variables: models.predict(model, variables, images))(variables)
    np.testing.assert_allclose(mean, special.softmax(logits, -1), rtol=1e-5)


@pytest.mark.usefixtures("thin_networks")
def test_batch_norm_stays_as_in_evaluation():
    model, variables, images = create("vgg11")
    mean, spread = jax.device_get(PREDICT(model, variables, images, KEY, 2))
    np.testing.assert_array_equal(spread, 0)
    alone = PREDICT(model, variables, images[:1], KEY, 1).mean
    np.testing.assert_allclose(alone, mean[:1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("form", DROPOUTS)
def test_masks_differ_and_more_of_them_agree(form):
    model, variables, images = create("thin_cnn", dropout=form)
    mean, spread = jax.device_get(PREDICT(model, variables, images, KEY, 30))
    np.testing.assert_allclose(mean.sum(-1), 1, rtol=1e-5)
    assert (spread > 0).all()
    again = PREDICT(model, variables, images, KEY, 30)
    np.testing.assert_array_equal(again.mean, mean)
    other = PREDICT(model, variables, images, jax.random.key(8), 30)
    assert 0 < np.abs(other.mean - mean).max() < 0.1
