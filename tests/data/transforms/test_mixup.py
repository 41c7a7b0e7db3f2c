import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.data.transforms.mixup import mixup

BATCH = 40


@pytest.fixture
def examples():
    """Image i is i grey all over, so that a mixture tells its weight; labels are classes of 40.

    Gamma draws are compiled once for all tests, if `mixup` is not.
    """
    greys = 6 * np.arange(BATCH, dtype=np.uint8)
    images = np.broadcast_to(greys[:, None, None, None], (BATCH, 3, 3, 1))
    return jnp.asarray(images), jnp.eye(BATCH, dtype=jnp.float32)


@pytest.mark.parametrize("amount", [0.2, 1.0, 5.0])
def test_images_and_labels_are_mixed_by_the_same_weight(examples, amount):
    images, labels = mixup(jax.random.key(0), *examples, amount=amount)
    np.testing.assert_allclose(labels.sum(-1), 1, rtol=1e-6)
    assert ((np.asarray(labels) > 0).sum(-1) <= 2).all()
    # The grey that the label's mixture of images has.
    expected = np.asarray(labels) @ (6.0 * np.arange(BATCH))
    assert np.abs(np.asarray(images, float) - expected[:, None, None, None]).max() <= 0.5 + 1e-3
    assert ((np.asarray(labels) > 0.01).sum(-1) == 2).any()


def test_every_example_is_somebodys_partner(examples):
    _, labels = mixup(jax.random.key(0), *examples, amount=50.0)
    partners = np.asarray(labels) > 0
    assert (partners.sum(0) >= 1).all()
    # Own share and partner's: columns sum to the weights given away and kept.
    kept = np.diag(np.asarray(labels))
    assert 0.2 < kept.mean() < 0.8


def test_weights_are_of_the_stated_beta_distribution():
    """Mean 1/2 and variance 1 / (4 (2 alpha + 1)); tolerances of 4 standard errors."""
    alpha = 0.5
    images = jnp.zeros((BATCH, 1, 1, 1), jnp.uint8)
    labels = 100 * np.arange(BATCH, dtype=np.float32)
    weights = []
    for key in jax.random.split(jax.random.key(0), 25):
        _, mixed = mixup(key, images, jnp.asarray(labels[:, None]), alpha)
        other = labels[np.asarray(jax.random.permutation(jax.random.split(key)[1], BATCH))]
        far = labels != other  # elsewhere nothing is mixed
        weights.append((np.asarray(mixed)[far, 0] - other[far]) / (labels - other)[far])
    weights = np.concatenate(weights).astype(float)
    variance = 1 / (4 * (2 * alpha + 1))
    assert abs(weights.mean() - 0.5) < 4 * np.sqrt(variance / len(weights))
    fourth_moment = 3 / 128  # of Beta(1/2, 1/2) about its mean
    error = np.sqrt((fourth_moment - variance**2) / len(weights))
    assert abs(weights.var() - variance) < 4 * error


def test_alpha_0_mixes_nothing(examples):
    images, labels = mixup(jax.random.key(0), *examples, amount=0.0)
    np.testing.assert_array_equal(images, examples[0])
    np.testing.assert_array_equal(labels, examples[1])
