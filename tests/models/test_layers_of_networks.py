"""MobileNetV2, ConvNeXt and the MLP: their layers as published, one after another."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import models
from jaxact.models.layers.layer_scale import LAYER_SCALE, LayerScale

NORMALIZED = ["Conv", "BatchNorm"]
ACTIVATED = [*NORMALIZED, "ActivationLayer"]
DOWN = ["LayerNorm", "Conv"]
CONVNEXT_BLOCK = ["Conv", "LayerNorm", "Dense", "ActivationLayer", "Dense", "LayerScale"]
KINDS = {
    "mobilenet_v2": [
        *ACTIVATED,
        *(*ACTIVATED, *NORMALIZED),  # the first block widens nothing
        *(16 * [*ACTIVATED, *ACTIVATED, *NORMALIZED]),
        *(*ACTIVATED, "Dense"),
    ],
    "convnext": [
        *("Conv", "LayerNorm"),
        *(2 * CONVNEXT_BLOCK + DOWN),
        *(2 * CONVNEXT_BLOCK + DOWN),
        *(6 * CONVNEXT_BLOCK + DOWN),
        *(2 * CONVNEXT_BLOCK),
        *("LayerNorm", "Dense"),
    ],
    "mlp": ["Dense", "ActivationLayer", "Dense", "ActivationLayer", "Dense"],
}
# Images after each block.
BLOCKS = {
    "mobilenet_v2": [
        *((32, 32, 16), (32, 32, 24), (32, 32, 24)),
        *(3 * [(16, 16, 32)]),
        *(4 * [(8, 8, 64)]),
        *(3 * [(8, 8, 96)]),
        *(3 * [(4, 4, 160)]),
        (4, 4, 320),
    ],
    "convnext": [
        *(2 * [(16, 16, 40)]),
        *(2 * [(8, 8, 80)]),
        *(6 * [(4, 4, 160)]),
        *(2 * [(2, 2, 320)]),
    ],
}


def costs(name):
    model = models.create_model(name)
    return models.layer_costs(model, model.image_shape)


def kind(layer):
    """The kind of a layer, such as "Conv"."""
    return layer.name.rpartition("_")[0]


@pytest.mark.parametrize("name", KINDS)
def test_layers_are_those_of_the_paper_in_their_order(name):
    assert [kind(layer) for layer in costs(name)] == KINDS[name]


def test_images_within_mobilenet_v2_are_those_of_its_table_2_for_32_pixels():
    layers = costs("mobilenet_v2")
    ends = [  # of blocks: no activation follows
        layer.output_shape
        for layer, after in itertools.pairwise(layers)
        if kind(layer) == "BatchNorm" and kind(after) != "ActivationLayer"
    ]
    assert ends == BLOCKS["mobilenet_v2"]
    assert layers[0].output_shape == (32, 32, 32)
    assert layers[-2].output_shape == (4, 4, 1280)


def test_images_within_convnext_are_halved_between_its_stages():
    ends = [layer.output_shape for layer in costs("convnext") if kind(layer) == "LayerScale"]
    assert ends == BLOCKS["convnext"]


def test_a_depthwise_convolution_has_a_kernel_of_one_channel_for_each():
    first = next(layer for layer in costs("convnext") if layer.name == "Conv_1")
    assert first.parameters == 7 * 7 * 40 + 40
    assert first.multiply_adds == 16 * 16 * 7 * 7 * 40
    wide = [layer for layer in costs("mobilenet_v2") if layer.output_shape == (4, 4, 6 * 160)]
    kernels = [layer.parameters for layer in wide if kind(layer) == "Conv"]
    assert kernels == 3 * [160 * 960, 3 * 3 * 960]


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_layer_scale_multiplies_channels_and_starts_as_next_to_nothing(dtype):
    x = jnp.asarray(np.random.default_rng(0).standard_normal((2, 3, 3, 4)), dtype)
    variables = LayerScale().init(jax.random.key(0), x)
    np.testing.assert_array_equal(variables["params"]["scale"], np.full(4, LAYER_SCALE, np.float32))
    factors = jnp.array([1.0, -2.0, 0.0, 0.5])
    scaled: Any = LayerScale().apply({"params": {"scale": factors}}, x)
    assert scaled.dtype == dtype
    np.testing.assert_array_equal(scaled, x * factors.astype(dtype))
