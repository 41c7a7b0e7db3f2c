"""Health of activation layers: planted cases, by-hand gradients, and the file of a run."""

import dataclasses
import functools
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxact import activations, data, models
from jaxact.activations import Activation
from jaxact.config import Config
from jaxact.errors import ConfigError, Interrupted
from jaxact.models.inspection.observation import observe
from jaxact.models.layers.common import flatten
from jaxact.runs import fit
from jaxact.runs.loading import run_data
from jaxact.runs.records import record_files, workdirs
from jaxact.training import health
from jaxact.training.steps import Examples
from tests.support import networks
from tests.support.groups import KINDS
from tests.support.networks import SHAPES
from tests.support.stopping import StopAfter
from tests.support.variables import drawn, state_of, xlas_convolution

EXAMPLES = 16
LAYERS = {
    name: [f"ActivationLayer_{i}" for i in range(count)] for name, count in networks.THIN.items()
}


def random_probe(model="small_cnn", examples=EXAMPLES):
    rng = np.random.default_rng(0)
    channels = SHAPES[model][-1]
    return Examples(
        images=jnp.asarray(rng.integers(0, 256, (examples, *SHAPES[model]), np.uint8)),
        labels=jnp.asarray(rng.integers(0, 10, examples, np.int32)),
        mean=jnp.asarray(np.full(channels, 0.5, np.float32)),
        std=jnp.asarray(np.full(channels, 0.25, np.float32)),
    )


class OneLayer(models.ConvNet):
    input_size: ClassVar[int] = 28

    @nn.compact
    def __call__(self, images, *, train):
        del train
        return self.logits(self.activate(self.dense(flatten(images), 50)))


def create(spec, model="small_cnn", **options):
    """A network and its variables."""
    network = models.create_model(model, spec, **options)
    return network, drawn(network, *SHAPES[model])


def create_one_layer(act, **options):
    network = OneLayer(act, **options)
    return network, drawn(network, *SHAPES["small_cnn"])


@functools.partial(jax.jit, static_argnums=0)
def measure(network, variables, probe):
    return health.measure(network, data.normalize, state_of(variables), probe)


def measured(network, variables, probe):
    """The rows of `layers`, by name."""
    with xlas_convolution():
        layers = measure(network, variables, probe)
    return {row["layer"]: row for row in health.as_row(1, layers)["layers"]}


def with_leaf(variables, layer, name, change):
    """The variables with one parameter changed."""
    params = variables["params"]
    changed = {**params[layer], name: change(params[layer][name])}
    return {**variables, "params": {**params, layer: changed}}


@pytest.mark.parametrize("dead", [7, 50])
def test_a_bias_far_below_zero_makes_that_many_relu_units_of_a_dense_layer_dead(dead):
    network, variables = create("relu")
    # A bias of 100 for the others: they are on for every image.
    bias = lambda old: np.where(np.arange(50) < dead, -100, 100).astype(old.dtype)  # noqa: E731
    layer = measured(network, with_leaf(variables, "Dense_0", "bias", bias), random_probe())
    assert layer["ActivationLayer_2"]["dead"] == pytest.approx(dead / 50)
    assert layer["ActivationLayer_2"]["saturated"] == 0
    if dead == 50:
        assert layer["ActivationLayer_2"]["mean"] == layer["ActivationLayer_2"]["deviation"] == 0
        # Nothing passes a dead layer.
        assert layer["ActivationLayer_0"]["gradient_norm"] == 0
        assert layer["ActivationLayer_2"]["gradient_norm"] > 0


def test_a_unit_of_a_convolution_is_a_channel():
    network, variables = create("relu")
    bias = lambda old: np.where(np.arange(10) < 3, -100, 100).astype(old.dtype)  # noqa: E731
    layer = measured(network, with_leaf(variables, "Conv_0", "bias", bias), random_probe())
    assert layer["ActivationLayer_0"]["dead"] == pytest.approx(0.3)


@pytest.mark.parametrize("spec", ["leaky_relu", "softmax"])
def test_what_has_a_slope_everywhere_is_never_dead(spec):
    network, variables = create_one_layer(activations.get(spec))
    variables = with_leaf(variables, "Dense_0", "bias", lambda old: old - 100)
    layer = measured(network, variables, random_probe())["ActivationLayer_0"]
    assert layer["dead"] == 0
    # The small slope of leaky ReLU is not below one percent.
    assert layer["saturated"] == 0 or spec == "softmax"


@pytest.mark.parametrize("spec", ["tanh", "swish"])
def test_units_at_the_flat_end_saturate_and_are_not_dead(spec):
    network, variables = create_one_layer(activations.get(spec))
    flat = lambda old: np.where(np.arange(50) < 20, -20, 0.5).astype(old.dtype)  # noqa: E731
    variables = with_leaf(variables, "Dense_0", "bias", flat)
    variables = with_leaf(variables, "Dense_0", "kernel", lambda old: 0.01 * old)
    layer = measured(network, variables, random_probe())["ActivationLayer_0"]
    assert layer["dead"] == 0
    assert layer["saturated"] == pytest.approx(0.4)


def test_tanh_with_huge_weights_saturates():
    network, variables = create_one_layer(activations.get("tanh"))
    probe = random_probe()
    assert measured(network, variables, probe)["ActivationLayer_0"]["saturated"] == 0
    # Where the inputs are large, a random unit is near 0 for a few of the images at most.
    larger = with_leaf(variables, "Dense_0", "kernel", lambda old: 1e4 * old)
    layer = measured(network, larger, probe)["ActivationLayer_0"]
    assert layer["dead"] + layer["saturated"] > 0.9
    assert layer["deviation"] > 0.9


SHARES = [(0.0, 0, 0), (0.94, 0, 0), (0.95, 0, 1), (0.99, 0, 1), (1.0, 1, 0)]


@functools.cache
def flat_units_of_relu():
    return jax.jit(functools.partial(health.flat_units, activations.get("relu"), {}))


@pytest.mark.parametrize(("share", "dead", "saturated"), SHARES)
def test_saturated_is_flat_for_nineteen_in_twenty_and_dead_for_all(share, dead, saturated):
    inputs = np.where(np.arange(100) < round(100 * share), -1, 1)[:, None]
    shares = flat_units_of_relu()(inputs.astype(np.float32))
    assert tuple(map(float, shares)) == (dead, saturated)


LARGEST = {
    "relu": 1,
    "tanh": 1,
    "sigmoid": 0.25,
    "softmax": 0.25,
    "softmax(axis=1)": 0.25,
    "swish": 1.0998,
    "gelu": 1.1289,
    "leaky_relu(negative_slope=3.0)": 3,
    "binary_step": 0,
}


def largest_slope(spec, learned, rank):
    act = activations.get(spec)
    return np.asarray(jax.jit(lambda learned: health.largest_slope(act, learned, rank))(learned))


@functools.cache
def largest_slopes():
    """The largest slopes of `LARGEST`, by spec and rank."""

    @jax.jit
    def slopes():
        acts = {spec: activations.get(spec) for spec in LARGEST}
        return {s: {r: health.largest_slope(acts[s], {}, r) for r in (2, 4)} for s in LARGEST}

    return jax.device_get(slopes())


@pytest.mark.parametrize("rank", [2, 4])
@pytest.mark.parametrize("spec", LARGEST)
def test_the_largest_slope_is_the_functions_own(spec, rank):
    assert largest_slopes()[spec][rank] == pytest.approx(LARGEST[spec], rel=1e-3)


def test_the_largest_slope_follows_what_is_learned():
    assert largest_slope("prelu", {"alpha": np.float32(-4)}, 4) == 4
    channels = {"alpha": np.array([0.5, -2.0, 3.0], np.float32)}
    np.testing.assert_array_equal(largest_slope("prelu", channels, 2), [1, 2, 3])


def test_the_largest_slope_where_a_parameter_is_an_array_of_coefficients():
    params = activations.get("apl").params
    layer = {name: np.asarray(value, np.float32) for name, value in params.items()}
    assert largest_slope("apl", layer, 4).shape == ()
    units = {name: np.stack([value, 3 * value + 1], -1) for name, value in layer.items()}
    largest = largest_slope("apl", units, 2)
    for unit in (0, 1):
        alone = {name: value[:, unit] for name, value in units.items()}
        assert largest[unit] == largest_slope("apl", alone, 2)


@pytest.mark.parametrize("sharing", ["layer", "channel"])
def test_a_learned_slope_of_zero_is_a_dead_unit(sharing):
    network, variables = create_one_layer(activations.get("prelu"), sharing=sharing)
    dead = lambda old: np.where(np.arange(old.size).reshape(old.shape) < 5, 0, old)  # noqa: E731
    variables = with_leaf(variables, "ActivationLayer_0", "alpha", dead)
    variables = with_leaf(variables, "Dense_0", "bias", lambda old: old - 100)
    layer = measured(network, variables, random_probe())["ActivationLayer_0"]
    assert layer["dead"] == pytest.approx(0.1 if sharing == "channel" else 1)


def by_hand(params, images, act):
    """The small CNN without its module: the outputs of each activation, and the logits of each."""

    def conv_and_pool(x, layer):
        x = jax.lax.conv_general_dilated(
            x, layer["kernel"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = x + layer["bias"]
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def dense(x, layer):
        return x @ layer["kernel"] + layer["bias"]

    rest = [
        lambda y: conv_and_pool(y, params["Conv_1"]),
        lambda y: dense(y.reshape(len(y), -1), params["Dense_0"]),
        lambda y: dense(y, params["Dense_1"]),
    ]

    def logits_from(i, y):
        for stage in rest[i:-1]:
            y = act(stage(y))
        return rest[-1](y)

    outputs = [act(conv_and_pool(images, params["Conv_0"]))]
    for stage in rest[:-1]:
        outputs.append(act(stage(outputs[-1])))
    return outputs, logits_from


def test_figures_equal_a_computation_by_hand():
    network, variables = create("swish")
    probe = random_probe()

    @jax.jit
    def reference(params, images):
        outputs, logits_from = by_hand(params, images, activations.get("swish"))
        gradients = []
        for i, y in enumerate(outputs):

            def loss_of_one(y, label, i=i):
                return -jax.nn.log_softmax(logits_from(i, y[None]))[0, label]

            gradients.append(jax.vmap(jax.grad(loss_of_one))(y, probe.labels))
        return outputs, gradients

    images = (np.asarray(probe.images) / np.float32(255) - 0.5) / 0.25
    references = zip(*jax.device_get(reference(variables["params"], images)), strict=True)
    layers = measured(network, variables, probe)
    assert list(layers) == LAYERS["small_cnn"]
    for row, (y, gradient) in zip(layers.values(), references, strict=True):
        norms = np.linalg.norm(gradient.reshape(EXAMPLES, -1), axis=1)
        assert row["gradient_norm"] == pytest.approx(math.sqrt((norms**2).mean()), rel=1e-4)
        assert row["mean"] == pytest.approx(float(y.mean()), rel=1e-4, abs=1e-6)
        assert row["deviation"] == pytest.approx(float(y.std()), rel=1e-4)


def test_the_gradient_norm_does_not_depend_on_how_often_an_image_is_in_the_probe():
    network, variables = create_one_layer(activations.get("swish"))
    probe = random_probe(examples=EXAMPLES // 2)
    twice = dataclasses.replace(
        probe,
        images=np.concatenate([probe.images, probe.images]),
        labels=np.concatenate([probe.labels, probe.labels]),
    )
    once, again = (measured(network, variables, p) for p in (probe, twice))
    for name, row in once.items():
        assert again[name]["gradient_norm"] == pytest.approx(row["gradient_norm"], rel=1e-5)


@functools.cache
def rows_by_kind():
    """The row of each kind in a network of one layer: one program is faster than many."""
    specs = (*KINDS, "binary_step")
    networks, variables = zip(*map(create_one_layer, map(activations.get, specs)), strict=True)

    @jax.jit
    def layers_of(variables, probe):
        return [measure(*given, probe) for given in zip(networks, variables, strict=True)]

    layers = zip(specs, layers_of(variables, random_probe()), strict=True)
    return {spec: health.as_row(1, layer)["layers"] for spec, layer in layers}


@pytest.mark.parametrize("spec", [*KINDS, "binary_step"])
def test_every_kind_of_activation_has_finite_figures(spec):
    (row,) = rows_by_kind()[spec]
    assert row.pop("layer") == "ActivationLayer_0"
    assert row.pop("after") == "Dense_0"
    assert row.keys() == {"dead", "saturated", "mean", "deviation", "gradient_norm"}
    assert all(map(math.isfinite, row.values()))
    assert 0 <= row["dead"] <= row["dead"] + row["saturated"] <= 1
    assert (row["dead"] == 1) == (spec == "binary_step")


def test_bfloat16_is_examined_in_float32():
    exact, rounded = (
        measured(*create_one_layer(activations.get("swish"), precision=precision), random_probe())
        for precision in ("float32", "bfloat16")
    )
    for name, row in rounded.items():
        assert row["deviation"] == pytest.approx(exact[name]["deviation"], rel=0.05)
        assert row["gradient_norm"] == pytest.approx(exact[name]["gradient_norm"], rel=0.05)
        assert row["deviation"] != exact[name]["deviation"]


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", networks.OF_EACH_KIND)
def test_observation_changes_no_logits(name):
    network, variables = create("prelu", name)
    images = np.random.default_rng(1).normal(size=(2, *SHAPES[name]))
    images = jnp.asarray(images, jnp.float32)

    @jax.jit
    def look(variables):
        logits, layers = observe(network, variables, images)
        expected = [network.activation(layer.inputs, **layer.learned) for layer in layers]
        outputs = [layer.outputs for layer in layers]
        return logits, models.predict(network, variables, images), outputs, expected

    with xlas_convolution():
        logits, predicted, outputs, expected = jax.device_get(look(variables))
    np.testing.assert_array_equal(logits, predicted)
    jax.tree.map(np.testing.assert_array_equal, outputs, expected)


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("name", networks.PUBLISHED)
def test_layers_are_named_in_their_order(name):
    network, variables = create("prelu", name)
    assert variables.keys() <= {"params", "batch_stats"}
    names = []

    def look(variables, images):
        _, layers = observe(network, variables, images)
        names.extend(layer.name for layer in layers)

    jax.eval_shape(look, variables, jax.ShapeDtypeStruct((2, *SHAPES[name]), jnp.float32))
    assert names == LAYERS[name]


def test_a_network_is_made_after_an_observation_as_before_it():
    network, variables = create("prelu", "four_layer_cnn")
    images = jnp.zeros((2, *SHAPES["four_layer_cnn"]), jnp.float32)

    def made():
        init = functools.partial(network.init, train=False)
        return str(jax.make_jaxpr(init)(jax.random.key(0), images))

    before = made()
    jax.eval_shape(lambda variables: observe(network, variables, images)[0], variables)
    assert made() == before


def test_a_mixing_function_without_a_derivative_has_no_share_of_flat_units():
    act = Activation(
        "norm", lambda x: x / (1 + jnp.abs(x).sum(-1, keepdims=True)), elementwise=False
    )
    layer = measured(*create_one_layer(act), random_probe())["ActivationLayer_0"]
    assert layer["dead"] is None
    assert layer["saturated"] is None
    assert layer["gradient_norm"] > 0


@jax.custom_vjp
def backwards_only(x):
    return jnp.maximum(x, 0)


backwards_only.defvjp(
    lambda x: (jnp.maximum(x, 0), x > 0), lambda on, gradient: (jnp.where(on, gradient, 0),)
)


def test_a_function_that_jax_differentiates_backwards_only_is_examined_too():
    act = Activation("backwards_only", backwards_only)
    probe = random_probe()
    expected = measured(*create_one_layer(activations.get("relu")), probe)
    for name, row in measured(*create_one_layer(act), probe).items():
        assert row == pytest.approx(expected[name])


def test_what_is_not_finite_is_null():
    layer = health.LayerHealth("a", None, jnp.nan, jnp.inf, -jnp.inf, jnp.float32(2))  # pyright: ignore
    figures = dict.fromkeys(("dead", "saturated", "mean", "deviation"))
    row = {"epoch": 3, "layers": [{"layer": "a", **figures, "gradient_norm": 2.0}]}
    assert health.as_row(3, [layer]) == row


# Whole runs.


def rows_of(workdir):
    return record_files.read_rows(workdir / record_files.HEALTH)


def test_a_run_writes_a_row_an_epoch_and_its_clock(tiny, tmp_path):
    summary = fit.fit(tiny, tmp_path / "run")
    rows = rows_of(tmp_path / "run")
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all([x["layer"] for x in row["layers"]] == ["ActivationLayer_0"] for row in rows)
    assert rows[0]["layers"] != rows[1]["layers"]
    metrics = record_files.read_rows(tmp_path / "run" / record_files.METRICS)
    assert 0 < metrics[0]["health_seconds"] < metrics[1]["health_seconds"]
    assert summary["health_seconds"] == metrics[1]["health_seconds"]
    (events,) = (tmp_path / "run" / record_files.TENSORBOARD).glob("events.out.tfevents*")
    assert b"health/ActivationLayer_0/gradient_norm" in events.read_bytes()


def test_zero_switches_it_off_and_training_is_the_same(tiny, tmp_path):
    fit.fit(tiny, tmp_path / "on")
    fit.fit(dataclasses.replace(tiny, health_examples=0), tmp_path / "off")
    assert not (tmp_path / "off" / record_files.HEALTH).exists()
    on, off = (
        record_files.read_rows(tmp_path / name / record_files.METRICS) for name in ("on", "off")
    )
    for name in ("train_loss", "test_loss", "test_accuracy"):
        assert [row[name] for row in on] == [row[name] for row in off]
    assert off[-1]["health_seconds"] == 0


def test_a_stopped_run_has_the_rows_of_one_that_ran_through(tiny, tmp_path):
    fit.fit(tiny, tmp_path / "whole")
    with pytest.raises(Interrupted):
        fit.fit(tiny, tmp_path / "stopped", stop=StopAfter(1))
    fit.fit(tiny, tmp_path / "stopped")
    assert rows_of(tmp_path / "stopped") == rows_of(tmp_path / "whole")


@pytest.mark.parametrize("checkpointed", [0, 2])
def test_rows_after_the_checkpoint_are_measured_again_not_doubled(tiny, tmp_path, checkpointed):
    """A killed process leaves rows of epochs that no checkpoint holds."""
    config = dataclasses.replace(tiny, epochs=3, checkpoint_every_epochs=4)
    fit.fit(config, tmp_path / "whole")
    run = tmp_path / "killed"
    if checkpointed:
        fit.fit(dataclasses.replace(config, epochs=checkpointed), run)
    else:
        with workdirs.opened_workdir(run, dataclasses.asdict(config), {"fingerprint": None}):
            pass
    for name in (record_files.HEALTH, record_files.METRICS):
        record_files.append_row(run / name, {"epoch": checkpointed + 1, "step": 0})
    fit.fit(config, run)
    assert rows_of(run) == rows_of(tmp_path / "whole")
    assert [row["epoch"] for row in record_files.read_rows(run / record_files.METRICS)] == [1, 2, 3]


def test_the_probe_is_of_the_size_asked_for_and_the_same_for_every_seed(tiny):
    split = data.load("digits", tiny.data_dir).train
    first = run_data.choose_probe(split, dataclasses.replace(tiny, health_examples=40))
    other = run_data.choose_probe(split, dataclasses.replace(tiny, health_examples=40, seed=1))
    assert first is not None
    assert other is not None
    assert len(first) == 40
    np.testing.assert_array_equal(first.images, other.images)
    assert run_data.choose_probe(split, dataclasses.replace(tiny, health_examples=0)) is None


@pytest.mark.parametrize(
    ("train", "probe"), [(1, 1), (300, 3), (1437, 15), (12_800, 128), (60_000, 128)]
)
def test_the_automatic_probe_is_one_percent_at_most_128(train, probe):
    assert Config().health_examples is None
    assert health.automatic_examples(train) == probe


def test_a_probe_larger_than_the_training_set_is_refused(tiny, tmp_path):
    with pytest.raises(ConfigError, match=r"config\.health_examples=301 must be at most .* 300"):
        fit.fit(dataclasses.replace(tiny, health_examples=301), tmp_path / "run")
    assert not (tmp_path / "run").exists()
