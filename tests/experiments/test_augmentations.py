"""The augmentation experiment: planted errors in words, the sheet's draws, and a tiny run."""

import numpy as np
import pytest

from experiments.augmentations import experiment, figures
from experiments.augmentations.experiment import VIEWS
from jaxact import statistics
from jaxact.data.transforms.augmentation import AUGMENTATIONS
from tests.support.experiments import drawn, perform


def planted(**means):
    """Errors of seven seeds about a mean, the same noise for all; views differ by given steps."""
    noise = 0.001 * np.arange(-3, 4)
    return {
        name: {
            view: (mean + step + noise).tolist()
            for view, step in zip(VIEWS, (0.0, -0.01, 0.02), strict=True)
        }
        for name, mean in means.items()
    }


def test_what_was_planted_is_said():
    errors = planted(none=0.10, rotate=0.05, flip=0.20)
    plain = {name: of_name[VIEWS[0]] for name, of_name in errors.items()}
    tests = {test.name: test for test in statistics.compare(plain, "none")}
    words = experiment.in_words(errors, tests)
    assert "none: 10.00 %" in words
    assert "1 of 2 were lower, 1 of them significantly" in words
    assert "lowest rotate with 5.00 %, the highest flip with 20.00 %" in words
    assert "five crops lowered the error of 3 of 3 and changed it by -1.00 points" in words
    assert "ten crops lowered the error of 0 of 3 and changed it by +2.00 points" in words
    row = experiment.as_row("rotate", errors["rotate"], tests["rotate"])
    assert row["points more than the first"] == pytest.approx(-5)
    assert row["p"] == pytest.approx(2 / 64)


def test_the_sheet_shows_draws_that_differ_from_the_original():
    images = figures.photographs()
    assert (images.shape, images.dtype) == ((2, 64, 64, 3), np.uint8)
    for name in ("crop", "flip", "rotate", "pca_color", "mixup"):  # amounts, and what they need
        text, draws = figures.drawn(name, images, draws=4)
        assert text.startswith(f"{name}(amount=")
        assert draws.shape == (4, 64, 64, 3)
        changed = [(draw != images[0]).any() for draw in draws]
        # A coin may fall so that there is no flip, and a photograph be its own partner.
        assert any(changed) if name in ("flip", "mixup") else all(changed)


def test_a_tiny_run_gives_its_outcome(monkeypatch):
    two = {name: AUGMENTATIONS[name] for name in ("flip", "crop")}
    monkeypatch.setattr(figures, "AUGMENTATIONS", two)  # the rows of the sheet
    words = ["--augmentations=none;flip,crop", "--train_examples=64", "--test_examples=30"]
    words += ["--model=thin_cnn", "--epochs=1", "--seeds=1", "--batch_size=32"]
    outcome = perform(experiment, *words)
    assert set(drawn(experiment, outcome)) == {"sheet", "errors"}
    assert set(outcome.details["errors"]) == {"none", "flip,crop"}
    assert len(outcome.rows) == 2
    assert "Mean test error of none" in outcome.answer
