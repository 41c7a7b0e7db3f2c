import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import data
from jaxact.data.transforms import color


@pytest.fixture
def images():
    """Colours that vary together along a direction, and little across it."""
    rng = np.random.default_rng(0)
    light = rng.normal(0, 40, (50, 6, 5, 1)) * np.array([1.0, 0.8, 0.5])
    pixels = 128 + light + rng.normal(0, 10, (50, 6, 5, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def test_components_are_eigenvectors_as_long_as_their_eigenvalues(images):
    pixels = images.reshape(-1, 3) / 255
    covariance = np.cov(pixels.T, bias=True)
    components = data.color_components(images)
    lengths = np.linalg.norm(components, axis=0)
    assert (np.diff(lengths) < 0).all()
    np.testing.assert_allclose(lengths, np.linalg.eigvalsh(covariance)[::-1], rtol=1e-5)
    np.testing.assert_allclose(covariance @ components, components * lengths, atol=1e-6)


def test_components_do_not_depend_on_the_order_of_images(images):
    np.testing.assert_array_equal(
        data.color_components(images), data.color_components(images[::-1])
    )


def test_shifts_have_the_stated_covariance(images):
    """Of n normal draws the covariance's entry (i, j) has variance (s_ii s_jj + s_ij^2) / n."""
    components, count, amount = jnp.asarray(data.color_components(images)), 20_000, 0.1
    shifts = np.asarray(color.color_shifts(jax.random.key(0), count, components, amount))
    stated = amount**2 * np.asarray(components) @ np.asarray(components).T
    measured = shifts.T @ shifts / count
    variances = np.diag(stated)
    deviation = np.sqrt((np.outer(variances, variances) + stated**2) / count)
    assert (np.abs(measured - stated) < 4 * deviation).all()
    assert (np.abs(shifts.mean(0)) < 4 * np.sqrt(variances / count)).all()


def test_pca_color_adds_one_shift_to_all_pixels_of_an_image(images):
    components = jnp.asarray(data.color_components(images))
    middle = jnp.asarray(np.clip(images, 100, 150))
    key = jax.random.key(1)
    shifts = color.color_shifts(key, len(images), components, 0.5)
    expected = np.asarray(middle, np.float64) + 255 * np.asarray(shifts)[:, None, None, :]
    changed = np.asarray(color.pca_color(key, middle, components, 0.5), np.float64)
    assert np.abs(changed - np.clip(expected, 0, 255)).max() <= 0.5 + 1e-3


def test_pca_color_of_grey_images_is_a_change_of_brightness(images):
    grey = images[..., :1]
    components = data.color_components(grey)
    np.testing.assert_allclose(np.abs(components), [[(grey / 255).var()]], rtol=1e-5)
    changed = color.pca_color(jax.random.key(0), jnp.asarray(grey), jnp.asarray(components), 1.0)
    change = np.asarray(changed, int) - grey
    assert (change.min((1, 2, 3)) == change.max((1, 2, 3))).mean() > 0.9  # all but those clipped
    assert len(np.unique(change)) > 2


def test_jitter_is_brightness_then_contrast_then_saturation():
    image = np.array([[[100, 50, 20], [60, 90, 120]]], np.float64)[None]
    key, amount = jax.random.key(3), 0.4
    changed = color.color_jitter(key, jnp.asarray(image.astype(np.uint8)), amount)
    draws = np.asarray(jax.random.uniform(key, (3, 1, 1, 1, 1), minval=-1.0)).ravel()
    brightness, contrast, saturation = 1 + amount * draws.astype(np.float64)
    luma = np.array([0.299, 0.587, 0.114])
    expected = brightness * image
    mean = (expected @ luma).mean()
    expected = mean + contrast * (expected - mean)
    grey = (expected @ luma)[..., None]
    expected = grey + saturation * (expected - grey)
    assert np.abs(np.asarray(changed, np.float64) - np.clip(expected, 0, 255)).max() <= 0.5 + 1e-3
    assert len({round(float(f), 3) for f in draws}) == 3


def test_jitter_of_grey_images_keeps_the_order_of_their_greys():
    ramp = jnp.arange(50, 200, dtype=jnp.uint8).reshape(1, 10, 15, 1)
    changed = np.asarray(color.color_jitter(jax.random.key(0), jnp.tile(ramp, (9, 1, 1, 1))), int)
    assert (np.diff(changed.reshape(9, -1), axis=1) >= 0).all()
    three = color.color_jitter(jax.random.key(0), jnp.tile(ramp, (9, 1, 1, 3)))
    # Grey in three channels stays grey: there is no saturation to change.
    assert np.ptp(np.asarray(three, int), axis=-1).max() <= 1
