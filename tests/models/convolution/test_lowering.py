"""Convolution as we compute it equals XLA's own, values and gradients."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact.models.convolution import choice, depthwise, lowering

NHWC = ("NHWC", "HWIO", "NHWC")
# (images, kernel, padding): as networks have them, and single pixels.
CONVOLUTIONS = [
    ((3, 12, 12, 10), (5, 5, 10, 20), "VALID"),
    ((2, 32, 32, 3), (3, 3, 3, 64), "SAME"),
    ((2, 2, 2, 512), (3, 3, 512, 512), "SAME"),
    ((64, 9, 5, 16), (3, 3, 16, 8), [(2, 0), (1, 3)]),
    ((64, 1, 1, 8), (3, 3, 8, 4), "SAME"),
    ((5, 1, 3, 8), (3, 5, 8, 4), [(4, 0), (3, 4)]),
    ((1, 7, 5, 3), (1, 1, 3, 2), "VALID"),
]


def stock(images, kernel, padding, **options):
    return jax.lax.conv_general_dilated(
        images,
        kernel,
        dimension_numbers=NHWC,
        padding=padding,
        **{"window_strides": (1, 1), **options},
    )


def ours(images, kernel, padding, **options):
    return lowering.conv_general_dilated(
        images,
        kernel,
        dimension_numbers=NHWC,
        padding=padding,
        **{"window_strides": (1, 1), **options},
    )


def assert_same(actual, expected):
    scale = np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5 * scale)


def normal(*shapes):
    """Arrays of random numbers."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape, np.float32) for shape in shapes]


def assert_values_and_gradients_are_the_same(actual, expected, *shapes):
    """Compares functions of images and kernel with one, in one program: it compiles sooner."""
    functions = [expected, *actual] if isinstance(actual, list) else [expected, actual]
    *inputs, weights = normal(*shapes, jax.eval_shape(expected, *normal(*shapes)).shape)

    @jax.jit
    def of_all(images, kernel, weights):
        pairs = [jax.vjp(function, images, kernel) for function in functions]
        return [(outputs, *pull_back(weights)) for outputs, pull_back in pairs]

    with lowering.traced_for(jax.default_backend()):  # the other platforms' trace takes as long
        wanted, *found = jax.device_get(of_all(*inputs, weights))
    for results in found:
        jax.tree.map(assert_same, results, wanted)


@pytest.mark.parametrize(("shape", "kernel_shape", "padding"), CONVOLUTIONS)
def test_convolution_equals_xlas(shape, kernel_shape, padding):
    assert_values_and_gradients_are_the_same(
        lambda x, k: ours(x, k, padding), lambda x, k: stock(x, k, padding), shape, kernel_shape
    )


@pytest.mark.parametrize(
    ("shape", "kernel_shape", "options"),
    [
        ((3, 28, 28, 1), (5, 5, 1, 10), {}),
        ((32, 13, 16, 3), (4, 5, 3, 4), {}),
        ((64, 12, 12, 10), (5, 5, 10, 20), {}),
        ((2, 9, 9, 4), (3, 3, 2, 6), {"feature_group_count": 2, "padding": "SAME"}),
        ((2, 9, 9, 4), (3, 3, 4, 6), {"window_strides": (2, 2), "padding": "SAME"}),
    ],
)
def test_pooled_convolution_equals_xlas(shape, kernel_shape, options):
    options = {"padding": "VALID", **options}

    def pooled(images, kernel):
        return nn.max_pool(stock(images, kernel, **options), (2, 2), (2, 2))

    assert_values_and_gradients_are_the_same(
        lambda x, k: ours(x, k, pools=True, **options), pooled, shape, kernel_shape
    )


# Shapes that several ways take, with odd sizes and edges.
SHAPES = [
    choice.Shape((3, 8, 8, 5), (3, 3, 5, 7), ((1, 1), (1, 1))),
    choice.Shape((2, 9, 7, 4), (3, 3, 4, 6), ((2, 0), (1, 2))),
    choice.Shape((2, 7, 9, 4), (2, 4, 4, 3), ((0, 1), (3, 0))),
    choice.Shape((2, 5, 6, 4), (1, 1, 4, 3), ((0, 0), (0, 0))),
    choice.Shape((2, 2, 2, 4), (5, 5, 4, 3), ((4, 4), (5, 6))),
    choice.Shape((2, 9, 8, 4), (3, 2, 4, 5), ((2, 1), (0, 3)), (2, 3)),
    choice.Shape((2, 9, 8, 4), (3, 3, 4, 5), ((1, 1), (0, 1)), strides=(2, 2)),
    choice.Shape((2, 7, 13, 2), (5, 4, 2, 3), ((0, 2), (3, 0)), strides=(2, 3)),
    choice.Shape((2, 5, 8, 2), (1, 3, 2, 3), ((0, 0), (1, 1)), strides=(4, 2)),
    choice.Shape((2, 8, 9, 2), (2, 2, 2, 3), ((0, 0), (0, 0)), strides=(2, 2)),
    choice.Shape((2, 9, 11, 2), (2, 3, 2, 3), ((0, 1), (0, 0)), strides=(3, 4)),  # pixels cut off
    choice.Shape((2, 9, 8, 4), (3, 3, 4, 5), ((1, 1), (0, 1)), (2, 1), strides=(2, 3)),
    choice.Shape((2, 5, 6, 4), (1, 1, 4, 3), ((1, 2), (0, 1)), strides=(2, 1)),
    choice.Shape((2, 5, 6, 4), (1, 1, 4, 3), ((1, 1), (1, 1)), (2, 2)),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_equals_xlas(shape):
    def by(way, images, kernel):
        padding, dilation, strides = shape.padding, shape.dilation, shape.strides
        return lowering.by_way(way, images, kernel, padding, dilation, strides=strides)

    def expected(images, kernel):
        options = {"rhs_dilation": shape.dilation, "window_strides": shape.strides}
        return stock(images, kernel, shape.padding, **options)

    ways = [functools.partial(by, way) for way in choice.ways(shape)]
    assert_values_and_gradients_are_the_same(ways, expected, shape.images, shape.kernel)


@pytest.mark.parametrize(
    ("images", "kernel", "stride", "way"),
    [
        ((128, 32, 32, 16), (3, 3, 16, 16), 1, choice.WINOGRAD),
        ((128, 34, 34, 3), (3, 3, 3, 16), 1, choice.BANDED),
        ((128, 34, 34, 3), (3, 3, 3, 64), 1, choice.PATCHES),
        ((128, 17, 17, 64), (2, 2, 64, 32), 1, choice.TAPS),
        ((1, 2, 2, 64), (2, 2, 64, 32), 1, choice.PATCHES),
        ((128, 16, 16, 64), (1, 1, 64, 128), 1, choice.PRODUCT),
        ((128, 32, 32, 64), (3, 3, 64, 128), 2, choice.STRIDED),
        ((128, 32, 32, 64), (1, 1, 64, 128), 2, choice.PRODUCT),
        ((128, 16, 16, 64), (2, 2, 64, 128), 2, choice.PRODUCT),
    ],
)
def test_the_choice_is_the_fastest_that_was_measured(images, kernel, stride, way):
    shape = choice.Shape(images, kernel, ((0, 0), (0, 0)), strides=(stride, stride))
    assert choice.choose(shape) == way


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_over_blocks_is_that_of_the_arrays(shape):
    if shape.dilation == (1, 1) or shape.strides == (1, 1):
        paddings = []

        def dense(images, kernel):
            *arrays, padding = lowering.dense(images, kernel, shape.strides, shape.padding)
            paddings.append(padding)
            return arrays

        images, kernel = jax.eval_shape(dense, *normal(shape.images, shape.kernel))
        found = images.shape, kernel.shape, *paddings
        assert found == (shape.dense.images, shape.dense.kernel, shape.dense.padding)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_kernel_larger_than_the_image_gives_nothing(stride):
    images, kernel = normal((2, 2, 2, 3), (3, 3, 3, 4))
    outputs = ours(images, kernel, "VALID", window_strides=(stride, stride))
    assert outputs.shape == (2, 0, 0, 4)


def test_every_way_is_tested_and_the_chosen_one_is_among_them():
    tested = {way for shape in SHAPES for way in choice.ways(shape)}
    assert tested == set(choice.WAYS)
    assert all(choice.choose(shape) in choice.ways(shape) for shape in SHAPES)


@pytest.mark.parametrize(
    ("shape", "kernel_shape", "pools", "options"),
    [
        ((1, 4, 4, 32), (24, 3, 3, 32), False, {}),
        ((1, 4, 4, 32), (24, 3, 3, 32), True, {}),
        ((3, 7, 5, 3), (2, 2, 4, 3), False, {"padding": [(2, 0), (1, 3)]}),
        ((64, 12, 12, 10), (20, 5, 5, 10), False, {"padding": "VALID"}),
        ((1, 9, 9, 4), (6, 3, 3, 2), False, {"feature_group_count": 2}),
        ((1, 9, 9, 4), (6, 3, 3, 4), False, {"window_strides": (2, 2)}),
    ],
)
def test_a_kernel_stored_output_major(shape, kernel_shape, pools, options):
    options = {"padding": "SAME", "window_strides": (1, 1), **options}

    def expected_of(images, kernel):
        outputs = jax.lax.conv_general_dilated(
            images, kernel, dimension_numbers=("NHWC", "OHWI", "NHWC"), **options
        )
        return nn.max_pool(outputs, (2, 2), (2, 2)) if pools else outputs

    def actual_of(images, kernel):
        return lowering.conv_general_dilated(
            images, kernel, dimension_numbers=lowering.OUTPUT_MAJOR, pools=pools, **options
        )

    assert_values_and_gradients_are_the_same(actual_of, expected_of, shape, kernel_shape)


def test_pooled_convolution_in_bfloat16_is_that_in_float32():
    images, kernel = normal((64, 12, 12, 10), (5, 5, 10, 20))
    expected = np.asarray(ours(images, kernel, "VALID", pools=True))
    halves = images.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16)
    actual = ours(*halves, "VALID", pools=True)
    assert actual.dtype == jnp.bfloat16
    np.testing.assert_allclose(
        np.asarray(actual, np.float32), expected, atol=2e-2 * np.abs(expected).max()
    )


@pytest.mark.parametrize(
    ("size", "options"),
    [
        ((8, 7), {}),
        ((11, 9), {"window_strides": (2, 3)}),
        ((9, 8), {"rhs_dilation": (2, 1)}),
    ],
)
def test_the_gradient_of_a_depthwise_kernel_is_summed_a_few_images_at_a_time(
    monkeypatch, size, options
):
    monkeypatch.setattr(depthwise, "CHUNK", 5 * 13 * 13 * 3)  # six images are then two parts
    options = {"padding": [(1, 1), (2, 0)], "feature_group_count": 3, **options}
    assert_values_and_gradients_are_the_same(
        functools.partial(ours, **options),
        functools.partial(stock, **options),
        (6, *size, 3),
        (3, 3, 1, 3),
    )


def test_a_depthwise_convolution_in_bfloat16_is_that_in_float32():
    images, kernel = normal((2, 9, 9, 8), (7, 7, 1, 8))
    options = {"padding": "SAME", "feature_group_count": 8}
    expected = np.asarray(ours(images, kernel, **options))
    actual = ours(images.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16), **options)
    assert actual.dtype == jnp.bfloat16
    np.testing.assert_allclose(
        np.asarray(actual, np.float32), expected, atol=1e-2 * np.abs(expected).max()
    )


@pytest.mark.parametrize("batch", [1, 128])
def test_pooled_convolution_splits_the_gradient_among_equals(batch):
    images, kernel = np.ones((batch, 8, 8, 1), np.float32), np.ones((5, 5, 1, 1), np.float32)
    images[:, 0, 0] = 0  # the first output is less than its three neighbours
    outputs = np.zeros((batch, 4, 4, 1), np.float32)

    def pooled(shift):
        shifted = jnp.concatenate([images, jnp.pad(shift, ((0, 0), (2, 2), (2, 2), (0, 0)))], -1)
        centre = jnp.zeros((5, 5, 1, 1)).at[2, 2].set(1.0)
        return ours(shifted, jnp.concatenate([kernel, centre], 2), "VALID", pools=True).sum()

    gradient = np.asarray(jax.jit(jax.grad(pooled))(outputs))
    expected = np.full((4, 4), 1 / 4)
    expected[:2, :2] = [[0, 1 / 3], [1 / 3, 1 / 3]]
    np.testing.assert_allclose(gradient[-1, :, :, 0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "kernel_shape", "options"),
    [
        ((2, 8, 8, 6), (5, 5, 3, 4), {"feature_group_count": 2}),
        ((2, 31, 35, 3), (11, 11, 3, 5), {"window_strides": (4, 4), "padding": "VALID"}),
        ((2, 9, 8, 4), (2, 3, 4, 5), {"window_strides": (3, 1), "padding": [(2, 0), (0, 3)]}),
        ((2, 7, 7, 4), (1, 1, 4, 5), {"window_strides": (2, 2), "padding": "VALID"}),
        ((2, 9, 8, 4), (3, 2, 4, 5), {"rhs_dilation": (2, 3), "window_strides": (2, 1)}),
        ((3, 9, 8, 6), (3, 3, 1, 6), {"feature_group_count": 6}),
        ((4, 7, 6, 3), (7, 5, 1, 6), {"feature_group_count": 3, "padding": [(4, 2), (0, 3)]}),
        (
            (2, 9, 8, 4),
            (3, 3, 1, 8),
            {"feature_group_count": 4, "window_strides": (2, 3), "rhs_dilation": (1, 2)},
        ),
        ((2, 9, 8, 10), (3, 3, 2, 15), {"feature_group_count": 5, "window_strides": (1, 2)}),
        ((2, 9, 8, 12), (3, 2, 2, 6), {"feature_group_count": 6, "rhs_dilation": (2, 2)}),
    ],
)
def test_groups_strides_and_dilation_equal_xlas(shape, kernel_shape, options):
    options = {"padding": "SAME", **options}
    assert_values_and_gradients_are_the_same(
        lambda x, k: ours(x, k, **options), lambda x, k: stock(x, k, **options), shape, kernel_shape
    )


@pytest.mark.parametrize(
    "options",
    [
        {"lhs_dilation": (2, 1), "padding": [(1, 1), (0, 0)]},
        {"padding": [(-1, 0), (0, 0)]},
    ],
)
def test_what_no_way_takes_is_left_to_xla(options):
    images, kernel = normal((2, 9, 9, 4), (3, 3, 4, 6))
    options = {"padding": "VALID", **options}
    np.testing.assert_array_equal(ours(images, kernel, **options), stock(images, kernel, **options))


def test_a_cpu_convolves_by_a_matrix_product():
    images, kernel = jnp.ones((2, 8, 8, 3)), jnp.ones((3, 3, 3, 4))
    text = jax.jit(lambda x, k: ours(x, k, "SAME")).lower(images, kernel).compile().as_text()
    assert text is not None
    assert (" dot(" in text) == (jax.default_backend() == "cpu")
