"""The networks: the paper's parameter counts, and where randomness and state live."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact import activations, models
from jaxact.errors import ConfigError
from jaxact.models.layers import DROPOUTS, MaxoutConv, MaxoutDense, dropout, flatten, maxout
from jaxact.models.small_cnn import SmallCNN

SHAPES = {
    "small_cnn": (28, 28, 1),
    "vgg11": (32, 32, 3),
    "alexnet": (227, 227, 3),
    "alexnet32": (32, 32, 3),
    "four_layer_cnn": (32, 32, 3),
}


predict = jax.jit(models.predict, static_argnums=0)  # operation by operation it takes seconds


def create(name, **options) -> tuple[Any, Any, Any]:
    model = models.create_model(name, **options)
    images = jax.random.normal(jax.random.key(1), (2, *SHAPES[name]))
    # Of many layers, compiled as one; of few, operations are compiled once for all tests.
    init = model.init if name == "small_cnn" else jax.jit(model.init, static_argnames="train")
    return model, images, init(jax.random.key(0), images, train=False)


def shapes_of(name, **options) -> Any:
    """The variables of a network as `create` makes it, traced alone: shapes and dtypes."""
    model = models.create_model(name, **options)
    images = jax.ShapeDtypeStruct((2, *SHAPES[name]), jnp.float32)
    return jax.eval_shape(lambda key, x: model.init(key, x, train=False), jax.random.key(0), images)


def apply(model, variables, images):
    """In training: logits and updates."""

    def training(variables, images):
        rngs = {"dropout": jax.random.key(0)}
        return model.apply(variables, images, train=True, rngs=rngs, mutable=["batch_stats"])

    return jax.jit(training)(variables, images)


@pytest.mark.parametrize(("name", "parameters"), [("small_cnn", 21_840), ("vgg11", 9_231_114)])
def test_parameter_count_is_the_papers(name, parameters):
    assert models.count_parameters(shapes_of(name)["params"]) == parameters


def test_vgg11_parameters_by_layer_are_those_of_the_papers_table_2():
    params = shapes_of("vgg11")["params"]
    by_layer = [models.count_parameters(params[f"Conv_{i}"]) for i in range(8)]
    assert by_layer == [1_792, 73_856, 295_168, 590_080, 1_180_160, 2_359_808, 2_359_808, 2_359_808]
    norms = [models.count_parameters(params[f"BatchNorm_{i}"]) for i in range(8)]
    assert norms == [128, 256, 512, 512, 1_024, 1_024, 1_024, 1_024]
    assert models.count_parameters(params["Dense_0"]) == 5_130


def test_small_cnn_parameters_by_layer_are_those_of_the_papers_table_1():
    params = shapes_of("small_cnn")["params"]
    by_layer = {name: models.count_parameters(layer) for name, layer in params.items()}
    assert by_layer == {"Conv_0": 260, "Conv_1": 5_020, "Dense_0": 16_050, "Dense_1": 510}


@pytest.mark.parametrize("spec", activations.names())
def test_every_activation_trains_in_the_small_cnn(spec):
    model: Any = models.create_model("small_cnn", spec)
    _, images, variables = create(
        "small_cnn", activation=spec if model.activation.params else "relu"
    )

    def loss(params):
        return models.predict(model, {**variables, "params": params}, images).sum()

    gradients = jax.jit(jax.grad(loss))(variables["params"])
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    assert any(jnp.abs(leaf).max() > 0 for leaf in jax.tree.leaves(gradients))


@pytest.mark.parametrize("name", models.names())
def test_logits_have_the_number_of_classes(name):
    model: Any = models.create_model(name, num_classes=7)
    variables = shapes_of(name, num_classes=7)
    images = jnp.zeros((2, *SHAPES[name]))
    logits = jax.eval_shape(functools.partial(models.predict, model), variables, images)
    assert logits.shape == (2, 7)


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize(
    ("name", "layers"),
    [("small_cnn", 3), ("vgg11", 8), ("alexnet", 7), ("alexnet32", 7), ("four_layer_cnn", 3)],
)
def test_prelu_has_one_parameter_a_layer_and_starts_at_a_quarter(name, layers):
    _, _, variables = create(name, activation="prelu")
    alphas = [layer["alpha"] for layer in variables["params"].values() if "alpha" in layer]
    assert [float(alpha) for alpha in alphas] == [0.25] * layers
    plain, learnable = shapes_of(name)["params"], shapes_of(name, activation="prelu")["params"]
    assert models.count_parameters(learnable) - models.count_parameters(plain) == layers


def test_prelu_has_one_parameter_a_channel_by_option():
    _, _, variables = create("small_cnn", activation="prelu(alpha=0.1)", sharing="channel")
    shapes = [layer["alpha"].shape for layer in variables["params"].values() if "alpha" in layer]
    assert sorted(shapes) == [(10,), (20,), (50,)]
    np.testing.assert_allclose(variables["params"]["ActivationLayer_0"]["alpha"], 0.1)


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", models.names())
def test_every_bias_starts_at_the_value_asked_for_and_kernels_are_as_without(name):
    _, _, plain = create(name)
    _, _, variables = create(name, bias_init=0.01)
    for layer, leaves in variables["params"].items():
        if "kernel" in leaves:
            np.testing.assert_array_equal(leaves["bias"], np.float32(0.01))
            np.testing.assert_array_equal(leaves["kernel"], plain["params"][layer]["kernel"])


@pytest.mark.parametrize(("sharing", "shape"), [("layer", (5,)), ("channel", (5, 10))])
def test_a_parameter_of_several_coefficients(sharing, shape):
    _, _, variables = create("small_cnn", activation="apl", sharing=sharing)
    hinges = variables["params"]["ActivationLayer_0"]["hinges"]
    assert hinges.shape == shape
    np.testing.assert_allclose(hinges.reshape(5, -1)[:, 0], [-0.5, -0.25, 0, 0.25, 0.5])


@pytest.mark.parametrize("spec", ["prelu", "srs", "pau", "apl(slopes=[0.1], hinges=[0.2])"])
def test_channels_start_as_the_layer_does(spec):
    shared, images, start = create("small_cnn", activation=spec)
    split, _, channels = create("small_cnn", activation=spec, sharing="channel")
    np.testing.assert_allclose(
        predict(split, channels, images), predict(shared, start, images), rtol=1e-5, atol=1e-6
    )

    def loss(params):
        return models.predict(split, {**channels, "params": params}, images).sum()

    gradients = jax.jit(jax.grad(loss))(channels["params"])
    learned = jax.tree.leaves(gradients["ActivationLayer_2"])
    assert all(leaf.shape[-1] == 50 and jnp.isfinite(leaf).all() for leaf in learned)
    assert any(len(np.unique(leaf)) > 50 // 2 for leaf in learned)


def test_a_learnable_activation_leaves_the_other_initial_weights_as_they_are():
    _, _, plain = create("vgg11", activation="relu")
    _, _, learnable = create("vgg11", activation="prelu")
    for name, layer in plain["params"].items():
        jax.tree.map(np.testing.assert_array_equal, layer, learnable["params"][name])


def pieces_of(layer, pieces):
    """Kernel and bias of a maxout layer, the pieces on an axis of their own before the last."""
    return [leaf.reshape(*leaf.shape[:-1], pieces, -1) for leaf in (layer["kernel"], layer["bias"])]


def test_maxout_dense_is_the_largest_of_dense_layers():
    layer: Any = MaxoutDense(features=4, pieces=3)
    x = jax.random.normal(jax.random.key(1), (5, 7))
    variables = layer.init(jax.random.key(0), x)
    assert models.count_parameters(variables["params"]) == 3 * (7 * 4 + 4)
    kernel, bias = pieces_of(variables["params"]["Dense_0"], 3)
    expected = (jnp.einsum("bn,npf->bpf", x, kernel) + bias).max(1)
    np.testing.assert_allclose(layer.apply(variables, x), expected, rtol=1e-5, atol=1e-6)


def test_maxout_conv_is_the_largest_of_convolutions():
    layer: Any = MaxoutConv(features=4, size=3, pieces=2)
    images = jax.random.normal(jax.random.key(1), (2, 6, 5, 3))
    variables = layer.init(jax.random.key(0), images)
    assert models.count_parameters(variables["params"]) == 2 * (9 * 3 * 4 + 4)
    kernel, bias = pieces_of(variables["params"]["Conv_0"], 2)
    dimensions = ("NHWC", "HWIO", "NHWC")
    each = [
        jax.lax.conv_general_dilated(
            images, kernel[..., i, :], (1, 1), "SAME", dimension_numbers=dimensions
        )
        + bias[i]
        for i in range(2)
    ]
    np.testing.assert_allclose(
        layer.apply(variables, images), jnp.maximum(*each), rtol=1e-4, atol=1e-5
    )


def test_the_gradient_of_maxout_goes_to_the_largest_piece():
    gradient = jax.grad(lambda x: (maxout(x, 2) * jnp.asarray([1.0, 10.0])).sum())
    np.testing.assert_array_equal(gradient(jnp.asarray([3.0, -1.0, 2.0, 5.0])), [1, 0, 0, 10])


def test_maxout_of_one_piece_is_the_layer_and_others_must_fit():
    x = jnp.arange(6.0)
    np.testing.assert_array_equal(maxout(x, 1), x)
    with pytest.raises(ConfigError, match="pieces=4 must divide the number of channels, 6"):
        maxout(x, 4)


@pytest.mark.parametrize("precision", models.PRECISIONS)
def test_maxout_keeps_its_parameters_in_float32(precision):
    layer: Any = MaxoutDense(features=2, precision=precision)
    x = jnp.ones((1, 3), models.PRECISIONS[precision].dtype)
    with jax.numpy_dtype_promotion("standard"):
        variables = layer.init(jax.random.key(0), x)
        assert layer.apply(variables, x).dtype == models.PRECISIONS[precision].dtype
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(variables))


class Dropout(nn.Module):
    form: str

    @nn.compact
    def __call__(self, x):
        return dropout(x, 0.25, self.form, active=True)


@pytest.mark.parametrize("form", DROPOUTS)
def test_dropout_scales_what_it_does_not_drop(form):
    out = Dropout(form).apply({}, jnp.ones((64, 5, 5, 32)), rngs={"dropout": jax.random.key(0)})
    out = np.asarray(out)
    kept = out != 0
    np.testing.assert_allclose(out[kept], 1 / 0.75)
    assert abs(kept.mean() - 0.75) < 0.04


def test_dropout_drops_whole_channels_or_elements():
    shares = {}
    for form in DROPOUTS:
        out = Dropout(form).apply({}, jnp.ones((64, 5, 5, 32)), rngs={"dropout": jax.random.key(0)})
        shares[form] = (np.asarray(out) != 0).mean((1, 2))  # what is kept of each channel
    assert set(np.unique(shares["channels"])) == {0, 1}
    # Of 25 elements, each kept with probability 0.75, 18.75 on average with deviation 2.17.
    assert shares["elements"].std() == pytest.approx(2.17 / 25, rel=0.1)


@pytest.mark.parametrize("form", DROPOUTS)
def test_dropout_acts_in_training_alone(form):
    model, images, variables = create("small_cnn", dropout=form)
    first, second = (
        model.apply(variables, images, train=True, rngs={"dropout": jax.random.key(seed)})
        for seed in range(2)
    )
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(
        models.predict(model, variables, images), models.predict(model, variables, images)
    )


class AsInThePaper(SmallCNN):
    """The small CNN with its layers in the paper's order, each by itself."""

    @nn.compact
    def __call__(self, images, *, train):
        x = nn.max_pool(self.conv(images, 10, 5, "VALID"), (2, 2), (2, 2))
        x = self.conv(self.activate(x), 20, 5, "VALID")
        x = nn.max_pool(self.drop(x, self.dropout_rate, self.dropout, train), (2, 2), (2, 2))
        x = self.activate(self.dense(flatten(self.activate(x)), 50))
        return self.logits(x)


@pytest.mark.parametrize("fuses", [True, False])
@pytest.mark.parametrize("form", DROPOUTS)
def test_the_small_cnn_gives_what_the_papers_order_of_layers_gives(form, fuses):
    model = models.create_model("small_cnn", "swish", dropout=form)
    images = jax.random.normal(jax.random.key(1), (32, 28, 28, 1))

    def squares(variables, network):
        rngs = {"dropout": jax.random.key(2)}
        return (network.apply(variables, images, train=True, rngs=rngs) ** 2).sum()

    variables = jax.jit(lambda key: model.init(key, images, train=False))(jax.random.key(0))
    plain = AsInThePaper(model.activation, dropout=form)
    value, expected = jax.jit(jax.value_and_grad(lambda v: squares(v, plain)))(variables)
    ours = model.clone(fuses_pooling=fuses)
    actual = jax.jit(jax.value_and_grad(lambda v: squares(v, ours)))(variables)
    np.testing.assert_allclose(actual[0], value, rtol=1e-5)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5 * abs(b).max()), actual[1], expected
    )


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", models.names())
def test_bfloat16_is_mixed(name):
    exact, images, variables = create(name, activation="prelu")
    model: Any = models.create_model(name, "prelu", precision="bfloat16")
    with jax.numpy_dtype_promotion("standard"):  # Flax's BatchNorm relies on it
        own = shapes_of(name, activation="prelu", precision="bfloat16")
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(own))
    with jax.numpy_dtype_promotion("standard"):
        logits, updates = apply(model, variables, images)
        rounded = predict(model, variables, images)
    assert logits.dtype == jnp.float32
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(updates))
    full = predict(exact, variables, images)
    difference = jnp.abs(rounded - full).max()
    assert 0 < difference < 0.05 * jnp.abs(full).max()


@pytest.mark.usefixtures("thin_networks")
def test_batch_stats_move_towards_the_batch_by_a_tenth():
    model, images, variables = create("vgg11")
    _, updates = apply(model, variables, images)
    before = variables["batch_stats"]["BatchNorm_0"]
    after = updates["batch_stats"]["BatchNorm_0"]
    np.testing.assert_array_equal(before["mean"], 0)
    np.testing.assert_array_equal(before["var"], 1)
    kernel = variables["params"]["Conv_0"]
    conv = jax.lax.conv_general_dilated(
        images, kernel["kernel"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    conv = conv + kernel["bias"]
    np.testing.assert_allclose(after["mean"], 0.1 * conv.mean((0, 1, 2)), atol=1e-6)
    np.testing.assert_allclose(after["var"], 0.9 + 0.1 * conv.var((0, 1, 2)), rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "vgg12"}, "did you mean vgg11"),
        ({"name": "vgg11", "kernel_init": "he"}, "one of torch_default"),
        ({"name": "vgg11", "precision": "float16"}, "one of float32, tf32, bfloat16"),
        ({"name": "vgg11", "sharing": "pixel"}, "'layer' or 'channel'"),
    ],
)
def test_what_is_wrong_is_named(arguments, message):
    with pytest.raises(ConfigError, match=message):
        models.create_model(**arguments)


def test_an_unknown_activation_is_a_value_error():
    with pytest.raises(ValueError, match="relu"):
        models.create_model("vgg11", activation="rleu")
