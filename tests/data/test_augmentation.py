import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from jaxact import data
from jaxact.errors import ConfigError

BATCH, HEIGHT, WIDTH = 64, 6, 7


def batch(seed: int = 0) -> jax.Array:
    """No pixel is 0, so that the padding can be told from the image."""
    shape = (BATCH, HEIGHT, WIDTH, 2)
    return jnp.asarray(np.random.default_rng(seed).integers(1, 256, shape, np.uint8))


def crops_of(image: np.ndarray, padding: int) -> dict[tuple[int, int], np.ndarray]:
    """Every crop there is, by its offset."""
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    height, width, _ = image.shape
    offsets = range(2 * padding + 1)
    return {
        (row, column): padded[row : row + height, column : column + width]
        for row in offsets
        for column in offsets
    }


def offsets_of(images: jax.Array, cropped: jax.Array, padding: int) -> list[tuple[int, int]]:
    """The offset that each crop was taken at; fails where there is none."""
    found = []
    for image, crop in zip(np.asarray(images), np.asarray(cropped), strict=True):
        matching = [at for at, c in crops_of(image, padding).items() if np.array_equal(c, crop)]
        assert len(matching) == 1
        found.extend(matching)
    return found


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([1, 2, 4]))
def test_each_crop_is_a_window_of_its_padded_image(seed, padding):
    images = batch()
    cropped = data.random_crop(jax.random.key(seed), images, padding)
    assert (cropped.shape, cropped.dtype) == (images.shape, jnp.uint8)
    assert len(set(offsets_of(images, cropped, padding))) > 1


def test_crops_reach_every_offset_about_equally_often():
    images = jnp.tile(batch(), (40, 1, 1, 1))
    offsets = offsets_of(images, data.random_crop(jax.random.key(0), images, 1), 1)
    _, counts = np.unique(offsets, axis=0, return_counts=True)
    expected = len(images) / 9
    assert len(counts) == 9
    assert ((counts - expected) ** 2 / expected).sum() < 26.1  # chi-squared, 8 degrees, p = 0.001


def test_each_flip_is_the_image_or_its_mirror():
    images = np.asarray(batch())
    flipped = np.asarray(data.random_flip(jax.random.key(0), jnp.asarray(images)))
    same = (flipped == images).all((1, 2, 3))
    mirrored = (flipped == images[:, :, ::-1]).all((1, 2, 3))
    assert (same ^ mirrored).all()
    assert 16 < mirrored.sum() < 48


@pytest.mark.parametrize("name", data.augmentations())
def test_draws_depend_on_the_key_alone(name):
    augment = jax.jit(data.augment, static_argnums=0)
    images, key = batch(), jax.random.key(1)
    once = augment(name, key, images)
    assert (once.shape, once.dtype) == (images.shape, images.dtype)
    np.testing.assert_array_equal(once, data.augment(name, key, images))
    # Other pixels are moved alike: 255 - x commutes with every move, but for the padding.
    other = augment(name, key, 256 - images.astype(jnp.int32))
    np.testing.assert_array_equal(jnp.where(once > 0, 256 - once.astype(jnp.int32), 0), other)


def test_another_key_draws_otherwise():
    images = batch()
    one, two = (data.augment("crop_flip", jax.random.key(seed), images) for seed in (1, 2))
    assert (one != two).any()


def test_crop_flip_both_crops_and_flips():
    images = np.asarray(batch())
    augmented = np.asarray(data.augment("crop_flip", jax.random.key(0), jnp.asarray(images)))
    seen = set()
    for image, result in zip(images, augmented, strict=True):
        for at, crop in crops_of(image, 4).items():
            seen |= {("crop", at)} if np.array_equal(crop, result) else set()
            seen |= {("mirror", at)} if np.array_equal(crop[:, ::-1], result) else set()
    assert {kind for kind, _ in seen} == {"crop", "mirror"}
    assert len({at for _, at in seen}) > 20


def test_none_changes_nothing():
    images = batch()
    assert data.augment("none", jax.random.key(0), images) is images


def test_an_unknown_augmentation_is_a_wrong_configuration():
    with pytest.raises(ConfigError, match=r"augmentation='crop_flop'.*did you mean crop_flip"):
        data.augment("crop_flop", jax.random.key(0), batch())
