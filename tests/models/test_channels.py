"""Functions that see channels in networks: widths, parameters, groups, pooling and statistics."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact import activations, models
from jaxact.errors import ConfigError
from jaxact.inference import folding
from jaxact.models.layers.common import flatten
from jaxact.models.networks.small_cnn import SmallCNN
from jaxact.training.kernels import kernels
from tests.support import networks
from tests.support.variables import drawn

pytestmark = pytest.mark.usefixtures("quick_convolution")
NAMES = activations.channel_names()


def parameters(model, shape):
    images = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
    return jax.eval_shape(model.initial, jax.random.key(0), images)["params"]


@pytest.mark.parametrize(
    ("spec", "by_layer"),
    [
        # Kernel 5 x 5 x channels in x channels out, and a bias for each of the latter.
        ("relu", [25 * 1 * 10 + 10, 25 * 10 * 20 + 20, 320 * 50 + 50, 50 * 10 + 10]),
        ("swiglu", [25 * 1 * 20 + 20, 25 * 10 * 40 + 40, 320 * 100 + 100, 50 * 10 + 10]),
        ("maxout(pieces=3)", [25 * 1 * 30 + 30, 25 * 10 * 60 + 60, 320 * 150 + 150, 50 * 10 + 10]),
        ("crelu", [25 * 1 * 5 + 5, 25 * 10 * 10 + 10, 320 * 25 + 25, 50 * 10 + 10]),
    ],
)
def test_small_cnn_parameters_by_layer(spec, by_layer):
    params = parameters(models.create_model("small_cnn", spec), (28, 28, 1))
    layers = ("Conv_0", "Conv_1", "Dense_0", "Dense_1")
    assert [models.count_parameters(params[name]) for name in layers] == by_layer
    assert models.count_parameters(params) == sum(by_layer)


@pytest.mark.parametrize(
    ("spec", "of_layers"),
    [
        # Of the layers of 10, 20 and 50 channels.
        ("acon", 3 * (10 + 20 + 50)),
        ("frelu", 9 * (10 + 20) + 50 + 2 * (10 + 20 + 50)),
        ("meta_acon", sum(2 * n + (n * 16 + 16) + (16 * n + n) for n in (10, 20, 50))),
        (
            "dynamic_relu",
            sum((n * m + m) + 4 * n * (m + 1) for n, m in ((10, 1), (20, 2), (50, 6))),
        ),
    ],
)
def test_small_cnn_parameters_of_the_activation(spec, of_layers):
    params = parameters(models.create_model("small_cnn", spec), (28, 28, 1))
    assert models.count_parameters(params) == 21_840 + of_layers


def activated(name, spec):
    """The shapes that come out of the layers of the activation."""
    model = models.create_model(name, spec)
    costs = models.layer_costs(model, model.image_shape)
    return [
        one.output_shape for one in costs if one.name.count("/") == 0 and "Activation" in one.name
    ]


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", networks.PUBLISHED)
def test_what_comes_out_of_the_activation_has_the_width_that_was_planned(name):
    planned = activated(name, "relu")
    assert len(planned) == networks.THIN[name]
    for spec in ("swiglu", "crelu"):
        assert activated(name, spec) == planned, spec


@pytest.mark.usefixtures("thin_networks")
def test_a_dense_layer_makes_room_where_no_other_can():
    """In residual blocks after the sum, and before a convolution: where ReLU needs none."""
    plain, gated = (
        parameters(models.create_model("resnet20", spec), (32, 32, 3)) for spec in ("relu", "glu")
    )
    added = sorted(gated.keys() - plain.keys())
    assert added == ["Dense_1", "Dense_2"]  # of two blocks; the logits' is one
    assert gated["Dense_0"]["kernel"].shape == (4, 8)
    assert gated["Conv_0"]["kernel"].shape == (3, 3, 3, 8)
    pre = parameters(models.create_model("preact_resnet18", "glu"), (32, 32, 3))
    assert pre["Conv_0"]["kernel"].shape == (3, 3, 3, 4)
    assert [pre[f"Dense_{k}"]["kernel"].shape for k in range(3)] == [(4, 8), (4, 8), (8, 16)]


class Grouped(models.ConvNet):
    """A convolution in two groups, and the activation: no logits."""

    @nn.compact
    def __call__(self, images, *, train):
        x = self.conv(images, self.widened(4, 2), 1, "VALID", groups=2)
        return self.activate(x, 4, 2)


@pytest.mark.parametrize("spec", ["swiglu", "crelu"])
def test_the_pieces_of_a_group_go_together(spec):
    model: Any = Grouped(activations.get(spec))
    variables = drawn(model, 1, 1, 6)
    x = jnp.asarray(np.random.default_rng(0).standard_normal((1, 1, 1, 6)), jnp.float32)
    jacobian = jax.jit(jax.jacrev(lambda x: model.apply(variables, x, train=False)))(x)
    jacobian = np.reshape(jacobian, (4, 6))
    first, second = (np.abs(jacobian[rows]) for rows in (slice(0, 2), slice(2, 4)))
    assert first[:, :3].any()
    assert not first[:, 3:].any()
    assert second[:, 3:].any()
    assert not second[:, :3].any()


class Plainly(SmallCNN):
    """The small CNN, each layer by itself: pools before anything is made of the pieces."""

    @nn.compact
    def __call__(self, images, *, train):
        x = self.conv(images, 20, 5, "VALID")
        value, gate = jnp.split(nn.max_pool(x, (2, 2), (2, 2)), 2, -1)
        x = self.conv(value * nn.sigmoid(gate), 40, 5, "VALID")
        value, gate = jnp.split(nn.max_pool(x, (2, 2), (2, 2)), 2, -1)
        value, gate = jnp.split(self.dense(flatten(value * nn.sigmoid(gate)), 100), 2, -1)
        return self.logits(value * nn.sigmoid(gate))


def test_pooling_acts_on_all_pieces():
    fused: Any = models.create_model("small_cnn", "glu")
    variables = drawn(fused, 28, 28, 1)
    images = np.random.default_rng(1).standard_normal((3, 28, 28, 1), np.float32)
    contenders = fused, fused.clone(fuses_pooling=False), Plainly(fused.activation)

    @jax.jit
    def of_all(variables):
        return [network.apply(variables, images, train=False) for network in contenders]

    first, *others = jax.device_get(of_all(variables))
    for logits in others:
        np.testing.assert_allclose(logits, first, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["swiglu", "crelu", "frelu", "meta_acon", "dynamic_relu"])
def test_a_network_learns_and_every_parameter_does(name):
    model: Any = networks.ThinCNN(activations.get(name), num_classes=3, dropout_rate=0.0)
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 3
    images = rng.standard_normal((24, 8, 8, 1), np.float32)
    images[:, :4, :4, 0] += labels[:, None, None]

    def loss(params, collections):
        variables = {"params": params, **collections}
        logits, after = model.forward(variables, images, jax.random.key(0))
        rows = jnp.arange(len(labels))
        return -nn.log_softmax(logits)[rows, labels].mean(), after

    @jax.jit
    def train(variables):
        collections = {name: of for name, of in variables.items() if name != "params"}

        def step(carry, _):
            params, collections = carry
            (value, after), gradient = jax.value_and_grad(loss, has_aux=True)(params, collections)
            moved = jax.tree.map(lambda p, g: p - 0.1 * g, params, gradient)
            return (moved, {**collections, **after}), (
                value,
                jax.tree.map(lambda g: abs(g).max(), gradient),
            )

        return jax.lax.scan(step, (variables["params"], collections), length=40)

    variables = drawn(model, 8, 8, 1)
    (params, collections), (losses, gradients) = jax.device_get(train(variables))
    assert losses[-1] < 0.6 * losses[0]
    reached = jax.tree.map(lambda largest: bool(largest.max() > 0), gradients)
    assert all(jax.tree.leaves(reached)), reached
    logits = jax.jit(model.predict)({"params": params, **collections}, images)
    assert (np.argmax(logits, -1) == labels).mean() > 0.8


def test_batch_norm_within_the_activation_moves_in_training_alone():
    model: Any = networks.ThinCNN(activations.get("frelu"), dropout_rate=0.0)
    images: Any = np.random.default_rng(0).standard_normal((6, 8, 8, 1), np.float32)
    variables = drawn(model, 8, 8, 1)
    assert variables["batch_stats"].keys() == {"ActivationLayer_0"}
    layer = variables["params"]["ActivationLayer_0"]
    before = variables["batch_stats"]["ActivationLayer_0"]["BatchNorm_0"]

    @jax.jit
    def run(variables):
        _, after = model.forward(variables, images, jax.random.key(0))
        _, layers = models.layer_outputs(model, variables, images, jax.random.key(0))
        return after, layers, model.predict(variables, images)

    after, layers, predicted = jax.device_get(run(variables))
    x = layers["Conv_0"]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    shifted = [padded[:, i : i + 6, j : j + 6] * layer["kernel"][i, j] for i, j in np.ndindex(3, 3)]
    funnel = np.sum(shifted, 0)
    moved = after["batch_stats"]["ActivationLayer_0"]["BatchNorm_0"]
    np.testing.assert_allclose(
        moved["mean"], 0.9 * before["mean"] + 0.1 * funnel.mean((0, 1, 2)), rtol=1e-4, atol=1e-5
    )
    scale, bias = layer["BatchNorm_0"]["scale"], layer["BatchNorm_0"]["bias"]

    def outputs(mean, var):
        return np.maximum(x, (funnel - mean) / np.sqrt(var + 1e-5) * scale + bias)

    np.testing.assert_allclose(
        layers["ActivationLayer_0"],
        outputs(funnel.mean((0, 1, 2)), funnel.var((0, 1, 2))),
        rtol=1e-3,
        atol=1e-4,
    )
    dense = variables["params"]["Dense_0"]
    expected = flatten(outputs(before["mean"], before["var"])) @ dense["kernel"] + dense["bias"]
    np.testing.assert_allclose(predicted, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("thin_networks")
def test_batch_norm_before_an_activation_is_folded_and_that_within_is_left():
    model: Any = models.create_model("vgg11", "frelu")
    variables = drawn(model, 32, 32, 3)
    images = jnp.asarray(np.random.default_rng(0).standard_normal((2, 32, 32, 3)), jnp.float32)
    folded = folding.fold_batch_norm(model, variables, images)
    assert folded["folded"].keys() == {"Conv_0", "Conv_1", "Conv_2", "Conv_3"}
    both = jax.jit(lambda v, f: (model.predict(v, images), folding.predict(model, f, images)))
    np.testing.assert_allclose(*both(variables, folded), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("precision", models.PRECISIONS)
@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_wide_whatever_lies_between_layers(name, precision):
    model: Any = networks.ThinCNN(activations.get(name), precision=precision)
    images = jax.ShapeDtypeStruct((2, 8, 8, 1), jnp.float32)
    is_wide = precision == "float64"
    # Flax's layers rely on promotion.
    with jax.numpy_dtype_promotion("standard"), jax.enable_x64(is_wide):
        variables = jax.eval_shape(model.initial, jax.random.key(0), images)
        run = functools.partial(models.layer_outputs, model)
        _, outputs = jax.eval_shape(run, variables, images, jax.random.key(0))
    expected = jnp.dtype("float64" if is_wide else "float32")
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {expected}
    assert outputs["ActivationLayer_0"].dtype == models.PRECISIONS[precision].dtype


def test_kernels_within_are_decayed_and_no_other_parameter():
    params = parameters(networks.ThinCNN(activations.get("meta_acon")), (8, 8, 1))
    assert kernels(params)["ActivationLayer_0"] == {
        "p1": False,
        "p2": False,
        "squeeze_kernel": True,
        "squeeze_bias": False,
        "excite_kernel": True,
        "excite_bias": False,
    }


def test_multiply_adds_within_are_counted():
    for spec, expected in (
        ("frelu", 6 * 6 * 9 * 4),
        ("dynamic_relu", 4 * 1 + 1 * 16),
        ("acon", 0),
    ):
        costs = models.layer_costs(networks.ThinCNN(activations.get(spec)), (8, 8, 1))
        layer = next(one for one in costs if one.name == "ActivationLayer_0")
        assert layer.multiply_adds == expected


class Odd(models.ConvNet):
    @nn.compact
    def __call__(self, images, *, train):
        return self.activate(self.conv(images, self.widened(5), 3, "SAME"), 5)


def test_a_width_that_cannot_be_had_is_told():
    with pytest.raises(ConfigError, match="crelu gives a multiple of 2 channels, not 5"):
        parameters(Odd(activations.get("crelu")), (8, 8, 1))
