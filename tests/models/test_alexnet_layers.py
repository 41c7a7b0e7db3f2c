"""AlexNet: its layers as the paper has them, LRN and overlapping pooling by their definitions."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact import activations, models
from jaxact.models.layers import MaxoutDense
from jaxact.models.normalization import local_response_norm

PARAMETERS = {"alexnet": 60_965_224, "alexnet32": 8_991_946}
CLASSES = {"alexnet": 1000, "alexnet32": 10}
SIDES = {"alexnet": 227, "alexnet32": 32}
# What an image is after every layer that changes its shape.
SHAPES = {
    "alexnet": {
        **{"Conv_0": (55, 55, 96), "OverlappingMaxPool_0": (27, 27, 96)},
        **{"Conv_1": (27, 27, 256), "OverlappingMaxPool_1": (13, 13, 256)},
        **{"Conv_2": (13, 13, 384), "Conv_3": (13, 13, 384), "Conv_4": (13, 13, 256)},
        **{"OverlappingMaxPool_2": (6, 6, 256), "Dense_0": (4096,), "Dense_1": (4096,)},
        "Dense_2": (1000,),
    },
    "alexnet32": {
        **{"Conv_0": (32, 32, 48), "OverlappingMaxPool_0": (16, 16, 48)},
        **{"Conv_1": (16, 16, 128), "OverlappingMaxPool_1": (8, 8, 128)},
        **{"Conv_2": (8, 8, 192), "Conv_3": (8, 8, 192), "Conv_4": (8, 8, 128)},
        **{"OverlappingMaxPool_2": (4, 4, 128), "Dense_0": (2048,), "Dense_1": (2048,)},
        "Dense_2": (10,),
    },
}
# Entries of the kernels: the paper's second, fourth and fifth see half of the channels.
KERNELS = {
    "alexnet": [
        *(11 * 11 * 3 * 96, 5 * 5 * 48 * 256, 3 * 3 * 256 * 384),
        *(3 * 3 * 192 * 384, 3 * 3 * 192 * 256),
        *(9216 * 4096, 4096 * 4096, 4096 * 1000),
    ],
    "alexnet32": [
        *(5 * 5 * 3 * 48, 5 * 5 * 24 * 128, 3 * 3 * 128 * 192),
        *(3 * 3 * 96 * 192, 3 * 3 * 96 * 128),
        *(2048 * 2048, 2048 * 2048, 2048 * 10),
    ],
}


def costs(name, side=None):
    side = side or SIDES[name]
    model = models.create_model(name, num_classes=CLASSES[name])
    return models.layer_costs(model, (side, side, 3))


@pytest.mark.parametrize("name", PARAMETERS)
def test_layers_are_the_papers(name):
    layers = costs(name)
    kinds = [layer.name.rpartition("_")[0] for layer in layers]
    head = ["Conv", "ActivationLayer", "LocalResponseNorm", "OverlappingMaxPool"]
    plain, hidden = ["Conv", "ActivationLayer"], ["Dense", "ActivationLayer", "Dropout"]
    assert kinds == [*head, *head, *(3 * plain), "OverlappingMaxPool", *hidden, *hidden, "Dense"]
    seen = {layer.name: layer.output_shape for layer in layers if layer.name in SHAPES[name]}
    assert seen == SHAPES[name]
    assert sum(layer.parameters for layer in layers) == PARAMETERS[name]
    with_kernel = [layer for layer in layers if layer.multiply_adds]
    kernels = [layer.parameters - layer.output_shape[-1] for layer in with_kernel]
    assert kernels == KERNELS[name]
    places = [np.prod(layer.output_shape[:-1]) for layer in with_kernel]
    assert [layer.multiply_adds for layer in with_kernel] == list(np.multiply(places, kernels))


def test_224_pixels_are_227_with_a_border():
    assert costs("alexnet", 224) == costs("alexnet", 227)


@pytest.mark.usefixtures("thin_networks")
def test_the_border_is_of_zeros():
    model = models.create_model("alexnet", "relu")
    images = jax.random.normal(jax.random.key(1), (1, 224, 224, 3))
    variables = model.init(jax.random.key(0), images, train=False)
    bordered = jnp.pad(images, ((0, 0), (1, 2), (1, 2), (0, 0)))
    np.testing.assert_array_equal(
        models.predict(model, variables, images), models.predict(model, variables, bordered)
    )


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", PARAMETERS)
def test_dropout_is_that_of_both_hidden_dense_layers_and_an_option(name):
    images = jax.random.normal(jax.random.key(1), (2, SIDES[name], SIDES[name], 3))
    model = models.create_model(name, "soft_sign", dropout_rate=0.25)
    variables = model.init(jax.random.key(0), images, train=False)
    _, outputs = models.layer_outputs(model, variables, images, jax.random.key(2))
    for layer in ("Dropout_0", "Dropout_1"):
        assert abs(float((outputs[layer] == 0).mean()) - 0.25) < 0.1
    assert "Dropout_2" not in outputs
    certain = models.create_model(name, "soft_sign", dropout_rate=0.0)
    logits, _ = models.layer_outputs(certain, variables, images, jax.random.key(2))
    np.testing.assert_allclose(logits, models.predict(model, variables, images), rtol=1e-5)


def test_dropout_rate_is_a_field_of_those_that_have_it():
    owners = {name for name in models.names() if "dropout_rate" in models.own_fields(name)}
    assert owners == {"small_cnn", "alexnet", "alexnet32"}
    assert models.own_fields("vgg11") == ()


def lrn_by_definition(x, k, size, alpha, beta):
    """The paper's formula, channel by channel, in float64."""
    x = np.asarray(x, np.float64)
    result = np.empty_like(x)
    channels = x.shape[-1]
    for i in range(channels):
        neighbours = range(max(0, i - size // 2), min(channels - 1, i + size // 2) + 1)
        total = sum(x[..., j] ** 2 for j in neighbours)
        result[..., i] = x[..., i] / (k + alpha * total) ** beta
    return result


@pytest.mark.parametrize("channels", [1, 3, 5, 12])
@pytest.mark.parametrize(
    "constants", [(2.0, 5, 1e-4, 0.75), (1.0, 3, 0.5, 0.5), (2.0, 7, 0.01, 1.0)]
)
def test_lrn_is_the_papers_formula(channels, constants):
    x = 20 * np.random.default_rng(0).standard_normal((2, 3, 4, channels), np.float32)
    ours = local_response_norm(jnp.asarray(x), *constants)
    np.testing.assert_allclose(ours, lrn_by_definition(x, *constants), rtol=1e-5, atol=1e-5)


def test_lrn_of_a_known_case():
    # 100 in a channel alone: its neighbours up to 2 away would see 1e-4 x 100^2 = 1.
    x = jnp.zeros(7).at[3].set(100.0).at[5].set(1.0).at[6].set(1.0)
    ours = local_response_norm(x)
    expected = [0, 0, 0, 100 / 3.0001**0.75, 0, 1 / 3.0002**0.75, 1 / 2.0002**0.75]
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


def test_lrn_of_bfloat16_is_computed_in_float32():
    x = jnp.full((1, 5), 30.0)
    exact = local_response_norm(x)
    rounded = local_response_norm(x.astype(jnp.bfloat16))
    assert rounded.dtype == jnp.bfloat16
    np.testing.assert_allclose(rounded.astype(jnp.float32), exact, rtol=2**-8)


def test_layer_costs_of_layers_within_layers_are_counted_once():
    class Net(models.ConvNet):
        @nn.compact
        def __call__(self, images, *, train):
            x = MaxoutDense(3, pieces=2)(images)
            return self.logits(x.mean((1, 2)))

    model: Any = Net(activation=activations.get("relu"), num_classes=4)
    layers = models.layer_costs(model, (5, 6, 2))
    assert [layer.parameters for layer in layers if layer.parameters] == [6 * 2 + 6, 3 * 4 + 4]
    assert sum(layer.multiply_adds for layer in layers) == 30 * 12 + 12
