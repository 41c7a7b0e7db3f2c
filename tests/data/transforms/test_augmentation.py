"""Texts of augmentations, and what holds of every one: pure, keyed, shape, dtype and range kept."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from jaxact import data
from jaxact.data.transforms.augmentation import AUGMENTATIONS, DEFAULT, Step
from jaxact.errors import ConfigError

BATCH, HEIGHT, WIDTH, CLASSES = 16, 8, 9, 4
COMPONENTS = jnp.asarray(np.diag(np.array([0.2, 0.1, 0.05], np.float32)))
LABELS = np.arange(BATCH, dtype=np.int32) % CLASSES


def batch(channels: int = 3) -> jax.Array:
    shape = (BATCH, HEIGHT, WIDTH, channels)
    return jnp.asarray(np.random.default_rng(0).integers(0, 256, shape, np.uint8))


def augment(text: str, key: jax.Array, images: jax.Array) -> tuple[jax.Array, jax.Array]:
    """As training calls it. Not jitted as a whole: parts are compiled once for all tests."""
    channels = images.shape[-1]
    components = COMPONENTS[:channels, :channels]
    labels = jnp.asarray(LABELS)
    return data.augment_examples(text, CLASSES, key, images, labels, components)


@pytest.mark.parametrize("name", data.augmentations())
def test_shape_dtype_and_the_sum_of_labels_are_kept(name):
    images, labels = augment(name, jax.random.key(0), batch())
    assert (images.shape, images.dtype) == ((BATCH, HEIGHT, WIDTH, 3), jnp.uint8)
    if AUGMENTATIONS.get(name) and AUGMENTATIONS[name].kind == "labels":
        assert (labels.shape, labels.dtype) == ((BATCH, CLASSES), jnp.float32)
        np.testing.assert_allclose(labels.sum(-1), 1, rtol=1e-6)
    else:
        np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize("name", data.augmentations())
def test_grey_images_keep_their_shape(name):
    images, _ = jax.eval_shape(functools.partial(augment, name), jax.random.key(0), batch(1))
    assert (images.shape, images.dtype) == ((BATCH, HEIGHT, WIDTH, 1), jnp.uint8)


@pytest.mark.parametrize("name", [name for name in data.augmentations() if name != "none"])
def test_draws_depend_on_the_key_alone_and_differ_within_a_batch(name):
    same = jnp.asarray(np.broadcast_to(np.asarray(batch())[:1], batch().shape))
    if name == "mixup":  # equal images mix to themselves
        same = batch()
    one, again, other = (
        np.asarray(augment(name, jax.random.key(seed), same)[0]) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert len({image.tobytes() for image in one}) > 1


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_amount_0_changes_nothing(name):
    images, labels = augment(f"{name}(amount=0)", jax.random.key(0), batch())
    np.testing.assert_array_equal(images, batch())
    if labels.ndim == 2:
        labels = np.asarray(labels).argmax(-1)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if name != "mixup"])
def test_a_larger_amount_changes_more(name):
    """On average over a batch of smooth images; of mixup the mean weight is always one half."""
    ramp = np.linspace(20, 230, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH, 1)
    images = np.stack([ramp * f for f in np.linspace(0.3, 1, BATCH)]).astype(np.uint8)
    images = jnp.asarray(np.tile(images, (1, 1, 1, 3)))
    change = []
    for share in (0.25, 1.0):
        text = f"{name}(amount={AUGMENTATIONS[name].amount * share:g})"
        after = [augment(text, jax.random.key(seed), images)[0] for seed in range(4)]
        change.append(np.mean([np.abs(np.subtract(images, a, dtype=int)).mean() for a in after]))
    assert change[1] > 1.1 * change[0] > 0


def test_it_can_be_mapped_over_batches():
    images = np.stack([batch(), 255 - np.asarray(batch())])
    change = functools.partial(data.augment, "crop_flip,pca_color", components=COMPONENTS)

    @jax.jit
    def both_ways(images):
        keys = jax.random.split(jax.random.key(0), 2)
        return jax.vmap(change)(keys, images), [change(keys[i], images[i]) for i in range(2)]

    np.testing.assert_array_equal(*both_ways(images))


def test_a_list_is_applied_in_its_order_with_keys_of_their_own():
    key, images = jax.random.key(3), batch()
    first, second, third = jax.random.split(key, 3)
    expected = data.random_flip(first, images)
    expected = data.augment("color_jitter", second, expected)
    expected = data.augment("rotate(amount=30)", third, expected)
    actual = data.augment("flip, color_jitter, rotate(amount=30)", key, images)
    np.testing.assert_array_equal(actual, expected)
    other = data.augment("rotate(amount=30),color_jitter,flip", key, images)
    assert (actual != other).any()


def test_affine_augmentations_in_a_row_are_sampled_once():
    """A rotation forth and a shear back would blur twice; here only the products are sampled."""
    key, images = jax.random.key(0), batch()
    text = "translate,rotate"
    jaxpr = str(jax.make_jaxpr(functools.partial(data.augment, text))(key, images))
    alone = str(jax.make_jaxpr(functools.partial(data.augment, "rotate"))(key, images))
    assert jaxpr.count(" gather[") == alone.count(" gather[") > 0


def test_default_and_crop_flip_stand_for_others():
    crop_flip = (Step("crop", 4), Step("flip", 0.5))
    assert data.parse_augmentation("crop_flip") == crop_flip
    assert data.parse_augmentation("default", "crop_flip") == crop_flip
    assert data.parse_augmentation("default") == data.parse_augmentation("none") == ()
    assert data.parse_augmentation("default,mixup") == (Step("mixup", 0.2),)


names = st.lists(st.sampled_from(list(AUGMENTATIONS)), unique=True, max_size=5)


@settings(max_examples=50, deadline=None)
@given(names, st.floats(0, 1))
def test_the_text_of_steps_is_taken_apart_to_the_same_steps(chosen, share):
    steps = tuple(
        Step(name, round(amount) if AUGMENTATIONS[name].is_whole else amount)
        for name in chosen
        for amount in (share * AUGMENTATIONS[name].most,)
    )
    assert data.parse_augmentation(data.augmentation_text(steps)) == steps


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("crop_flop", r"names 'crop_flop'; did you mean crop_flip"),
        ("flip,rotat", r"names 'rotat'; did you mean rotate"),
        ("flip,rotate,flip", "names flip twice"),
        ("crop_flip,crop", "names crop twice"),
        ("default,default,none", "none alone"),
        ("", "names ''"),
        ("flip,,rotate", "names ''"),
        ("rotate(degrees=3)", r"names 'rotate\(degrees=3\)'"),
        ("rotate(amount=-1)", "gives rotate the amount -1: must be a number from 0 to 180"),
        ("rotate(amount=nan)", "the amount nan"),
        ("rotate(amount=inf)", "the amount inf"),
        ("rotate(amount=much)", "the amount much"),
        ("crop(amount=1.5)", "must be a whole number from 0 to 64"),
        ("crop_flip(amount=2)", "gives crop_flip an amount"),
        ("flip rotate", "names 'flip rotate'"),
    ],
)
def test_a_wrong_text_is_one_line(text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        data.parse_augmentation(text)
    assert str(caught.value).startswith(f"augmentation={text!r}")
    assert "\n" not in str(caught.value)


def test_the_default_is_a_name_in_messages():
    with pytest.raises(ConfigError, match=DEFAULT):
        data.parse_augmentation("defalt")


def test_pca_color_without_components_says_so():
    assert data.needs_colors("flip,pca_color")
    assert not data.needs_colors("flip,color_jitter")
    with pytest.raises(ValueError, match="pca_color needs the components"):
        data.augment("pca_color", jax.random.key(0), batch())


def test_none_changes_nothing():
    images = batch()
    assert data.augment("none", jax.random.key(0), images) is images


def test_crop_moves_by_four_pixels_at_most_and_flip_mirrors_half():
    """He et al. 2015 (arXiv:1512.03385), section 4.2: 4 pixels of padding, a random flip."""
    count, side = 2048, 16
    image = np.arange(side * side).reshape(side, side).astype(np.uint8)
    images = jnp.asarray(np.broadcast_to(image[..., None], (count, side, side, 1)))
    cropped, flipped = (
        np.asarray(data.augment(name, jax.random.key(0), images))[..., 0]
        for name in ("crop", "flip")
    )
    centre = side // 2
    moved = cropped[:, centre, centre].astype(int) - int(image[centre, centre])
    offsets = np.stack(np.divmod(moved + 4 * side + 4, side), -1) - 4
    assert {tuple(offset) for offset in offsets.tolist()} == {
        (rows, columns) for rows in range(-4, 5) for columns in range(-4, 5)
    }
    is_mirrored = (flipped == image[:, ::-1]).all((1, 2))
    assert (is_mirrored | (flipped == image).all((1, 2))).all()
    assert 0.45 < is_mirrored.mean() < 0.55  # four standard deviations
