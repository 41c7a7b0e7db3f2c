"""Preprocessing by name: what each does to the images it was fitted on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import data
from jaxact.data.transforms import whitening
from jaxact.errors import ConfigError

SHAPE = (4, 5, 3)
VALUES = 60


@pytest.fixture(scope="module")
def images():
    """Neighbours are alike, as in photographs; more images than values."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 40, (2000, *SHAPE))
    smooth = noise + np.roll(noise, 1, 1) + np.roll(noise, 1, 2)
    return np.clip(120 + smooth * [1, 0.8, 0.6], 0, 255).astype(np.uint8)


def preprocessed(images, fitted):
    return np.asarray(jax.jit(data.normalize)(jnp.asarray(images), *fitted), np.float64)


def covariance(pixels):
    return np.cov(pixels.reshape(len(pixels), -1).T, bias=True)


@pytest.mark.parametrize("name", data.preprocessings())
def test_every_one_keeps_the_shape_and_is_refitted_to_the_same_bits(images, name):
    fitted, again = (data.fit_preprocessing(name, images) for _ in range(2))
    jax.tree.map(np.testing.assert_array_equal, fitted, again)
    assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(fitted))
    assert preprocessed(images, fitted).shape == images.shape
    batched = jnp.asarray(images[:6]).reshape(2, 3, *SHAPE)
    apart = data.normalize(batched, *fitted).reshape(6, *SHAPE)
    np.testing.assert_allclose(apart, preprocessed(images[:6], fitted), rtol=1e-4, atol=1e-4)


def test_none_is_the_scale_alone(images):
    actual = preprocessed(images, data.fit_preprocessing("none", images))
    np.testing.assert_allclose(actual, images / 255, rtol=1e-6)


def test_means_are_subtracted_a_channel_or_a_pixel(images):
    of_channels = preprocessed(images, data.fit_preprocessing("channel_mean", images))
    np.testing.assert_allclose(of_channels.mean((0, 1, 2)), 0, atol=1e-6)
    assert np.abs(of_channels.mean(0)).max() > 1e-3
    np.testing.assert_allclose(of_channels.std(), images.std() / 255, rtol=0.1)
    of_pixels = preprocessed(images, data.fit_preprocessing("mean_image", images))
    np.testing.assert_allclose(of_pixels.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(of_pixels + images.mean(0) / 255, images / 255, atol=1e-6)


def test_mean_and_covariance_are_those_of_numpy_in_any_order(images):
    mean, products = whitening.mean_and_covariance(images)
    flat = images.reshape(len(images), -1) / 255
    np.testing.assert_allclose(mean, flat.mean(0), rtol=1e-12)
    np.testing.assert_allclose(products, np.cov(flat.T, bias=True), rtol=1e-9, atol=1e-14)
    backwards = whitening.mean_and_covariance(images[::-1])
    np.testing.assert_array_equal(products, backwards[1])


@pytest.mark.parametrize("name", ["pca_whitening", "zca_whitening"])
def test_the_covariance_becomes_the_identity(images, name):
    mean, matrix = whitening.fit_whitening(name, images, epsilon=0.0)
    whitened = preprocessed(images, (mean, np.ones(3), matrix))
    np.testing.assert_allclose(whitened.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(covariance(whitened), np.eye(VALUES), atol=1e-3)


@pytest.mark.parametrize("name", ["pca_whitening", "zca_whitening"])
def test_epsilon_makes_a_variance_v_to_v_over_v_plus_epsilon(images, name):
    fitted = data.fit_preprocessing(name, images)
    before = np.linalg.eigvalsh(covariance(images / 255.0))
    epsilon = whitening.EPSILON * before.mean()
    after = np.linalg.eigvalsh(covariance(preprocessed(images, fitted)))
    np.testing.assert_allclose(after, before / (before + epsilon), rtol=1e-3)


def test_pca_decorrelates_and_keeps_variances_in_order(images):
    rotated = covariance(preprocessed(images, data.fit_preprocessing("pca", images)))
    variances = np.diag(rotated)
    np.testing.assert_allclose(rotated, np.diag(variances), atol=1e-6 * variances[0] + 1e-7)
    np.testing.assert_allclose(
        variances, np.linalg.eigvalsh(covariance(images / 255.0))[::-1], rtol=1e-3
    )


def test_pca_matrices_turn_and_scale_and_signs_follow_a_rule(images):
    turn = np.asarray(data.fit_preprocessing("pca", images).whitening, np.float64)
    np.testing.assert_allclose(turn.T @ turn, np.eye(VALUES), atol=1e-5)
    largest = turn[np.abs(turn).argmax(0), np.arange(VALUES)]
    assert (largest > 0).all()


def test_zca_is_symmetric_and_nearest_to_the_image(images):
    zca = np.asarray(data.fit_preprocessing("zca_whitening", images).whitening)
    np.testing.assert_array_equal(zca, zca.T)
    pixels = (images / 255 - images.mean(0) / 255).reshape(len(images), -1)
    pca = np.asarray(data.fit_preprocessing("pca_whitening", images).whitening)
    distance = [np.square(pixels @ matrix - pixels).mean() for matrix in (zca, pca)]
    assert distance[0] < distance[1]


def test_whitening_can_be_undone(images):
    mean, matrix = whitening.fit_whitening("zca_whitening", images)
    whitened = preprocessed(images[:9], (mean, np.ones(3), matrix)).reshape(9, -1)
    back = whitened @ np.linalg.inv(np.asarray(matrix, np.float64))
    np.testing.assert_allclose(back.reshape(9, *SHAPE) + mean, images[:9] / 255, atol=1e-4)


def test_pixels_that_never_differ_stay_finite_and_small():
    """A border that is black in every image, and fewer images than values."""
    images = np.random.default_rng(0).integers(0, 256, (20, *SHAPE), np.uint8)
    images[:, 0] = 0
    for name in whitening.MATRICES:
        pixels = preprocessed(images, data.fit_preprocessing(name, images))
        assert np.isfinite(pixels).all()
        assert np.abs(pixels).max() < 50
    zca = preprocessed(images, data.fit_preprocessing("zca_whitening", images))
    np.testing.assert_allclose(zca[:, 0], 0, atol=1e-3)


def test_images_that_are_all_equal_become_0():
    images = np.full((4, *SHAPE), 9, np.uint8)
    for name in whitening.MATRICES:
        pixels = preprocessed(images, data.fit_preprocessing(name, images))
        np.testing.assert_allclose(pixels, 0, atol=1e-6)


def test_large_images_and_unknown_names_are_wrong_configurations(images):
    with pytest.raises(ConfigError, match=r"zca_whitenin.*did you mean zca_whitening"):
        data.fit_preprocessing("zca_whitenin", images)
    large = np.zeros((2, 64, 64, 3), np.uint8)
    with pytest.raises(ConfigError, match=r"at most 6912 values, these are 64x64x3"):
        data.fit_preprocessing("pca_whitening", large)
