"""What initial weights do to a deep network: against what theory says of each initialiser."""

import itertools
import math

import jax
import numpy as np
import pytest

from experiments.common import headlines
from experiments.initialization import deep_network, experiment, figures
from experiments.initialization.deep_network import Layer
from experiments.initialization.experiment import EXPLODING, RIGHT, SATURATED, VANISHING
from jaxact import activations
from jaxact.models.layers.initializers import KERNEL_INITIALIZERS
from tests.support.experiments import drawn, perform

DEPTH, BATCH = 6, 16
TANH, RELU = activations.get("tanh"), activations.get("relu")


def networks(initializer, chosen, width, draws=1):
    seen = [
        deep_network.pass_through(
            initializer, chosen, width=width, depth=DEPTH, batch=BATCH, seed=seed
        )
        for seed in range(draws)
    ]
    return [deep_network.mean_of_draws(same) for same in zip(*seen, strict=True)]


# A ReLU layer with normal weights of variance 2/n multiplies an input's mean square by a factor
# whose deviation is sqrt(5/n): 2 relu(x)^2 has variance 5 where x is standard normal. Six layers of
# 256 units, and half for a root: 17 %; 4.3 % for the mean of 16 draws, if all inputs of a batch
# move together, which they nearly do in the last layers.
@pytest.mark.parametrize("name", ["he_normal", "he_uniform"])
def test_he_keeps_the_deviation_of_relus_over_six_layers(name):
    (layers,) = networks(name, (RELU,), 256, draws=16)
    # Half of a normal's square goes on, and the mean is 1/sqrt(2 pi) of its doubled deviation.
    expected = math.sqrt(1 - 1 / math.pi)
    for layer in layers:
        mean_square = layer.mean**2 + layer.deviation**2
        assert math.sqrt(mean_square) == pytest.approx(1, rel=0.1)
        assert layer.deviation == pytest.approx(expected, rel=0.1)
    assert experiment.verdict(RELU, layers) == RIGHT


@pytest.mark.parametrize("name", ["xavier_normal", "xavier_uniform", "lecun_normal"])
def test_xavier_lets_the_signal_of_relus_fall_by_half_in_power_each_layer(name):
    (layers,) = networks(name, (RELU,), 256, draws=16)
    for k, layer in enumerate(layers):
        root_mean_square = math.hypot(layer.mean, layer.deviation)
        assert root_mean_square == pytest.approx(2 ** (-(k + 1) / 2), rel=0.1)
    assert experiment.verdict(RELU, layers) == VANISHING


def test_xavier_is_right_for_tanh():
    (layers,) = networks("xavier_normal", (TANH,), 1024)
    # Of the first layer: the deviation of tanh at standard normal inputs.
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    expected = math.sqrt((weights * np.tanh(points) ** 2).sum() / weights.sum())
    assert layers[0].deviation == pytest.approx(expected, rel=0.02)
    assert experiment.verdict(TANH, layers) == RIGHT


def test_tanh_vanishes_with_small_weights_as_the_products_of_their_gains():
    width = 1024
    (layers,) = networks("normal_0.01", (TANH,), width)
    gain = 0.01 * math.sqrt(width)  # tanh is the identity where so little is left
    for before, after in itertools.pairwise(layers[1:]):
        assert after.deviation == pytest.approx(gain * before.deviation, rel=0.05)
    assert layers[-1].deviation < 0.01 * layers[0].deviation
    assert experiment.verdict(TANH, layers) == VANISHING


def test_large_weights_saturate_tanh_and_blow_relus_up():
    tanh, relu = networks("normal_0.05", (TANH, RELU), 4096 // 2)
    assert experiment.verdict(TANH, tanh) == SATURATED
    assert tanh[0].counts[0] + tanh[0].counts[1] > 0.1 * sum(tanh[0].counts)  # at -1
    assert experiment.verdict(RELU, relu) == EXPLODING
    gain = 0.05 * math.sqrt(2048 / 2)
    assert experiment.factors(relu)[0] == pytest.approx(gain, rel=0.1)
    assert experiment.factors(relu)[1] == pytest.approx(gain, rel=0.1)


@pytest.mark.parametrize("activation", [TANH, RELU], ids=str)
def test_zeros_give_no_gradient(activation):
    (layers,) = networks("zeros", (activation,), 64)
    assert all(layer.weight_gradient == 0 for layer in layers)
    assert all(layer.deviation == layer.mean == 0 for layer in layers)
    assert layers[-1].gradient == pytest.approx(1)
    assert layers[0].gradient == 0
    assert experiment.verdict(activation, layers) == VANISHING


@pytest.mark.parametrize("spec", ["tanh", "relu", "prelu", "swish"])
def test_gradients_are_those_of_the_loss(spec):
    """Against `jax.grad` of the whole network at once."""
    width, batch, seed = 8, 3, 5
    activation = activations.get(spec)
    (layers,) = deep_network.pass_through(
        "torch_default", (activation,), width=width, depth=DEPTH, batch=batch, seed=seed
    )
    input_key, gradient_key, weights_key = jax.random.split(jax.random.key(seed), 3)
    inputs = jax.random.normal(input_key, (batch, width))
    directions = np.array(jax.random.normal(gradient_key, (batch, width)))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    weights = [
        deep_network.draw_layer("torch_default", width, jax.random.fold_in(weights_key, k))
        for k in range(DEPTH)
    ]

    def loss(weights, shifts):
        x = inputs
        for (kernel, bias), shift in zip(weights, shifts, strict=True):
            x = activation(x @ kernel + bias, **activation.params) + shift
        return (x * directions).sum() / batch

    shifts = [np.zeros((batch, width), np.float32)] * DEPTH
    of_weights, of_outputs = jax.device_get(jax.jit(jax.grad(loss, (0, 1)))(weights, shifts))
    for layer, (of_kernel, _), of_output in zip(layers, of_weights, of_outputs, strict=True):
        assert layer.weight_gradient == pytest.approx(np.linalg.norm(of_kernel), rel=1e-3)
        root = np.sqrt(((batch * of_output) ** 2).sum() / batch)
        assert layer.gradient == pytest.approx(root, rel=1e-3)


def layers_of(deviations, gradients=None, flat=0.0):
    pairs = zip(deviations, gradients or [1.0] * len(deviations), strict=True)
    return [Layer(0.0, s, flat, g, 1.0, [1]) for s, g in pairs]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (layers_of([1.0, 0.8, 0.64]), RIGHT),
        (layers_of([1.0, 0.7, 0.49]), VANISHING),
        (layers_of([1.0, 1.5, 2.25]), EXPLODING),
        (layers_of([1.0, 1.0, math.inf]), EXPLODING),
        (layers_of([1.0, 1.0, math.nan]), EXPLODING),
        (layers_of([1.0, 1.0, 1.0], [0.4, 0.7, 1.0]), VANISHING),
        (layers_of([1.0, 1.0, 1.0], [3.0, 2.0, 1.0]), EXPLODING),
        (layers_of([1.0, 1.0, 1.0], flat=0.5), SATURATED),
        (layers_of([1.0, 1.0, 1.0], flat=0.3), RIGHT),
        (layers_of([1.0, 0.0, 0.0], flat=1.0), VANISHING),
    ],
)
def test_verdicts_follow_their_thresholds(layers, expected):
    assert experiment.verdict(TANH, layers) == expected


def test_relus_flat_half_is_not_saturation():
    assert experiment.verdict(RELU, layers_of([1.0, 1.0], flat=0.5)) == RIGHT
    assert experiment.verdict(RELU, layers_of([1.0, 1.0], flat=0.8)) == SATURATED


def test_values_beyond_a_histogram_are_in_its_outermost_bins():
    counts = deep_network.counts(np.array([-9.0, -1.0, 0.01, 1.0, 7.0, 8.0]), (-1.0, 1.0))
    assert len(counts) == deep_network.BINS
    assert (counts[0], counts[deep_network.BINS // 2], counts[-1]) == (2, 1, 3)


def test_every_initialiser_meets_every_activation():
    words = ["--activations=elu,softplus", "--width=32", "--depth=3", "--batch=4", "--seeds=2"]
    outcome = perform(experiment, *words)
    assert len(outcome.rows) == 2 * len(KERNEL_INITIALIZERS)
    assert {row["verdict"] for row in outcome.rows} <= {RIGHT, VANISHING, SATURATED, EXPLODING}
    layer = outcome.details["layers"]["elu"]["he_normal"][2]
    assert sum(layer["counts"]) == 2 * 4 * 32
    drawings = drawn(experiment, outcome)
    assert set(drawings) == {"histograms", "layers"}
    assert len(drawings["histograms"].axes) == 2 * 5  # rows of the source's sentences
    assert headlines.told(drawings["layers"]).startswith("Just right for elu ")


def test_the_rows_are_initialisers_and_alike_ones_share_a_line():
    assert {*figures.CLAIMED} <= {*KERNEL_INITIALIZERS}
    drawn_of = {
        "relu": {
            "one": layers_of([1.0, 0.5]),
            "same": layers_of([1.01, 0.495]),
            "other": layers_of([1.0, 0.6]),
            "nothing": layers_of([0.0, 0.0]),
        }
    }
    assert figures.alike(drawn_of) == [["one", "same"], ["other"], ["nothing"]]


def test_the_headline_names_what_is_just_right():
    drawn_of = {"tanh": {}, "relu": {}}
    verdicts = {
        ("tanh", "zeros"): VANISHING,
        ("tanh", "he_normal"): RIGHT,
        ("relu", "zeros"): VANISHING,
        ("relu", "he_normal"): EXPLODING,
    }
    told = figures.headline(drawn_of, verdicts, ["zeros", "he_normal"])
    assert told == "Just right for tanh he_normal; for relu none"


def test_what_overflows_is_told():
    # 5 layers of factor 1e9 sqrt(2): 6e45, and float32 ends at 3e38.
    words = ["--activations=linear(slope=1e9)", "--width=64", "--depth=5", "--batch=2"]
    rows = perform(experiment, *words).rows
    he = next(row for row in rows if row["initialiser"] == "he_normal")
    assert he["deviation 5"] is None
    assert he["verdict"] == EXPLODING
