"""Crops and mirror images by enumeration; affine maps where the right pixels are known."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from jaxact import data
from jaxact.data.transforms import geometry

BATCH, HEIGHT, WIDTH = 64, 6, 7
RANDOM_CROP = jax.jit(data.random_crop, static_argnums=2)
RANDOM_FLIP = jax.jit(data.random_flip)
CROP_FLIP = jax.jit(functools.partial(data.augment, "crop_flip"))
LENS = jax.jit(geometry.lens_distortion)


def batch(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """No pixel is 0, so that what comes from outside can be told from the image."""
    shape = (BATCH, height, width, 2)
    return np.random.default_rng(0).integers(1, 256, shape, np.uint8)


@functools.partial(jax.jit, static_argnums=1)
def warp(images: jax.Array, matrices: Callable[..., jax.Array], *amounts: Any) -> jax.Array:
    """Images under the affine maps that a function gives for an image's amounts, or all images'."""
    count = len(images)
    each = (jnp.broadcast_to(jnp.asarray(amount, jnp.float32), count) for amount in amounts)
    return geometry.warp(images, matrices(*each))


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


def offsets_of(images: np.ndarray, cropped: jax.Array, padding: int) -> list[tuple[int, int]]:
    """The offset that each crop was taken at; fails where there is none."""
    found = []
    for image, crop in zip(images, np.asarray(cropped), strict=True):
        matching = [at for at, c in crops_of(image, padding).items() if np.array_equal(c, crop)]
        assert len(matching) == 1
        found.extend(matching)
    return found


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([1, 2, 4]))
def test_each_crop_is_a_window_of_its_padded_image(seed, padding):
    images = batch()
    cropped = RANDOM_CROP(jax.random.key(seed), images, padding)
    assert (cropped.shape, cropped.dtype) == (images.shape, jnp.uint8)
    assert len(set(offsets_of(images, cropped, padding))) > 1


def test_crops_reach_every_offset_about_equally_often():
    images = np.tile(batch(), (40, 1, 1, 1))
    offsets = offsets_of(images, RANDOM_CROP(jax.random.key(0), images, 1), 1)
    _, counts = np.unique(offsets, axis=0, return_counts=True)
    expected = len(images) / 9
    assert len(counts) == 9
    assert ((counts - expected) ** 2 / expected).sum() < 26.1  # chi-squared, 8 degrees, p = 0.001


def test_each_flip_is_the_image_or_its_mirror():
    images = batch()
    flipped = np.asarray(RANDOM_FLIP(jax.random.key(0), images))
    same = (flipped == images).all((1, 2, 3))
    mirrored = (flipped == images[:, :, ::-1]).all((1, 2, 3))
    assert (same ^ mirrored).all()
    assert 16 < mirrored.sum() < 48


def test_two_certain_flips_are_the_image():
    once = RANDOM_FLIP(jax.random.key(0), batch(), 1.0)
    np.testing.assert_array_equal(once, batch()[:, :, ::-1])
    np.testing.assert_array_equal(RANDOM_FLIP(jax.random.key(1), once, 1.0), batch())


def test_crop_flip_both_crops_and_flips():
    images = batch()
    augmented = np.asarray(CROP_FLIP(jax.random.key(0), images))
    seen = set()
    for image, result in zip(images, augmented, strict=True):
        for at, crop in crops_of(image, 4).items():
            seen |= {("crop", at)} if np.array_equal(crop, result) else set()
            seen |= {("mirror", at)} if np.array_equal(crop[:, ::-1], result) else set()
    assert {kind for kind, _ in seen} == {"crop", "mirror"}
    assert len({at for _, at in seen}) > 20


def test_crop_flip_draws_as_it_always_has():
    """Runs stored before there were others go on with the same crops and flips."""
    key, images = jax.random.key(5), batch()
    crop_key, flip_key = jax.random.split(key)
    expected = RANDOM_FLIP(flip_key, RANDOM_CROP(crop_key, images, 4))
    np.testing.assert_array_equal(CROP_FLIP(key, images), expected)


@pytest.mark.parametrize("size", [6, 7])
@pytest.mark.parametrize("quarters", [-1, 0, 1, 2, 3, 4])
def test_a_rotation_by_right_angles_is_rot90(size, quarters):
    images = batch(size, size)
    turned = warp(images, geometry.rotation, 90.0 * quarters)
    np.testing.assert_array_equal(turned, np.rot90(images, quarters, axes=(1, 2)))


@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, 0), (0, 3), (1, -2), (-6, 0), (0, 7)])
def test_a_translation_by_whole_pixels_is_a_shift(down, right):
    images = batch()
    padded = np.pad(images, ((0, 0), (HEIGHT, HEIGHT), (WIDTH, WIDTH), (0, 0)))
    rows, columns = slice(HEIGHT - down, 2 * HEIGHT - down), slice(WIDTH - right, 2 * WIDTH - right)
    moved = warp(images, geometry.translation, float(down), float(right))
    np.testing.assert_array_equal(moved, padded[:, rows, columns])


def test_between_pixels_it_is_bilinear():
    images = np.array([[10, 20], [50, 100]], np.uint8).reshape(1, 2, 2, 1)
    moved = np.asarray(warp(images, geometry.translation, 0.0, 0.25))[0, ..., 0]
    # 0.75 of the pixel itself and 0.25 of its neighbour to the left, or of the black outside.
    np.testing.assert_array_equal(moved, [[8, 18], [38, 88]])


def test_stretching_by_two_shows_the_middle_twice_as_large():
    ramp = np.broadcast_to(10 * np.arange(9), (9, 9)).astype(np.uint8)[None, ..., None]
    across = np.asarray(warp(ramp, geometry.stretching, 1.0, 2.0))[0, ..., 0]
    np.testing.assert_array_equal(across[4], 20 + 5 * np.arange(9))
    down = np.asarray(warp(ramp, geometry.stretching, 2.0, 1.0))[0, ..., 0]
    np.testing.assert_array_equal(down, ramp[0, ..., 0])


def test_shearing_moves_rows_against_each_other():
    line = np.zeros((1, 5, 9, 1), np.uint8)
    line[0, :, 4] = 200
    sheared = np.asarray(warp(line, geometry.shearing, 1.0))[0, ..., 0]
    np.testing.assert_array_equal(sheared.argmax(1), [6, 5, 4, 3, 2])


def test_matrices_are_applied_in_the_order_of_their_product():
    images = batch(6, 6)
    one_by_one = warp(warp(images, geometry.rotation, 90.0), geometry.translation, 1.0, 0.0)

    def both(degrees, down, right):
        return geometry.after(geometry.rotation(degrees), geometry.translation(down, right))

    np.testing.assert_array_equal(warp(images, both, 90.0, 1.0, 0.0), one_by_one)


DRAWS = {
    draw.__name__: draw
    for draw in (
        geometry.random_rotation,
        geometry.random_translation,
        geometry.random_stretching,
        geometry.random_shearing,
        geometry.random_crop_and_scale,
    )
}


@functools.cache
def drawn_matrices() -> dict[str, list[np.ndarray]]:
    """The draws of each function with the amounts 0.5 and 0, by one program."""
    shape = (BATCH, HEIGHT, WIDTH, 1)

    @jax.jit
    def every(key):
        return {
            name: [draw(key, shape, share) for share in (0.5, 0.0)] for name, draw in DRAWS.items()
        }

    return jax.device_get(every(jax.random.key(0)))


@pytest.mark.parametrize("draw", DRAWS)
def test_drawn_matrices_are_different_ones_and_identities_at_0(draw):
    drawn, identities = drawn_matrices()[draw]
    assert len(np.unique(drawn, axis=0)) == BATCH
    np.testing.assert_array_equal(identities, np.broadcast_to(np.eye(3), (BATCH, 3, 3)))


def test_draws_stay_within_their_amount_and_use_all_of_it():
    shape = (2000, HEIGHT, WIDTH, 1)

    @jax.jit
    def drawn(key):
        return (
            geometry.random_rotation(key, shape, 30.0),
            geometry.random_stretching(key, shape, 0.5),
            geometry.random_translation(key, shape, 0.5),
        )

    rotations, stretchings, translations = jax.device_get(drawn(jax.random.key(0)))
    degrees = np.degrees(np.arctan2(rotations[:, 0, 1], rotations[:, 0, 0]))
    stretches = 1 / stretchings[:, 0, 0]
    moves = translations[:, 0, 2]
    for values, low, high in [
        (degrees, -30, 30),
        (np.log(stretches), -np.log(1.5), np.log(1.5)),
        (moves, -HEIGHT / 2, HEIGHT / 2),
    ]:
        assert low <= values.min() < 0.98 * low
        assert 0.98 * high < values.max() <= high * (1 + 1e-6)


def test_a_crop_and_scale_never_shows_what_is_outside():
    images = np.full((500, HEIGHT, WIDTH, 1), 200, np.uint8)
    draw = lambda: geometry.random_crop_and_scale(jax.random.key(0), images.shape, 0.9)  # noqa: E731
    np.testing.assert_array_equal(warp(images, draw), images)


def test_a_lens_keeps_centre_and_symmetry_and_bends_lines():
    line = np.zeros((8, 15, 15, 1), np.uint8)
    line[:, :, 11] = 250
    bent = np.asarray(LENS(jax.random.key(1), line, 0.5))[..., 0]
    np.testing.assert_array_equal(bent, bent[:, ::-1])
    weights = np.where(bent.sum(2, keepdims=True) > 100, bent, 0).astype(float)
    places = (weights * np.arange(15)).sum(2)[:, [4, 7]] / weights.sum(2)[:, [4, 7]]
    # Further out in the middle means further in at the end, or the other way round; never straight.
    assert (np.abs(places[:, 0] - places[:, 1]) > 0.01).all()
    middle = np.zeros((8, 15, 15, 1), np.uint8)
    middle[:, 7, 7] = 250
    kept = np.asarray(LENS(jax.random.key(1), middle, 0.5))
    np.testing.assert_array_equal(kept[:, 7, 7], middle[:, 7, 7])
