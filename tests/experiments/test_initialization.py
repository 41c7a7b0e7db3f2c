"""What initial weights do to a deep network: against what theory says of each initialiser."""

import functools
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

DEPTH, BATCH, WIDTH = 6, 16, 256
TANH, RELU = activations.get("tanh"), activations.get("relu")


@functools.cache  # its programs are those of one width and both activations
def networks(initializer, width=WIDTH, depth=DEPTH, draws=4):
    """The layers of a tanh and of a ReLU network."""
    seen = [
        deep_network.pass_through(
            initializer, (TANH, RELU), width=width, depth=depth, batch=BATCH, seed=seed
        )
        for seed in range(draws)
    ]
    return [deep_network.mean_of_draws(same) for same in zip(*seen, strict=True)]


# A ReLU layer with normal weights of variance 2/n multiplies an input's mean square by a factor
# whose deviation is sqrt(5/n): 2 relu(x)^2 has variance 5 where x is standard normal. Six layers of
# 256 units, and half for a root: 17 %; 8.6 % for the mean of 4 draws, if all inputs of a batch
# move together, which they nearly do in the last layers.
def test_he_keeps_the_deviation_of_relus_over_six_layers():
    _, layers = networks("he_normal")
    # Half of a normal's square goes on, and the mean is 1/sqrt(2 pi) of its doubled deviation.
    expected = math.sqrt(1 - 1 / math.pi)
    for layer in layers:
        mean_square = layer.mean**2 + layer.deviation**2
        assert math.sqrt(mean_square) == pytest.approx(1, rel=0.1)
        assert layer.deviation == pytest.approx(expected, rel=0.1)
    assert experiment.verdict(RELU, layers) == RIGHT


def test_xavier_lets_the_signal_of_relus_fall_by_half_in_power_each_layer():
    _, layers = networks("xavier_normal")
    for k, layer in enumerate(layers):
        root_mean_square = math.hypot(layer.mean, layer.deviation)
        assert root_mean_square == pytest.approx(2 ** (-(k + 1) / 2), rel=0.1)
    assert experiment.verdict(RELU, layers) == VANISHING


def test_xavier_is_right_for_tanh():
    layers, _ = networks("xavier_normal")
    # Of the first layer: the deviation of tanh at standard normal inputs.
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    expected = math.sqrt((weights * np.tanh(points) ** 2).sum() / weights.sum())
    assert layers[0].deviation == pytest.approx(expected, rel=0.02)
    assert experiment.verdict(TANH, layers) == RIGHT


def test_tanh_vanishes_with_small_weights_as_the_products_of_their_gains():
    layers, _ = networks("normal_0.01")
    gain = 0.01 * math.sqrt(WIDTH)  # tanh is the identity where so little is left
    for before, after in itertools.pairwise(layers[1:]):
        assert after.deviation == pytest.approx(gain * before.deviation, rel=0.05)
    assert layers[-1].deviation < 0.01 * layers[0].deviation
    assert experiment.verdict(TANH, layers) == VANISHING


def test_large_weights_saturate_tanh_and_blow_relus_up():
    tanh, relu = networks("normal_0.05", width=2048, depth=3, draws=1)
    assert experiment.verdict(TANH, tanh) == SATURATED
    assert tanh[0].counts[0] + tanh[0].counts[1] > 0.1 * sum(tanh[0].counts)  # at -1
    assert experiment.verdict(RELU, relu) == EXPLODING
    gain = 0.05 * math.sqrt(2048 / 2)
    assert experiment.factors(relu)[0] == pytest.approx(gain, rel=0.1)
    assert experiment.factors(relu)[1] == pytest.approx(gain, rel=0.1)


def test_zeros_give_no_gradient():
    for activation, layers in zip((TANH, RELU), networks("zeros", draws=1), strict=True):
        assert all(layer.weight_gradient == 0 for layer in layers)
        assert all(layer.deviation == layer.mean == 0 for layer in layers)
        assert layers[-1].gradient == pytest.approx(1)
        assert layers[0].gradient == 0
        assert experiment.verdict(activation, layers) == VANISHING


def test_gradients_are_those_of_the_loss():
    """Against `jax.grad` of each whole network at once."""
    width, batch, seed = 8, 3, 5
    chosen = tuple(map(activations.get, ("prelu", "swish")))
    seen = deep_network.pass_through(
        "torch_default", chosen, width=width, depth=DEPTH, batch=batch, seed=seed
    )
    input_key, gradient_key, weights_key = jax.random.split(jax.random.key(seed), 3)
    inputs, directions = map(
        np.asarray, deep_network.draw_signals(batch, width, input_key, gradient_key)
    )
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, rtol=1e-6)
    weights = [
        deep_network.draw_layer("torch_default", width, jax.random.fold_in(weights_key, k))
        for k in range(DEPTH)
    ]

    def loss(activation, weights, shifts):
        x = inputs
        for (kernel, bias), shift in zip(weights, shifts, strict=True):
            x = activation(x @ kernel + bias, **activation.params) + shift
        return (x * directions).sum() / batch

    def all_gradients(weights, shifts):
        return [jax.grad(loss, (1, 2))(activation, weights, shifts) for activation in chosen]

    shifts = [np.zeros((batch, width), np.float32)] * DEPTH
    expected = jax.device_get(jax.jit(all_gradients)(weights, shifts))
    for layers, (of_weights, of_outputs) in zip(seen, expected, strict=True):
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


def test_every_initialiser_meets_every_activation_and_what_overflows_is_told():
    # 5 layers of factor 1e9 sqrt(2): 6e45, and float32 ends at 3e38.
    words = ["--activations=elu,linear(slope=1e9)", "--width=64", "--depth=5"]
    outcome = perform(experiment, *words, "--batch=4", "--seeds=2")
    assert len(outcome.rows) == 2 * len(KERNEL_INITIALIZERS)
    assert {row["verdict"] for row in outcome.rows} <= {RIGHT, VANISHING, SATURATED, EXPLODING}
    of_linear = [row for row in outcome.rows if row["activation"].startswith("linear(")]
    he = next(row for row in of_linear if row["initialiser"] == "he_normal")
    assert (he["deviation 5"], he["verdict"]) == (None, EXPLODING)
    layer = outcome.details["layers"]["elu"]["he_normal"][2]
    assert sum(layer["counts"]) == 2 * 4 * 64
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
