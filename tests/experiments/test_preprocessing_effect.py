"""The preprocessing experiment: planted curves in words, pictures, and a tiny run."""

import math

import numpy as np

from experiments.common import headlines
from experiments.common.history import History
from experiments.preprocessing import experiment, figures
from jaxact import statistics
from tests.support.experiments import drawn, perform


def histories_reaching(epoch, runs=6, end=0.02):
    """Runs that are above the target until an epoch, and far below from then on."""
    return [
        History(None, [0.5] * (epoch - 1) + [end] * (11 - epoch), [1.0] * 10,  # pyright: ignore[reportArgumentType]
              list(np.arange(1.0, 11.0)), True)
        for _ in range(runs)
    ]  # fmt: skip


def described(found):
    tests = {
        figure: {
            test.name: test
            for test in statistics.compare({n: f[figure] for n, f in found.items()}, "mean_std")
        }
        for figure in ("epochs", "error")
    }
    return tests, experiment.in_words(found, tests, 0.95)


def test_what_was_planted_is_said():
    learned = {
        "none": histories_reaching(9),
        "mean_std": histories_reaching(4),
        "zca_whitening": histories_reaching(2, end=0.04),
    }
    found = {name: experiment.figures_of(of, 0.95) for name, of in learned.items()}
    tests, words = described(found)
    assert "first zca_whitening (2 epochs, 4.00 % error), last none (9 epochs, 2.00 %" in words
    assert "2 of 2 that centre the pixels were sooner than none" in words
    assert "in epochs: none (later), zca_whitening (sooner)" not in words  # p is 0.06 with 6 pairs
    row = experiment.as_row("zca_whitening", found["zca_whitening"], 0.5, tests)
    assert row["epochs to target"] == [2, 2, 2]
    assert row["epochs more, p"] == "-2, 0.062"
    assert row["points more, p"] == "+2, 0.062"
    assert row["reached"] == "6/6"


def test_a_difference_seen_in_every_one_of_eight_seeds_is_significant():
    learned = {
        "none": histories_reaching(9, runs=8),
        "mean_std": histories_reaching(4, runs=8),
        "zca_whitening": histories_reaching(2, runs=8),
    }
    found = {name: experiment.figures_of(of, 0.95) for name, of in learned.items()}
    assert (
        "in epochs: none (later), zca_whitening (sooner); in error: nothing" in described(found)[1]
    )


def test_a_target_never_reached_is_said_and_is_no_number():
    learned = {"mean_std": histories_reaching(4), "none": histories_reaching(10)}
    learned["none"] = [one._replace(errors=[0.5] * 10) for one in learned["none"]]
    found = {name: experiment.figures_of(of, 0.95) for name, of in learned.items()}
    tests, words = described(found)
    assert "last none (never, 50.00 % error)" in words
    row = experiment.as_row("none", found["none"], 0.5, tests)
    assert (row["reached"], row["epochs to target"]) == ("0/6", None)
    assert row["epochs more, p"] == "never, 0.031"
    assert all(math.isinf(value) for value in found["none"]["epochs"])


def test_in_a_picture_0_is_grey_and_the_reach_is_white():
    values = np.array([-3.0, -1.5, 0.0, 1.5, 3.0, 9.0]).reshape(1, 2, 3)
    picture = figures.as_picture(values, 3.0)
    assert picture.ravel().tolist() == [0, 0.25, 0.5, 0.75, 1, 1]
    assert figures.as_picture(values[..., :1], 3.0).shape == (1, 2, 3)
    assert (figures.as_picture(np.zeros((2, 2, 1)), 0.0) == 0.5).all()


def test_a_tiny_run_gives_its_outcome():
    words = ["--preprocessings=mean_std,pca_whitening", "--train_examples=64", "--test_examples=30"]
    words += ["--model=thin_cnn", "--epochs=1", "--seeds=1", "--batch_size=32"]
    outcome = perform(experiment, *words)
    drawings = drawn(experiment, outcome)
    assert set(drawings) == {"images", "learning"}
    told = headlines.told(drawings["learning"])
    assert told.startswith("To 93 % test accuracy, not decided")
    assert set(outcome.details["runs"]) == {"mean_std", "pca_whitening"}
    assert outcome.settings["baseline"] == "mean_std"
    assert outcome.answer.startswith("To 93 % test accuracy")
