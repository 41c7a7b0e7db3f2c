import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from jaxact import data


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (64, 6, 5, 3), np.uint8)


def test_normalize_is_its_formula(images):
    mean, std = np.array([0.4, 0.5, 0.6], np.float32), np.array([0.2, 0.3, 0.1], np.float32)
    expected = (images.astype(np.float64) / 255 - mean) / std
    actual = jax.jit(data.normalize)(jnp.asarray(images), mean, std)
    assert actual.dtype == jnp.float32
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def test_normalize_rounds_to_another_dtype_once(images):
    mean, std = data.channel_statistics(images)
    exact = data.normalize(jnp.asarray(images), mean, std)
    half = data.normalize(jnp.asarray(images), mean, std, dtype=jnp.bfloat16)
    assert half.dtype == jnp.bfloat16
    np.testing.assert_array_equal(half, exact.astype(jnp.bfloat16))


def test_normalize_computes_in_float64_where_that_is_asked_for(images):
    mean, std = data.channel_statistics(images)
    expected = (images.astype(np.float64) / 255 - mean) / std
    with jax.enable_x64(True):
        actual = data.normalize(jnp.asarray(images), mean, std, dtype=jnp.float64)
        assert actual.dtype == jnp.float64
        np.testing.assert_allclose(actual, expected, rtol=1e-15, atol=1e-14)


def test_normalized_training_images_have_mean_0_and_deviation_1(images):
    normalized = np.asarray(
        data.normalize(jnp.asarray(images), *data.channel_statistics(images)), np.float64
    )
    np.testing.assert_allclose(normalized.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(normalized.std((0, 1, 2)), 1, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 255), st.integers(1, 4))
def test_statistics_are_those_of_float64(seed, levels, channels):
    images = np.random.default_rng(seed).integers(0, levels + 1, (9, 4, 4, channels), np.uint8)
    mean, std = data.channel_statistics(images)
    assert mean.dtype == std.dtype == np.float32
    exact = images.astype(np.float64) / 255
    np.testing.assert_allclose(mean, exact.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(std, np.maximum(exact.std((0, 1, 2)), 1 / 255), rtol=1e-6)


def test_statistics_do_not_drift_over_many_images():
    """A float32 sum of 255 stops growing near 2**32; the count goes over several chunks."""
    images = np.full((20_000, 30, 30, 1), 255, np.uint8)
    images[-1] = 254
    mean, _ = data.channel_statistics(images)
    assert mean[0] == np.float32((255 - 1 / 20_000) / 255)


def test_a_constant_channel_can_be_divided_by():
    images = np.full((4, 3, 3, 2), 7, np.uint8)
    mean, std = data.channel_statistics(images)
    np.testing.assert_allclose(std, 1 / 255)
    np.testing.assert_allclose(data.normalize(jnp.asarray(images), mean, std), 0, atol=1e-5)


def bilinear(image: np.ndarray, size: int) -> np.ndarray:
    """Half-pixel centres, edges repeated: the formula, pixel by pixel."""
    old = len(image)
    result = np.empty((size, size))
    for row, column in np.ndindex(size, size):
        y = np.clip((row + 0.5) * old / size - 0.5, 0, old - 1)
        x = np.clip((column + 0.5) * old / size - 0.5, 0, old - 1)
        top, left = min(int(y), old - 2), min(int(x), old - 2)
        weights = np.outer([1 - (y - top), y - top], [1 - (x - left), x - left])
        result[row, column] = (weights * image[top : top + 2, left : left + 2]).sum()
    return result


@pytest.mark.parametrize("size", [28, 32])
def test_small_images_are_enlarged_bilinearly(size):
    images = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 1), np.uint8)
    enlarged = data.fit_to_model(images, size)
    assert enlarged.shape == (3, size, size, 1)
    assert enlarged.dtype == np.uint8
    expected = np.stack([bilinear(image[..., 0], size) for image in images])
    assert np.abs(enlarged[..., 0] - expected).max() <= 0.5 + 1e-3


def test_images_in_several_chunks_are_enlarged_alike():
    images = np.random.default_rng(1).integers(0, 256, (4100, 2, 2, 1), np.uint8)
    enlarged = data.fit_to_model(images, 4)
    np.testing.assert_array_equal(enlarged[4090:], data.fit_to_model(images[4090:], 4))


@pytest.mark.parametrize("size", [1, 28, 32])
def test_images_that_are_large_enough_stay_as_they_are(size):
    images = np.zeros((2, 32, 32, 3), np.uint8)
    assert data.fit_to_model(images, size) is images


def test_the_longer_side_is_not_made_smaller():
    assert data.fit_to_model(np.zeros((2, 8, 40, 1), np.uint8), 32).shape == (2, 32, 40, 1)


@pytest.mark.parametrize("size", [8, 29])
def test_a_program_enlarges_images_as_training_does(size):
    images = np.random.default_rng(1).integers(0, 256, (20, 8, 9, 2), np.uint8)
    enlarged = np.asarray(jax.jit(data.enlarged, static_argnums=1)(images, size))
    expected = data.fit_to_model(images, size)
    assert (enlarged.shape, enlarged.dtype) == (expected.shape, np.uint8)
    differ = enlarged != expected  # halves are rounded otherwise where sums have another order
    assert np.abs(enlarged.astype(int) - expected).max() <= 1
    assert differ.mean() < 1e-2
