"""The playground: its problems, its training of many runs at once, and what the table says."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.common import headlines
from experiments.playground import experiment, figures as drawing_of, findings, training
from experiments.playground.findings import Cell
from experiments.playground.problems import LARGEST_NOISE, PROBLEMS, RADIUS, Points, Problem, draw
from experiments.playground.training import Recipe
from jaxact import activations
from tests.support.experiments import drawn, perform

WORDS = ["--problems=gaussians,xor", "--activations=prelu,linear", "--seeds=3", "--epochs=150"]
WORDS += ["--target_loss=0.02", "--hold=3", "--hidden=3,2"]
RECIPE = experiment.recipe_of(experiment.COMMAND.parse(WORDS))
SEEDS = (0, 1, 2, 0, 1, 2)


def of(name, seeds):
    return [draw(name, seed, noise=0.0) for seed in seeds]


PLACES = [*of("gaussians", range(3)), *of("xor", range(3))]


def both(problem):
    return np.concatenate([problem.train.places, problem.test.places]), np.concatenate(
        [problem.train.labels, problem.test.labels]
    )


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("noise", [0.0, LARGEST_NOISE])
def test_points_are_drawn_by_their_seed(name, noise):
    first, again, other = draw(name, 3, noise=noise), draw(name, 3, noise=noise), draw(name, 4)
    np.testing.assert_array_equal(first.train.places, again.train.places)
    np.testing.assert_array_equal(first.test.labels, again.test.labels)
    assert not np.array_equal(first.train.places, other.train.places)
    assert len(first.train.labels) == len(first.test.labels) == 250
    places, labels = both(first)
    assert places.dtype == labels.dtype == np.float32
    assert set(labels) == {-1, 1}
    assert len(np.unique(places, axis=0)) > 490  # no point is in both halves but at the origin


@pytest.mark.parametrize("name", PROBLEMS)
def test_classes_have_half_each_and_are_mixed(name):
    problem = draw(name, 0)
    _, labels = both(problem)
    assert labels.sum() == 0
    assert abs(problem.train.labels.sum()) < 60


def test_labels_without_noise_are_the_geometry():
    places, labels = both(draw("circles", 1))
    radius = np.linalg.norm(places, axis=1)
    np.testing.assert_array_equal(labels, np.where(radius < 3, 1, -1))
    assert radius[labels == 1].max() <= 0.5 * RADIUS
    assert radius[labels == -1].min() >= 0.7 * RADIUS - 1e-5

    places, labels = both(draw("xor", 1))
    np.testing.assert_array_equal(labels, np.sign(places[:, 0] * places[:, 1]))
    assert np.abs(places).min() >= 0.3 - 1e-6

    places, labels = both(draw("gaussians", 1))
    for label in (-1, 1):
        cloud = places[labels == label]
        np.testing.assert_allclose(cloud.mean(axis=0), 2 * label, atol=0.2)
        np.testing.assert_allclose(cloud.var(axis=0), 0.5, rtol=0.3)


def test_the_arms_of_the_spiral_are_half_a_turn_apart():
    places, labels = both(draw("spiral", 1))
    first, second = (places[labels == label] for label in (1, -1))
    along, turned = (arm[np.argsort(np.linalg.norm(arm, axis=1))] for arm in (first, second))
    np.testing.assert_allclose(along, -turned, atol=1e-5)
    radius = np.linalg.norm(first, axis=1)
    angle = np.arctan2(first[:, 0], first[:, 1]) % (2 * np.pi)
    np.testing.assert_allclose(
        np.cos(angle[radius > 0.1]),
        np.cos(1.75 * 2 * np.pi * radius / RADIUS)[radius > 0.1],
        atol=1e-3,
    )


def test_noise_makes_labels_wrong_and_clouds_wide():
    places, labels = both(draw("xor", 0, noise=LARGEST_NOISE))
    wrong = labels != np.sign(places[:, 0] * places[:, 1])
    assert 0.05 < wrong.mean() < 0.5
    places, labels = both(draw("gaussians", 0, noise=LARGEST_NOISE))
    np.testing.assert_allclose(places[labels == 1].var(axis=0), 4, rtol=0.3)


@pytest.fixture(scope="module")
def outcome():
    return perform(experiment, *WORDS)


def train(spec, problems, seeds=SEEDS):
    """Trains six runs, as `outcome` does: by its programs."""
    return training.train(activations.get(spec), RECIPE, problems, seeds)


@pytest.fixture(scope="module")
def learned():
    """Six PReLU networks, three of a separable problem, three of another."""
    return train("prelu", PLACES)


def test_a_separable_problem_is_solved(learned):
    tests = training.stacked([problem.test for problem in PLACES])
    accuracies = training.accuracy(activations.get("prelu"), learned.params, tests)
    assert learned.converged[:3].all()
    assert accuracies[:3].min() > 0.97


def test_a_run_ends_once_its_loss_has_held(learned):
    for losses, epoch in zip(learned.losses[:3], learned.converged, strict=False):
        seen = losses[~np.isnan(losses)]
        assert epoch > 1
        assert len(seen) == epoch + RECIPE.hold - 1
        assert (seen[-RECIPE.hold :] <= RECIPE.target_loss).all()
        assert seen[epoch - 2] > RECIPE.target_loss
    points = training.stacked([problem.train for problem in PLACES])
    kept = losses_of(activations.get("prelu"), learned.params, points)
    last = [losses[~np.isnan(losses)][-1] for losses in learned.losses]
    np.testing.assert_allclose(kept, last, rtol=1e-4)


@functools.partial(jax.jit, static_argnums=0)
def losses_of(activation, params, points):
    return jax.vmap(functools.partial(training.mean_loss, activation))(params, points)


def test_a_linear_net_cannot_solve_exclusive_or_and_what_is_not_finite_is_a_miss():
    problems = of("xor", range(6))
    far = Points(np.full_like(problems[5].train.places, np.nan), problems[5].train.labels)
    trained = train("linear", [*problems[:5], Problem(far, problems[5].test)])
    assert not trained.converged.any()
    assert np.nanmin(trained.losses) > 0.3
    assert np.isfinite(trained.losses[:5]).all()
    assert np.isnan(trained.losses[5]).all()
    tests = training.stacked([problem.test for problem in problems])
    accuracies = training.accuracy(activations.get("linear"), trained.params, tests)
    assert accuracies[:5].max() < 0.75


def test_an_epoch_is_gradient_descent_on_batch_means_in_each_of_many_runs():
    """A loss that comes to the target too late to hold it has not converged, too."""
    activation = activations.get("prelu")
    recipe = Recipe(epochs=1, batch_size=125, target_loss=10.0)
    problems, seeds = [*of("circles", (0, 1)), *of("xor", (0,))], (5, 6, 5)
    trained = training.train(activation, recipe, problems, seeds)

    @jax.jit
    @jax.grad
    def slopes_at(params, places, labels):
        x = places
        for layer in params:
            x = x @ layer["kernel"] + layer["bias"]
            x = (
                jnp.where(x > 0, x, layer["activation"]["alpha"] * x)
                if "activation" in layer
                else x
            )
        return jnp.mean((jnp.tanh(x[:, 0]) - labels) ** 2) / 2

    ends = []
    for problem, seed in zip(problems, seeds, strict=True):
        params = initial_params(seed, activation, recipe.hidden)
        for start in (0, 125):
            batch = (array[start : start + 125] for array in problem.train)
            slopes = jax.device_get(slopes_at(params, *batch))
            params = jax.tree.map(lambda p, g: p - np.float32(0.03) * g, params, slopes)
        ends.append(params)
    expected = jax.tree.map(lambda *leaves: np.stack(leaves), *ends)
    for got, wanted in zip(jax.tree.leaves(trained.params), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)
    points = training.stacked([problem.train for problem in problems])
    losses = losses_of(activation, expected, points)
    np.testing.assert_allclose(trained.losses[:, 0], losses, rtol=1e-5)
    assert not trained.converged.any()


def test_weights_begin_alike_with_every_activation_that_learns_nothing_itself():
    first = initial_params(1, activations.get("prelu"), (4, 2))
    other = initial_params(1, activations.get("relu"), (4, 2))
    for one, same in zip(first, other, strict=True):
        np.testing.assert_array_equal(one["kernel"], same["kernel"])


def initial_params(seed, activation, hidden):
    return jax.device_get(training.initial_params(jax.random.key(seed), activation, hidden))


def cell(*epochs, accuracy=1.0):
    count = len(epochs)
    return Cell(
        converged=np.array(epochs, float),
        accuracies=np.full(count, accuracy),
        losses=findings.losses_of(np.full((count, 3), 0.1)),
        shown=0,
        params=[],
    )


def test_misses_count_as_more_than_the_most():
    never = math.inf
    cells = {
        ("xor", "relu"): cell(10, 20, 30, 40, never, 60),
        ("xor", "tanh"): cell(50, never, never, never, 70, never),
    }
    relu, tanh = findings.rows(cells, Recipe(epochs=100))
    assert (relu["converged"], tanh["converged"]) == ("5/6", "2/6")
    assert relu["epochs, median (interval)"].startswith("35 (10 to > 100")
    assert tanh["epochs, median (interval)"].startswith("> 100")
    assert relu["tutorial's epochs"] == "about 61"
    assert relu["p against relu"] is None
    text = findings.answer(cells, Recipe(epochs=100))
    assert "relu 35 (5/6), tanh > 100 (2/6)" in text
    assert "holds on 1 of the 1 problems" in text


def test_the_answer_contradicts_the_tutorial_where_the_runs_do():
    cells = {
        ("xor", "relu"): cell(90, 90, 90),
        ("xor", "sigmoid"): cell(10, 10, 10),
        ("spiral", "relu"): cell(math.inf, math.inf, math.inf),
        ("spiral", "sigmoid"): cell(math.inf, math.inf, math.inf),
    }
    text = findings.answer(cells, Recipe(epochs=100))
    assert "(relu, sigmoid) holds on 0 of the 1 problems" in text


def test_p_values_are_corrected_over_the_whole_table():
    slow, fast = range(101, 109), range(1, 9)
    one = {("xor", "relu"): cell(*fast), ("xor", "tanh"): cell(*slow)}
    two = one | {("circles", "relu"): cell(*fast), ("circles", "tanh"): cell(*slow)}
    single = findings.corrected_p_values(one, "relu")["xor", "tanh"]
    double = findings.corrected_p_values(two, "relu")["xor", "tanh"]
    assert single == pytest.approx(2 / 2**8)
    assert double == pytest.approx(2 * single)


def test_the_median_run_comes_after_half_of_the_others():
    assert experiment.median_run([math.inf, 7, 3, math.inf, 5]) == 1
    assert experiment.median_run([4.0, 2.0]) == 1


def test_every_problem_meets_every_activation(outcome):
    assert outcome.settings["hidden"] == [3, 2]
    runs = {(run["problem"], run["activation"]): run for run in outcome.details["runs"]}
    assert runs["xor", "linear"]["epochs"] == [None] * 3
    assert len(outcome.rows) == 4
    figures = drawn(experiment, outcome)
    assert set(figures) == {"boundaries", "losses"}
    assert "miss the target on" in headlines.told(figures["losses"])


def test_losses_are_those_of_runs_that_have_ended_too():
    losses = np.array([[0.5, 0.2, np.nan, np.nan], [0.5, 0.4, 0.3, 0.1], [np.nan] * 4])
    found = findings.losses_of(losses)
    assert found["epochs"] == [1, 2, 3, 4]
    assert found["median"] == [0.5, 0.4, 0.3, 0.2]  # of 0.2, 0.1 and a run without any
    assert found["high"][0] == math.inf


def test_the_networks_drawn_are_those_that_were_trained(outcome, learned):
    prelu = activations.get("prelu")
    runs = [run for run in outcome.details["runs"] if run["activation"] == "prelu"]
    assert [run["problem"] for run in runs] == ["gaussians", "xor"]
    for run, first in zip(runs, (0, 3), strict=True):
        one = jax.tree.map(lambda leaf, k=first + run["shown"]: leaf[k], learned.params)
        for stored, layer in zip(run["params"], one, strict=True):
            np.testing.assert_allclose(stored["kernel"], layer["kernel"])
        corner = np.full((1, 2), drawing_of.EDGE, np.float32)
        expected = training.outputs(prelu, one, corner)
        surface = drawing_of.surface(prelu, drawing_of.as_params(run["params"]))
        assert surface[-1, -1] == pytest.approx(float(expected[0]), rel=1e-5)


def test_the_headline_says_where_the_order_holds():
    cells = {
        ("xor", "relu"): cell(9, 9, 9),
        ("xor", "tanh"): cell(20, 20, 20),
        ("gaussians", "relu"): cell(9, 9, 9),
        ("gaussians", "tanh"): cell(4, 4, 4),
        ("spiral", "relu"): cell(math.inf, math.inf, 3),
        ("spiral", "tanh"): cell(math.inf, math.inf, 3),
    }
    assert findings.headline(cells) == (
        "relu sooner than tanh on 1 of 2 problems: xor; most runs miss the target on spiral"
    )
