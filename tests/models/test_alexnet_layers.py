"""AlexNet: its layers as the paper has them, LRN and overlapping pooling by their definitions."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact import activations, models
from jaxact.models.layers.common import linear
from jaxact.models.layers.normalization import local_response_norm
from tests.support import networks
from tests.support.variables import drawn

CLASSES = {"alexnet": 1000, "alexnet32": 10}
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


def costs(name):
    model = models.create_model(name, num_classes=CLASSES[name])
    return models.layer_costs(model, model.image_shape)


@pytest.mark.parametrize("name", CLASSES)
def test_layers_are_the_papers(name):
    layers = costs(name)
    kinds = [layer.name.rpartition("_")[0] for layer in layers]
    head = ["Conv", "ActivationLayer", "LocalResponseNorm", "OverlappingMaxPool"]
    plain, hidden = ["Conv", "ActivationLayer"], ["Dense", "ActivationLayer", "Dropout"]
    assert kinds == [*head, *head, *(3 * plain), "OverlappingMaxPool", *hidden, *hidden, "Dense"]
    seen = {layer.name: layer.output_shape for layer in layers if layer.name in SHAPES[name]}
    assert seen == SHAPES[name]
    with_kernel = [layer for layer in layers if layer.multiply_adds]
    kernels = [layer.parameters - layer.output_shape[-1] for layer in with_kernel]
    assert kernels == KERNELS[name]
    places = [np.prod(layer.output_shape[:-1]) for layer in with_kernel]
    assert [layer.multiply_adds for layer in with_kernel] == list(np.multiply(places, kernels))


def variables_and_images(model, batch, side):
    images = np.random.default_rng(1).standard_normal((batch, side, side, 3), np.float32)
    return drawn(model, side, side, 3), images


@pytest.mark.usefixtures("thin_networks", "quick_convolution")
def test_the_border_is_of_zeros():
    model = models.create_model("alexnet", "relu")
    variables, images = variables_and_images(model, 1, 224)
    bordered = np.pad(images, ((0, 0), (1, 2), (1, 2), (0, 0)))
    logits = [
        jax.jit(functools.partial(models.predict, model))(variables, x) for x in (images, bordered)
    ]
    np.testing.assert_array_equal(*logits)


@pytest.mark.usefixtures("thin_networks", "quick_convolution")
@pytest.mark.parametrize("name", CLASSES)
def test_dropout_is_that_of_both_hidden_dense_layers_and_an_option(name):
    model, certain = (
        models.create_model(name, "soft_sign", dropout_rate=rate) for rate in (0.25, 0.0)
    )
    variables, images = variables_and_images(model, 2, networks.SHAPES[name][0])

    @jax.jit
    def run(variables, images):
        _, outputs = models.layer_outputs(model, variables, images, jax.random.key(2))
        logits, _ = models.layer_outputs(certain, variables, images, jax.random.key(2))
        return outputs, logits, models.predict(model, variables, images)

    outputs, logits, predicted = jax.device_get(run(variables, images))
    for layer in ("Dropout_0", "Dropout_1"):
        assert abs((outputs[layer] == 0).mean() - 0.25) < 0.1
    assert "Dropout_2" not in outputs
    np.testing.assert_allclose(logits, predicted, rtol=1e-5)


def test_dropout_rate_is_a_field_of_those_that_have_it():
    owners = {name for name in networks.PUBLISHED if "dropout_rate" in models.own_fields(name)}
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
    ours = jax.jit(lambda x: local_response_norm(x, *constants))(x)
    np.testing.assert_allclose(ours, lrn_by_definition(x, *constants), rtol=1e-5, atol=1e-5)


def test_lrn_of_a_known_case():
    # 100 in a channel alone: its neighbours up to 2 away would see 1e-4 x 100^2 = 1.
    ours = jax.jit(local_response_norm)(np.array([0, 0, 0, 100, 0, 1, 1], np.float32))
    expected = [0, 0, 0, 100 / 3.0001**0.75, 0, 1 / 3.0002**0.75, 1 / 2.0002**0.75]
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


def test_lrn_of_bfloat16_is_computed_in_float32():
    x = np.full((1, 5), 30, np.float32)
    exact, rounded = (jax.jit(local_response_norm)(y) for y in (x, x.astype(jnp.bfloat16)))
    assert rounded.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.asarray(rounded, np.float32), exact, rtol=2**-8)


def test_layer_costs_of_layers_within_layers_are_counted_once():
    class Outer(nn.Module):
        @nn.compact
        def __call__(self, x):
            return linear(x, 3, "torch_default", "float32")

    class Net(models.ConvNet):
        @nn.compact
        def __call__(self, images, *, train):
            x = Outer()(images)
            return self.logits(x.mean((1, 2)))

    model: Any = Net(activation=activations.get("relu"), num_classes=4)
    layers = models.layer_costs(model, (5, 6, 2))
    assert [layer.parameters for layer in layers if layer.parameters] == [3 * 2 + 3, 3 * 4 + 4]
    assert sum(layer.multiply_adds for layer in layers) == 30 * 6 + 12
