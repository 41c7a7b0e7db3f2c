"""The effect of preprocessing images on the time to accuracy and on the test error.

    python -m experiments.preprocessing

Trains the small CNN on the same images in the same order after each preprocessing: none but the
scale to [0, 1]; less the mean of each channel, or of each pixel; less the channels' mean and
divided by their deviation; turned onto the principal components; PCA and ZCA whitening. All are
fitted on the training images. About 50 s on 2 cores; `--dataset=cifar10 --train_examples=5000` does
it on photographs.
"""

import dataclasses
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.common import history, outcomes, training_options
from experiments.common.history import History
from jaxact import data, statistics
from jaxact.command import Option, Options
from jaxact.data.transforms.whitening import EPSILON
from jaxact.errors import ConfigError
from jaxact.presentation.tables import Row
from jaxact.runs.setup import Setup, prepare

BASELINE = "mean_std"
NOT_CENTRED = "none"


COMMAND = outcomes.command(
    "preprocessing",
    "Tells what each preprocessing of images does to the time to accuracy.",
    training_options.shared(
        train_examples=700,
        test_examples=None,
        model="small_cnn",
        epochs=12,
        batch_size=50,
        learning_rate=1e-3,
        seeds=8,
    )
    | {
        "target_accuracy": Option(0.93, "0 to 1"),
        "preprocessings": Option(",".join(data.preprocessings()), "by commas"),
    },
    "--preprocessings=none,mean_std,zca_whitening --learning_rate=3e-4",
    "--dataset=cifar10 --train_examples=5000 --test_examples=2000 --target_accuracy=0.45",
)


def chosen(text: str) -> list[str]:
    """The preprocessings to compare.

    Raises:
      ConfigError: a name is unknown or stands twice, or there is none.
    """
    names = [word.strip() for word in text.split(",") if word.strip()]
    known = data.preprocessings()
    if not names or len(set(names)) < len(names) or not set(names) <= set(known):
        raise ConfigError(
            f"--preprocessings={text!r} must be of {', '.join(known)}, separated by commas, each "
            "once"
        )
    return names


def setups_of(options: Options, names: Sequence[str]) -> dict[str, Setup]:
    """The data after each preprocessing, and what trains on them.

    Raises:
      ConfigError, DataError: an option is wrong, or the data cannot be had.
    """
    config = training_options.config_of(options, augmentation="none")
    return {name: prepare(dataclasses.replace(config, preprocessing=name)) for name in names}


def baseline_of(names: Sequence[str]) -> str:
    """The preprocessing that the others are compared with."""
    return BASELINE if BASELINE in names else names[0]


def figures_of(of_name: Sequence[History], target: float) -> dict[str, list[float]]:
    """The figures of each run of a preprocessing, one number a seed; misses are infinite."""
    return {
        "epochs": [one.epochs_to(target) for one in of_name],
        "seconds": [one.seconds_to(target) for one in of_name],
        "error": [one.errors[-1] for one in of_name],
    }


def as_row(
    name: str, measured: Mapping[str, list[float]], fit_seconds: float, tests: Mapping[str, Any]
) -> Row:
    """One preprocessing: time to the target and error, against the baseline."""
    epochs = measured["epochs"]
    row: dict[str, Any] = {
        "preprocessing": name,
        "reached": f"{sum(map(math.isfinite, epochs))}/{len(epochs)}",
        "epochs to target": outcomes.spread(epochs, miss="never"),
        "train s to target": outcomes.spread(measured["seconds"], miss="never"),
        "test error %": outcomes.spread(measured["error"], unit=100),
        "fit, s": fit_seconds,
    }
    for figure, unit, heading in (("epochs", 1, "epochs"), ("error", 100, "points")):
        row[f"{heading} more, p"] = against_baseline(tests[figure].get(name), unit)
    return row


def against_baseline(test: statistics.Comparison | None, unit: float) -> str | None:
    """The mean difference and its corrected p-value; None for the baseline itself."""
    if test is None:
        return None
    value = test.difference.value * unit
    difference = f"{value:+.3g}" if math.isfinite(value) else "never"
    p_value = test.corrected_p_value
    return difference if math.isnan(p_value) else f"{difference}, {p_value:.2g}"


def in_words(
    found: Mapping[str, Mapping[str, list[float]]],
    tests: Mapping[str, Mapping[str, Any]],
    target: float,
) -> str:
    """The answer, also where it contradicts the claim."""
    baseline = baseline_of(list(found))
    medians = {name: statistics.median(of["epochs"]).value for name, of in found.items()}
    errors = {name: 100 * float(np.mean(of["error"])) for name, of in found.items()}

    def said(name: str) -> str:
        epochs = f"{medians[name]:g} epochs" if math.isfinite(medians[name]) else "never"
        return f"{name} ({epochs}, {errors[name]:.2f} % error)"

    ranked = sorted(found, key=lambda name: (medians[name], errors[name]))
    sentences = [
        f"To {100 * target:g} % test accuracy, median: first {said(ranked[0])}, last "
        f"{said(ranked[-1])}."
    ]
    if NOT_CENTRED in found:
        centred = [name for name in found if name != NOT_CENTRED]
        sooner = [name for name in centred if medians[name] < medians[NOT_CENTRED]]
        sentences.append(
            f"{len(sooner)} of {len(centred)} that centre the pixels were sooner than "
            f"{said(NOT_CENTRED)}."
        )
    different = [
        f"{name} ({'later' if test.difference.value > 0 else 'sooner'})"
        for name, test in tests["epochs"].items()
        if test.significant
    ]
    worse = [
        f"{name} ({'higher' if test.difference.value > 0 else 'lower'})"
        for name, test in tests["error"].items()
        if test.significant
    ]
    sentences.append(
        f"Significantly different from {baseline} (so many comparisons need "
        f"{statistics.fewest_seeds(max(len(found) - 1, 1))} seeds or more) in epochs: "
        f"{', '.join(different) or 'nothing'}; in error: {', '.join(worse) or 'nothing'}."
    )
    return " ".join(sentences)


def fit_seconds(setup: Setup, images: np.ndarray) -> float:
    """The seconds that the fit to the training images takes, once more."""
    begin = time.perf_counter()
    data.fit_preprocessing(setup.config.preprocessing, images)
    return time.perf_counter() - begin


def perform(options: Options) -> outcomes.Outcome:
    """Trains, measures, draws and tells.

    Raises:
      ConfigError, DataError: an option is wrong, or the data cannot be had.
    """
    names = chosen(options.preprocessings)
    found: dict[str, dict[str, list[float]]] = {}
    learned: dict[str, list[History]] = {}
    seconds: dict[str, float] = {}
    images = np.empty(0)
    setups = setups_of(options, names)
    history.compile_side_by_side(list(setups.values()))
    for name, setup in setups.items():
        images = np.asarray(setup.train.images)
        seconds[name] = fit_seconds(setup, images)
        learned[name] = [history.train(setup, seed) for seed in range(options.seeds)]
        found[name] = figures_of(learned[name], options.target_accuracy)
    baseline = baseline_of(names)
    tests = {
        figure: {
            test.name: test
            for test in statistics.compare(
                {name: of_name[figure] for name, of_name in found.items()}, baseline
            )
        }
        for figure in ("epochs", "error")
    }
    title = data.title(options.dataset)
    return outcomes.Outcome(
        title=f"Preprocessing, {len(images)} training images of {title}",
        claim="centred inputs are learned from sooner; of images the mean image, the channels' "
        "mean, or their mean and deviation are used, PCA and whitening being more than is needed",
        source="Stanford CS231n, training neural networks",
        answer=in_words(found, tests, options.target_accuracy),
        settings=training_options.settings(options)
        | {"baseline": baseline, "whitening_epsilon": f"{EPSILON} of the mean variance"},
        rows=[as_row(name, found[name], seconds[name], tests) for name in names],
        details={
            "runs": {
                name: [
                    {"errors": c.errors, "seconds": c.seconds, "is_finite": c.is_finite}
                    for c in of_name
                ]
                for name, of_name in learned.items()
            }
        },
    )
