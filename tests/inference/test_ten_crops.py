import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.inference.ten_crops import average_probabilities, ten_crops


@pytest.fixture
def images():
    shape = (3, 6, 7, 2)
    return jnp.asarray(np.random.default_rng(0).integers(1, 256, shape, np.uint8))


def test_five_crops_and_their_mirror_images(images):
    views = np.asarray(jax.jit(ten_crops, static_argnums=1)(images, 2))
    assert (views.shape, views.dtype) == ((10, *images.shape), np.uint8)
    kept = np.asarray(images)
    # A corner crop of the padded image shows the image moved away from that corner.
    np.testing.assert_array_equal(views[0][:, 2:, 2:], kept[:, :-2, :-2])
    np.testing.assert_array_equal(views[1][:, 2:, :-2], kept[:, :-2, 2:])
    np.testing.assert_array_equal(views[2][:, :-2, 2:], kept[:, 2:, :-2])
    np.testing.assert_array_equal(views[3][:, :-2, :-2], kept[:, 2:, 2:])
    np.testing.assert_array_equal(views[4], kept)
    assert (views[0][:, :2] == 0).all()
    np.testing.assert_array_equal(views[5:], views[:5, :, :, ::-1])


def test_without_flips_there_are_five(images):
    np.testing.assert_array_equal(ten_crops(images, 1, flips=False), ten_crops(images, 1)[:5])


def test_without_padding_all_are_the_image_or_its_mirror(images):
    views = np.asarray(ten_crops(images, 0))
    for view in views[:5]:
        np.testing.assert_array_equal(view, images)


def test_probabilities_are_averaged_and_not_logits():
    """One view is sure of class 0, the other prefers class 1 a little: logits would say 0."""
    logits = jnp.array([[[9.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]])
    views = jnp.arange(2, dtype=jnp.uint8).reshape(2, 1, 1, 1, 1)
    averaged = average_probabilities(lambda images: logits[images[:, 0, 0, 0]][:, 0], views)
    expected = np.mean([np.exp(row[0]) / np.exp(row[0]).sum() for row in np.asarray(logits)], 0)
    np.testing.assert_allclose(averaged, [expected], rtol=1e-5)
    np.testing.assert_allclose(averaged.sum(-1), 1, rtol=1e-6)


def test_views_that_agree_change_nothing(images):
    def logits_of(batch):
        return batch.astype(jnp.float32).mean((1, 2)) / 50

    same = jnp.stack([images] * 4)
    np.testing.assert_allclose(
        average_probabilities(logits_of, same), jax.nn.softmax(logits_of(images)), rtol=1e-6
    )
