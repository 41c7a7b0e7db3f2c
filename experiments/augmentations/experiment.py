"""The effect of each augmentation on images, and on the error of a network trained with it.

    python -m experiments.augmentations

Draws a sheet of every augmentation, several draws each; trains the small CNN on few images with
each alone, and with the geometric ones together; and classifies the test images of each network as
they are, as five crops, and as five crops and their mirror images (probabilities averaged). About
50 s on 2 cores. `--dataset=cifar10 --train_examples=2000` does it on photographs.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import jax
import numpy as np
from jax import Array

from experiments.common import history, outcomes, training_options
from experiments.common.history import History
from experiments.common.side_by_side import side_by_side
from jaxact import data, models, statistics
from jaxact.command import Option, Options
from jaxact.data.transforms.augmentation import AUGMENTATIONS
from jaxact.errors import ConfigError
from jaxact.inference.ten_crops import average_probabilities, ten_crops
from jaxact.presentation.tables import Row
from jaxact.runs.setup import Setup, prepare

NONE = "none"
TOGETHER = "translate,rotate,stretch,shear"
DEFAULT = ";".join([NONE, *AUGMENTATIONS, TOGETHER])
AS_THEY_ARE = "as they are"
VIEWS = (AS_THEY_ARE, "five crops", "ten crops")


COMMAND = outcomes.command(
    "augmentations",
    "Draws every augmentation, and tells what each does to the test error.",
    training_options.shared(
        train_examples=200, test_examples=None, model="small_cnn", epochs=15, batch_size=50, seeds=3
    )
    | {
        "augmentations": Option(
            DEFAULT,
            "texts as config.augmentation takes them, separated by semicolons: each alone, and the "
            "geometric ones together",
        ),
        "padding": Option(2, "pixels of black about crops"),
    },
    "--augmentations='none;rotate(amount=30);flip,mixup' --seeds=5",
    "--dataset=cifar10 --train_examples=2000 --test_examples=2000",
)


def chosen(text: str) -> list[str]:
    """The augmentations to compare; the first is what the others are compared with.

    Raises:
      ConfigError: one is wrong, or stands twice.
    """
    names = [word.strip() for word in text.split(";") if word.strip()]
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"--augmentations={text!r} must name one or more, each once")
    for name in names:
        try:
            data.parse_augmentation(name)
        except ConfigError as error:
            raise ConfigError(f"--augmentations: {error}") from error
    return names


def errors_of_views(setup: Setup, trained: History, padding: int) -> dict[str, float]:
    """Share of the test images classified wrongly, by how they are looked at."""
    batches = setup.evaluations["test"]
    images = batches.images.reshape(-1, *batches.images.shape[2:])
    labels = np.asarray(batches.labels).ravel()
    real = labels >= 0
    classify = _classifier(cast(Any, setup.model), padding)
    votes = classify(trained.state.evaluated, images, batches.preprocessing)
    return {
        name: float((np.asarray(vote) != labels)[real].mean())
        for name, vote in zip(VIEWS, votes, strict=True)
    }


@functools.cache
def _classifier(model: models.ConvNet, padding: int) -> Callable[..., tuple[Array, ...]]:
    """Compiled once for all networks of a model: the classes by each of `VIEWS`."""

    def classify(
        variables: Any, images: Array, preprocessing: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        def logits_of(view: Array) -> Array:
            return models.predict(model, variables, data.normalize(view, *preprocessing))

        votes = [
            logits_of(images),
            average_probabilities(logits_of, ten_crops(images, padding, flips=False)),
            average_probabilities(logits_of, ten_crops(images, padding)),
        ]
        return tuple(vote.argmax(-1) for vote in votes)

    return jax.jit(classify)


def as_row(
    name: str, errors: Mapping[str, Sequence[float]], test: statistics.Comparison | None
) -> Row:
    """One augmentation: errors in percent as median and quartiles, and against none."""
    row: dict[str, Any] = {"augmentation": name}
    for view in VIEWS:
        row[f"error %, {view}"] = outcomes.spread(errors[view], unit=100)
    row["points more than the first"] = None if test is None else 100 * test.difference.value
    row["p"] = None if test is None or np.isnan(test.p_value) else test.corrected_p_value
    return row


def in_words(errors: Mapping[str, Mapping[str, Sequence[float]]], tests: Mapping[str, Any]) -> str:
    """The answer, also where it contradicts the claim."""
    plain = {name: 100 * float(np.mean(of_name[VIEWS[0]])) for name, of_name in errors.items()}
    first, *others = plain
    better = [name for name in others if plain[name] < plain[first]]
    sentences = [f"Mean test error of {first}: {plain[first]:.2f} %."]
    if others:
        best, worst = min(others, key=plain.__getitem__), max(others, key=plain.__getitem__)
        significant = [name for name in better if tests[name].significant]
        sentences.append(
            f"{len(better)} of {len(others)} were lower, {len(significant)} of them significantly "
            f"(so many comparisons need {statistics.fewest_seeds(len(others))} seeds or more); "
            f"the lowest {best} with {plain[best]:.2f} %, the highest {worst} with "
            f"{plain[worst]:.2f} %."
        )
    for view in VIEWS[1:]:
        change = [
            100 * float(np.mean(of_name[view])) - plain[name] for name, of_name in errors.items()
        ]
        lower = sum(c < 0 for c in change)
        sentences.append(
            f"Averaging {view} lowered the error of {lower} of {len(change)} and changed it by "
            f"{np.mean(change):+.2f} points on average."
        )
    return " ".join(sentences)


def perform(options: Options) -> outcomes.Outcome:
    """Trains, classifies, draws and tells.

    Raises:
      ConfigError, DataError: an option is wrong, or the data cannot be had.
    """
    names = chosen(options.augmentations)
    if not 0 <= options.padding <= 16:
        raise ConfigError(f"--padding={options.padding} must be a whole number from 0 to 16")
    config = training_options.config_of(options)
    setups = {name: prepare(dataclasses.replace(config, augmentation=name)) for name in names}

    def measure(setup: Setup) -> dict[str, list[float]]:
        seeds = [
            errors_of_views(setup, history.train(setup, seed), options.padding)
            for seed in range(options.seeds)
        ]
        return {view: [of_seed[view] for of_seed in seeds] for view in VIEWS}

    errors = dict(zip(names, side_by_side(measure, setups.values()), strict=True))
    plain = {name: of_name[VIEWS[0]] for name, of_name in errors.items()}
    tests = {test.name: test for test in statistics.compare(plain, names[0])}
    title = data.title(options.dataset)
    return outcomes.Outcome(
        title=f"Augmentation, {options.train_examples or 'all'} training images of {title}",
        claim="random flips, crops, colour changes, affine changes, lens distortion and mixup act "
        "against overfitting, and so does averaging ten crops at test time",
        source="Stanford CS231n, training neural networks; Krizhevsky et al. 2012, section 4.1",
        answer=in_words(errors, tests),
        settings=training_options.settings(options),
        rows=[as_row(name, errors[name], tests.get(name)) for name in names],
        details={"errors": errors},
    )
