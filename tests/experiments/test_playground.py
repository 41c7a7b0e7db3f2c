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

SEPARABLE = "gaussians"
QUICK = Recipe(epochs=150, target_loss=0.1, hold=3)


def of(name, seeds):
    return [draw(name, seed, noise=0.0) for seed in seeds]


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


@pytest.mark.parametrize("spec", ["relu", "tanh", "sigmoid"])
def test_a_separable_problem_is_solved(spec):
    problems = of(SEPARABLE, range(4))
    activation = activations.get(spec)
    trained = training.train(activation, QUICK, problems, range(4))
    assert (trained.converged > 0).sum() >= 3  # a net of two ReLU may start dead
    accuracies = training.accuracy(
        activation, trained.params, training.stacked([problem.test for problem in problems])
    )
    assert accuracies[trained.converged > 0].min() > 0.97


def test_a_linear_net_cannot_solve_exclusive_or():
    problems = of("xor", range(3))
    linear = activations.get("linear")
    trained = training.train(linear, QUICK, problems, range(3))
    assert not trained.converged.any()
    assert np.nanmin(trained.losses) > 0.3
    tests = training.stacked([problem.test for problem in problems])
    assert training.accuracy(linear, trained.params, tests).max() < 0.75


@pytest.mark.parametrize("spec", ["tanh", "prelu"])
def test_a_run_is_the_same_alone_and_among_others(spec):
    activation = activations.get(spec)
    recipe = Recipe(epochs=12, target_loss=1e-6)
    problems = [*of("xor", (0, 1)), *of("circles", (0, 1))]
    together = training.train(activation, recipe, problems, (0, 1, 0, 1))
    alone = training.train(activation, recipe, problems[3:], (1,))
    np.testing.assert_allclose(together.losses[3], alone.losses[0], rtol=1e-4)
    for many, one in zip(
        jax.tree.leaves(together.params), jax.tree.leaves(alone.params), strict=True
    ):
        np.testing.assert_allclose(many[3], one[0], rtol=1e-3, atol=1e-4)
    # weights begin alike on every problem, and with every activation that learns nothing itself
    first = initial_params(1, activation, (4, 2))
    other = initial_params(1, activations.get("relu"), (4, 2))
    for k in range(3):
        np.testing.assert_array_equal(first[k]["kernel"], other[k]["kernel"])


def test_an_epoch_is_gradient_descent_on_batch_means():
    activation, recipe = activations.get("tanh"), Recipe(epochs=1, batch_size=125, target_loss=1e-6)
    (problem,) = of("circles", (0,))
    trained = training.train(activation, recipe, [problem], (5,))

    def loss(params, batch):
        x = batch.places
        for layer in params:
            x = jnp.tanh(x @ layer["kernel"] + layer["bias"])
        return jnp.mean((x[:, 0] - batch.labels) ** 2) / 2

    slopes_at = jax.jit(jax.grad(loss))
    params = initial_params(5, activation, recipe.hidden)
    for start in (0, 125):
        batch = Points(*(array[start : start + 125] for array in problem.train))
        slopes = jax.device_get(slopes_at(params, batch))
        params = jax.tree.map(lambda p, g: p - np.float32(0.03) * g, params, slopes)
    for got, wanted in zip(jax.tree.leaves(trained.params), jax.tree.leaves(params), strict=True):
        np.testing.assert_allclose(got[0], wanted, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(trained.losses[0, 0], loss_of(params, problem.train), rtol=1e-5)


def initial_params(seed, activation, hidden):
    create = functools.partial(training.initial_params, activation=activation, hidden=hidden)
    return jax.device_get(jax.jit(create)(jax.random.key(seed)))


@jax.jit
def loss_of(params, points):
    return training.mean_loss(activations.get("tanh"), params, points)


def test_a_run_ends_once_its_loss_has_held():
    problems, recipe = of(SEPARABLE, range(3)), QUICK._replace(target_loss=0.02)
    trained = training.train(activations.get("tanh"), recipe, problems, range(3))
    for losses, epoch in zip(trained.losses, trained.converged, strict=True):
        seen = losses[~np.isnan(losses)]
        assert epoch > 1
        assert len(seen) == epoch + recipe.hold - 1
        assert (seen[-recipe.hold :] <= recipe.target_loss).all()
        assert seen[epoch - 2] > recipe.target_loss
    kept = jax.vmap(loss_of)(trained.params, training.stacked([p.train for p in problems]))
    last = [losses[~np.isnan(losses)][-1] for losses in trained.losses]
    np.testing.assert_allclose(kept, last, rtol=1e-4)


def test_who_reaches_the_target_too_late_to_hold_it_has_not_converged():
    recipe = QUICK._replace(target_loss=0.02, hold=QUICK.epochs)
    trained = training.train(activations.get("tanh"), recipe, of(SEPARABLE, range(3)), range(3))
    assert (trained.losses[:, -1] <= recipe.target_loss).all()
    assert (trained.losses[:, 0] > recipe.target_loss).all()
    assert not trained.converged.any()


def test_a_run_that_diverges_is_a_miss_and_ends():
    recipe = QUICK._replace(learning_rate=1e38)
    (problem,) = of("circles", (0,))
    far = Points(problem.train.places * np.float32(1e3), problem.train.labels)
    trained = training.train(activations.get("linear"), recipe, [Problem(far, problem.test)], (0,))
    assert trained.converged.tolist() == [0]
    assert np.isnan(trained.losses).all()


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


def test_every_problem_meets_every_activation():
    words = ["--problems=gaussians,xor", "--activations=relu,linear", "--seeds=3"]
    outcome = perform(experiment, *words, "--epochs=40", "--hidden=3")
    assert outcome.settings["hidden"] == [3]
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


def test_the_networks_drawn_are_those_that_were_trained():
    words = ["--problems=xor", "--activations=prelu", "--seeds=2", "--epochs=3"]
    outcome = perform(experiment, *words)
    (run,) = outcome.details["runs"]
    trained = training.train(
        activations.get("prelu"),
        experiment.recipe_of(experiment.COMMAND.parse(words)),
        [draw("xor", seed, experiment.POINTS, 0.0) for seed in range(2)],
        range(2),
    )
    for stored, layer in zip(run["params"], trained.params, strict=True):
        np.testing.assert_allclose(stored["kernel"], layer["kernel"][run["shown"]])
    corner = np.full((1, 2), drawing_of.EDGE, np.float32)
    one = jax.tree.map(lambda leaf: leaf[run["shown"]], trained.params)
    expected = training.outputs(activations.get("prelu"), one, corner)
    surface = drawing_of.surface(activations.get("prelu"), drawing_of.as_params(run["params"]))
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
