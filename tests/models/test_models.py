"""The networks: the paper's parameter counts, and where randomness and state live."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact import activations, models
from jaxact.errors import ConfigError
from jaxact.models.convolution.rewriting import equations
from jaxact.models.layers.activation_layer import ActivationLayer
from jaxact.models.layers.common import DROPOUTS, dropout, flatten
from jaxact.models.networks.small_cnn import SmallCNN
from tests.models import twins
from tests.support import networks
from tests.support.groups import KINDS
from tests.support.networks import SHAPES
from tests.support.variables import drawn

pytestmark = pytest.mark.usefixtures("quick_convolution")


def create(name, **options) -> tuple[Any, Any, Any]:
    """A network, images and initial variables; but kernels and biases are drawn by NumPy.

    JAX's draws take a second or two to compile.
    """
    model: Any = models.create_model(name, **options)
    rng = np.random.default_rng(0)
    images = rng.standard_normal((2, *SHAPES[name]), np.float32)
    init = functools.partial(model.clone(kernel_init="zeros").init, train=False)

    def drawn(path, leaf):
        if path[-1].key in ("kernel", "bias"):
            return 0.1 * rng.standard_normal(leaf.shape, np.float32)
        return np.asarray(leaf)

    variables = jax.jit(init)(jax.random.key(0), images)
    return model, images, jax.tree_util.tree_map_with_path(drawn, variables)


def initial(name, **options) -> Callable[[Any], Any]:
    """The initial parameters of a network, its own draws, as a function of a key."""
    model, images = models.create_model(name, **options), np.zeros((2, *SHAPES[name]), np.float32)
    return lambda key: model.init(key, images, train=False)["params"]


def shapes_of(name, **options) -> Any:
    """The variables of a network as `create` makes it, traced alone: shapes and dtypes."""
    model = models.create_model(name, **options)
    images = jax.ShapeDtypeStruct((2, *SHAPES[name]), jnp.float32)
    return jax.eval_shape(lambda key, x: model.init(key, x, train=False), jax.random.key(0), images)


def in_training(model, variables, images):
    """Logits and updates."""
    rngs = {"dropout": jax.random.key(0)}
    return model.apply(variables, images, train=True, rngs=rngs, mutable=["batch_stats"])


def test_every_network_is_counted():
    lacking = ", ".join(networks.UNCOUNTED)
    assert not lacking, f"tests/support/networks.py: PUBLISHED has no row for {lacking}"


@pytest.mark.parametrize(("name", "known"), networks.PUBLISHED.items())
def test_parameter_count_is_the_papers(name, known):
    assert models.count_parameters(shapes_of(name)["params"]) == known.parameters
    assert min(SHAPES[name][:2]) >= models.input_size(name)


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


def one_of(index):
    """The activation of a kind, by an array's number; it has the parameters of all."""
    acts = [activations.get(name) for name in KINDS]

    def function(x, **params):
        own = [{key: params[f"{act.name}_{key}"] for key in act.params} for act in acts]
        branches = [functools.partial(act, **of) for act, of in zip(acts, own, strict=True)]
        return jax.lax.switch(index, branches, x)

    learnable = tuple((f"{act.name}_{key}", at) for act in acts for key, at in act.initial)
    return activations.Activation(name="one_of", function=function, initial=learnable)


@functools.cache
def gradient():
    """A network's gradient with the activation of an index: one program serves them all."""
    images: Any = np.random.default_rng(1).standard_normal((2, 8, 8, 1), np.float32)
    variables = drawn(models.create_model("thin_cnn", one_of(0)), 8, 8, 1)

    def loss(params, index):
        model = models.create_model("thin_cnn", one_of(index))
        return models.predict(model, {"params": params}, images).sum()

    return functools.partial(jax.jit(jax.grad(loss)), variables["params"])


@pytest.mark.parametrize("index", range(len(KINDS)), ids=KINDS)
def test_every_kind_of_activation_trains_in_a_network(index):
    gradients = jax.device_get(gradient()(index))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    for layer in ("Conv_0", "Dense_0"):
        assert np.abs(gradients[layer]["kernel"]).max() > 0
    leaves = gradients["ActivationLayer_0"]
    learned = [name for name in leaves if name.startswith(f"{KINDS[index]}_")]
    assert len(learned) == len(activations.get(KINDS[index]).params)
    assert all(np.abs(leaves[name]).max() > 0 for name in learned)


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", networks.PUBLISHED)
def test_logits_have_the_number_of_classes(name):
    model: Any = models.create_model(name, num_classes=7)
    variables = shapes_of(name, num_classes=7)
    images = jnp.zeros((2, *SHAPES[name]))
    logits = jax.eval_shape(functools.partial(models.predict, model), variables, images)
    assert logits.shape == (2, 7)


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", networks.PUBLISHED)
def test_where_prelus_parameters_and_biases_start(name):
    """One parameter a layer, at a quarter; every bias at the value asked for."""
    start = initial(name, activation="prelu", kernel_init="zeros", bias_init=0.01)
    layers = jax.device_get(jax.jit(start)(jax.random.key(0))).values()
    alphas = [layer["alpha"] for layer in layers if "alpha" in layer]
    assert alphas == [0.25] * networks.THIN[name]
    plain, learnable = shapes_of(name)["params"], shapes_of(name, activation="prelu")["params"]
    assert models.count_parameters(learnable) - models.count_parameters(plain) == len(alphas)
    biases = [layer["bias"] for layer in layers if {"kernel", "bias"} <= layer.keys()]
    assert biases
    for bias in biases:
        np.testing.assert_array_equal(bias, np.float32(0.01))


def test_prelu_has_one_parameter_a_channel_by_option():
    _, _, variables = create("small_cnn", activation="prelu(alpha=0.1)", sharing="channel")
    shapes = [layer["alpha"].shape for layer in variables["params"].values() if "alpha" in layer]
    assert sorted(shapes) == [(10,), (20,), (50,)]
    np.testing.assert_allclose(variables["params"]["ActivationLayer_0"]["alpha"], 0.1)


def test_neither_a_value_for_biases_nor_a_learnable_activation_changes_initial_kernels():
    networks = [
        initial("small_cnn", **changes)
        for changes in ({}, {"bias_init": 0.01}, {"activation": "prelu"})
    ]
    plain, *others = jax.device_get(
        jax.jit(lambda key: [start(key) for start in networks])(jax.random.key(0))
    )
    for layer in plain:
        for other in others:
            np.testing.assert_array_equal(other[layer]["kernel"], plain[layer]["kernel"])
        np.testing.assert_array_equal(others[1][layer]["bias"], plain[layer]["bias"])
        assert plain[layer]["kernel"].std() > 0


@pytest.mark.parametrize(("sharing", "shape"), [("layer", (5,)), ("channel", (5, 10))])
def test_a_parameter_of_several_coefficients(sharing, shape):
    _, _, variables = create("small_cnn", activation="apl", sharing=sharing)
    hinges = variables["params"]["ActivationLayer_0"]["hinges"]
    assert hinges.shape == shape
    np.testing.assert_allclose(hinges.reshape(5, -1)[:, 0], [-0.5, -0.25, 0, 0.25, 0.5])


@pytest.mark.parametrize("spec", ["srs", "apl(slopes=[0.1], hinges=[0.2])"])
def test_channels_start_as_the_layer_does(spec):
    shared, split = (ActivationLayer(activations.get(spec), s) for s in ("layer", "channel"))
    rng = np.random.default_rng(0)

    @jax.jit
    def values_and_gradients(x):
        start, channels = (layer.init(jax.random.key(0), x) for layer in (shared, split))
        values = shared.apply(start, x), split.apply(channels, x)
        return values, jax.grad(lambda v: split.apply(v, x).sum())(channels)  # pyright: ignore[reportAttributeAccessIssue]

    for shape in ((4, 50), (2, 3, 3, 50)):
        x = rng.standard_normal(shape, np.float32)
        values, gradients = jax.device_get(values_and_gradients(x))
        np.testing.assert_allclose(*values, rtol=1e-5, atol=1e-6)
        learned = jax.tree.leaves(gradients)
        assert all(leaf.shape[-1] == 50 and np.isfinite(leaf).all() for leaf in learned)
        assert any(len(np.unique(leaf)) > 50 // 2 for leaf in learned)


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
    model: Any = models.create_model("small_cnn", dropout=form)
    variables, images = drawn(model, 28, 28, 1), np.ones((2, 28, 28, 1), np.float32)

    @jax.jit
    def run(key):
        train, rngs = [], {"dropout": key}
        for is_training in (True, False):
            train.append(model.apply(variables, images, train=is_training, rngs=rngs))
        return train

    (first, evaluated), (second, again) = (run(jax.random.key(seed)) for seed in range(2))
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(evaluated, again)


class AsInThePaper(SmallCNN):
    """The small CNN with its layers in the paper's order, each by itself."""

    @nn.compact
    def __call__(self, images, *, train):
        x = nn.max_pool(self.conv(images, 10, 5, "VALID"), (2, 2), (2, 2))
        x = self.conv(self.activate(x), 20, 5, "VALID")
        x = nn.max_pool(self.drop(x, self.dropout_rate, self.dropout, train), (2, 2), (2, 2))
        x = self.activate(self.dense(flatten(self.activate(x)), 50))
        return self.logits(x)


@pytest.mark.parametrize("form", DROPOUTS)
def test_the_small_cnn_gives_what_the_papers_order_of_layers_gives(form):
    fused: Any = models.create_model("small_cnn", "swish", dropout=form)
    variables = drawn(fused, 28, 28, 1)
    images = np.random.default_rng(1).standard_normal((8, 28, 28, 1), np.float32)
    networks = AsInThePaper(fused.activation, dropout=form), fused, fused.clone(fuses_pooling=False)

    def squares(variables, network):
        rngs = {"dropout": jax.random.key(2)}
        return (network.apply(variables, images, train=True, rngs=rngs) ** 2).sum()

    @jax.jit
    def of_all(variables):
        return [jax.value_and_grad(squares)(variables, network) for network in networks]

    (value, gradients), *others = jax.device_get(of_all(variables))
    for own_value, own_gradients in others:
        np.testing.assert_allclose(own_value, value, rtol=1e-5)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5 * abs(b).max()),
            own_gradients,
            gradients,
        )


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", networks.PUBLISHED)
def test_bfloat16_is_that_of_every_product_and_of_nothing_that_is_kept(name):
    model: Any = models.create_model(name, "prelu", precision="bfloat16")
    images = jax.ShapeDtypeStruct((2, *SHAPES[name]), jnp.float32)
    with jax.numpy_dtype_promotion("standard"):  # Flax's BatchNorm relies on it
        variables = jax.eval_shape(model.initial, jax.random.key(0), images)
        train = functools.partial(in_training, model)
        program, kept = jax.make_jaxpr(train, return_shape=True)(variables, images)
    assert {leaf.dtype for leaf in jax.tree.leaves((variables, kept))} == {jnp.dtype("float32")}
    products = ("dot_general", "conv_general_dilated")
    factors = [e.invars for e in equations(program) if e.primitive.name in products]
    assert len(factors) > 1
    assert {factor.aval.dtype for pair in factors for factor in pair} == {jnp.dtype("bfloat16")}


@pytest.mark.usefixtures("thin_networks")
def test_bfloat16_gives_nearly_the_same():
    names = ("float32", "bfloat16")
    both: Any = [models.create_model("vgg11", "prelu", precision=name) for name in names]
    variables = drawn(both[0], *SHAPES["vgg11"])
    images: Any = np.random.default_rng(0).standard_normal((2, *SHAPES["vgg11"]), np.float32)
    with jax.numpy_dtype_promotion("standard"):
        of_both = jax.jit(lambda variables: [models.predict(n, variables, images) for n in both])
        full, rounded = jax.device_get(of_both(variables))
    assert rounded.dtype == np.float32
    assert 1e-4 < np.abs(rounded - full).max() / np.abs(full).max() < 0.05


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", networks.PUBLISHED)
def test_float64_is_that_of_every_operation(name):
    images = jax.ShapeDtypeStruct((2, *SHAPES[name]), jnp.float64)
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        model = models.create_model(name, "prelu", precision="float64")
        variables = jax.eval_shape(model.initial, jax.random.key(0), images)
        program = jax.make_jaxpr(functools.partial(in_training, model))(variables, images)
    results = [place.aval for equation in equations(program) for place in equation.outvars]
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float64")}
    assert not [aval for aval in results if aval.dtype == jnp.float32]


@pytest.mark.usefixtures("thin_networks")
def test_batch_stats_move_towards_the_batch_by_a_tenth():
    model, images, variables = create("vgg11")
    before = variables["batch_stats"]["BatchNorm_0"]
    np.testing.assert_array_equal(before["mean"], 0)
    np.testing.assert_array_equal(before["var"], 1)

    @jax.jit
    def statistics(variables):
        _, updates = in_training(model, variables, images)
        layer = variables["params"]["Conv_0"]
        conv = jax.lax.conv_general_dilated(
            images, layer["kernel"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        conv += layer["bias"]
        return updates["batch_stats"]["BatchNorm_0"], conv.mean((0, 1, 2)), conv.var((0, 1, 2))

    after, mean, variance = jax.device_get(statistics(variables))
    np.testing.assert_allclose(after["mean"], 0.1 * mean, atol=1e-6)
    np.testing.assert_allclose(after["var"], 0.9 + 0.1 * variance, rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "vgg12"}, "did you mean vgg11"),
        ({"name": "vgg11", "kernel_init": "he"}, "one of torch_default"),
        ({"name": "vgg11", "precision": "float16"}, "one of float32, tf32, bfloat16"),
        ({"name": "vgg11", "sharing": "pixel"}, "'layer' or 'channel'"),
        ({"name": "vgg11", "precision": "float64"}, "needs JAX_ENABLE_X64=1"),
    ],
)
def test_what_is_wrong_is_named(arguments, message):
    with pytest.raises(ConfigError, match=message):
        models.create_model(**arguments)


def test_an_unknown_activation_is_a_value_error():
    with pytest.raises(ValueError, match="relu"):
        models.create_model("vgg11", activation="rleu")


@pytest.mark.usefixtures("thin_networks")
def test_vgg_averages_what_the_last_stage_leaves_of_larger_images():
    model: Any = models.create_model("vgg11")
    variables = drawn(model, 64, 64, 3)
    images = np.random.default_rng(0).standard_normal((2, 64, 64, 3), np.float32)
    is_layer = lambda module, _: isinstance(module, ActivationLayer)  # noqa: E731

    @jax.jit
    def seen(variables):
        return model.apply(
            variables, images, train=False, capture_intermediates=is_layer, mutable="intermediates"
        )

    logits, found = jax.device_get(seen(variables))
    (last,) = found["intermediates"]["ActivationLayer_3"]["__call__"]
    assert last.shape[:3] == (2, 16, 16)
    pooled = last.reshape(2, 8, 2, 8, 2, -1).max((2, 4))
    dense = variables["params"]["Dense_0"]
    expected = pooled.mean((1, 2)) @ dense["kernel"] + dense["bias"]
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


# Of AlexNet's class: what differs, sizes, is in `test_alexnet_layers.py`.
LARGE = pytest.param("alexnet", marks=pytest.mark.slow)


@pytest.mark.parametrize("name", [*sorted({*networks.PUBLISHED} - {"alexnet"}), LARGE])
def test_logits_are_those_of_the_twin_in_pytorch(name):
    variables = drawn(twins.model(name), *networks.SHAPES[name])
    predict = jax.jit(functools.partial(models.predict, twins.model(name)))
    ours = np.asarray(predict(variables, twins.images(name)))
    assert np.abs(ours).max() > 0.1
    np.testing.assert_allclose(ours, twins.kept(name), rtol=1e-4, atol=1e-4)
