"""Learned shapes: planted parameters give the planted curve, change and table."""

import json
import math

import jax.numpy as jnp
import numpy as np
import pytest

from experiments.common import trials
from experiments.learned_shapes import curves, experiment, figures
from experiments.learned_shapes.experiment import LEARNABLE
from jaxact import activations
from jaxact.training.state import TrainState
from tests.support.experiments import drawn, perform

PRELU = activations.get("prelu")
RNG = np.random.default_rng(0)


def test_every_activation_that_learns_is_tried_by_default():
    assert {"prelu", "learned_swish", "pau", "apl", "affine_combination"} <= set(LEARNABLE)
    assert all(activations.get(name).params for name in LEARNABLE)
    left_out = set(activations.names()) - set(LEARNABLE)
    assert not any(activations.get(name).params for name in left_out)


def inputs_of(units=3):
    return jnp.asarray(RNG.normal(size=(40, 2, 2, units)), jnp.float32)


def test_a_planted_slope_gives_its_curve_and_its_change():
    """PReLU from 0.25 to 0.75: the negative side moves by half its inputs."""
    inputs = inputs_of()
    before, after = {"alpha": jnp.float32(0.25)}, {"alpha": jnp.float32(0.75)}
    shape = curves.shape_of(PRELU, "layer", before, [after, before], [inputs, inputs])
    x = shape.x
    np.testing.assert_allclose(shape.initial, np.where(x > 0, x, 0.25 * x), rtol=1e-6)
    assert shape.learned.shape == (2, len(x))
    np.testing.assert_allclose(shape.learned[0], np.where(x > 0, x, 0.75 * x), rtol=1e-6)
    np.testing.assert_allclose(shape.learned[1], shape.initial, rtol=1e-6)
    values = np.asarray(inputs).ravel()
    old = np.where(values > 0, values, 0.25 * values)
    moved = np.where(values > 0, 0, 0.5 * values)
    expected = math.sqrt((moved**2).mean() / (old**2).mean())
    assert shape.change == pytest.approx([expected, 0], rel=1e-5)


def test_each_channel_has_a_curve_of_its_own():
    before = {"alpha": jnp.full(3, 0.25, jnp.float32)}
    after = {"alpha": jnp.asarray([0.0, 0.5, 1.0], jnp.float32)}
    shape = curves.shape_of(PRELU, "layer", before, [after], [inputs_of()])
    assert shape.learned.shape == (3, len(shape.x))
    np.testing.assert_allclose(shape.learned[:, 0], shape.x[0] * np.array([0, 0.5, 1]), rtol=1e-5)
    assert experiment.parameter_cells(PRELU, "alpha", shape) == (0.25, [0.5, 0.25, 0.75])


def test_the_histogram_holds_the_inputs_and_the_curve_covers_them():
    inputs = inputs_of() * 10 + 3
    start = {"alpha": jnp.float32(0.25)}
    shape = curves.shape_of(PRELU, "layer", start, [start], [inputs])
    low, high = np.quantile(np.asarray(inputs), [0.001, 0.999])
    assert (shape.x[0], shape.x[-1]) == pytest.approx((low, high), rel=1e-4)
    assert shape.counts.sum() >= 0.99 * inputs.size
    assert (shape.edges[0], shape.edges[-1]) == pytest.approx((low, high), rel=1e-4)


@pytest.mark.parametrize("sharing", ["layer", "channel"])
@pytest.mark.parametrize("name", ["prelu", "apl"])  # one number, and lists of numbers
def test_coefficients_before_and_after_stand_in_the_table(name, sharing):
    activation = activations.get(name)
    tail = (3,) if sharing == "channel" else ()

    def planted(shift):
        learned = {}
        for key, value in activation.params.items():
            changed = np.array(value, float)
            changed.reshape(-1)[0] += shift  # not all coefficients: a common shift may cancel
            learned[key] = jnp.asarray(changed.reshape(changed.shape + (1,) * len(tail)), "float32")
            learned[key] = jnp.broadcast_to(learned[key], changed.shape + tail)
        return learned

    shape = curves.shape_of(
        activation, "layer", planted(0), [planted(0.125)] * 2, [inputs_of()] * 2
    )
    assert min(shape.change) > 0
    for key, value in activation.params.items():
        before, after = experiment.parameter_cells(activation, key, shape)
        if isinstance(value, tuple):
            assert len(before.split(", ")) == len(after.split(", ")) == len(value)
            assert float(after.split(", ")[0]) == pytest.approx(value[0] + 0.125, rel=0.01)
        else:
            assert before == value
            assert after == pytest.approx([value + 0.125] * 3, rel=1e-6)


def trial_of(accuracy):
    empty = TrainState(jnp.int32(0), {}, {}, ())
    return trials.Trial(empty, empty, 0.5, accuracy, True)


def test_the_answer_is_what_was_measured():
    start, moved = {"alpha": jnp.float32(0.25)}, {"alpha": jnp.float32(0.75)}
    shapes = [
        curves.shape_of(PRELU, name, start, [after], [inputs_of()])
        for name, after in (("first", start), ("second", moved))
    ]
    base = [trial_of(0.9)]
    done = {"prelu": [trial_of(0.95)], "srs": [trial_of(0.8)]}
    gained = {spec: experiment.gains(of, base) for spec, of in done.items()}
    said = experiment.answer({"prelu": shapes}, gained, base)
    assert said.startswith("the function moves most in prelu, second (")
    assert "least in prelu, first (0.0 %)" in said
    assert "1 of 2 end above relu's 90.0 % test accuracy" in said
    assert "from prelu (+5.0 points) to srs (-10.0)" in said
    assert "too few to rank them" in said
    five = {spec: list(values) * 5 for spec, values in gained.items()}
    assert "too few" not in experiment.answer({"prelu": shapes}, five, base * 5)


def test_what_diverges_is_told():
    diverged = trial_of(0.1)._replace(is_finite=False)
    assert math.isnan(experiment.gains([diverged], [trial_of(0.9)])[0])
    (row,) = experiment.rows_of(PRELU, [], [diverged], [trial_of(0.9)])
    assert (row["diverged"], row["test accuracy (%)"]) == (1, None)
    said = experiment.answer({"prelu": []}, {"prelu": [math.nan]}, [trial_of(0.9)])
    assert "diverged" in said


def test_training_moves_what_is_shown():
    words = ["--model=thin_cnn", "--activations=prelu", "--seeds=1", "--epochs=2"]
    words += ["--train_examples=256", "--learning_rate=0.05", "--sharing=channel"]
    outcome = perform(experiment, *words)
    rows = outcome.rows
    assert [row["activation"] for row in rows] == ["prelu", "relu"]
    assert rows[0]["change of f (%)"][0] > 0.5
    accuracies = outcome.details["test_accuracy"]
    gain = 100 * (accuracies["prelu"][0] - accuracies["relu"][0])
    assert rows[0]["against relu (points)"][0] == pytest.approx(gain)
    learned = outcome.details["learned"]["prelu"]["ActivationLayer_0"]["after"]["alpha"]
    assert np.shape(learned) == (1, 4)
    assert set(drawn(experiment, outcome)) == {"changes", "learned_shapes"}


@pytest.mark.parametrize("channels", [1, 3])
def test_a_stored_shape_has_the_curves_that_were_seen(channels):
    start = {"alpha": jnp.full(channels, 0.25) if channels > 1 else jnp.float32(0.25)}
    moved = {name: value + 0.5 for name, value in start.items()}
    shape = curves.shape_of(PRELU, "layer", start, [moved, start], [inputs_of(), inputs_of()])
    stored = json.loads(json.dumps(curves.as_record(shape)))
    again = curves.from_record(PRELU, "layer", stored)
    for field in ("x", "initial", "learned", "counts", "edges", "change"):
        np.testing.assert_allclose(
            getattr(again, field), getattr(shape, field), rtol=1e-6, atol=1e-6
        )


def test_the_headline_names_the_most_and_the_least():
    start, moved = {"alpha": jnp.float32(0.25)}, {"alpha": jnp.float32(0.75)}
    still, far = (
        curves.shape_of(PRELU, f"ActivationLayer_{k}", start, [after], [inputs_of()])
        for k, after in enumerate((start, moved))
    )
    told = figures.headline({"prelu": [still, far], "srs": [still]})
    assert told == (
        f"prelu moves most: by {figures.moved(far):.0f} % of its size in layer 1; srs least: by "
        "0.0 % at most"
    )
