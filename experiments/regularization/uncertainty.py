"""The uncertainty of networks with dropout about images unlike any they have seen.

For `experiments.regularization`: the spread of predictions over dropout masks (Monte Carlo dropout)
on images of the seen kind, the same turned by 90 degrees, and noise.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import jax
import numpy as np
from jax import Array
from scipy import stats

from experiments.regularization.runs import Learned, pixels
from jaxact import models
from jaxact.inference import monte_carlo
from jaxact.runs.setup import Setup

MASKS_SEED = 1
MOST_IMAGES = 200  # of each kind
TURNED = "turned by 90°"
# By what an image of another kind is told: names of the figures.
SPREAD, ONE_PASS = "AUROC, spread", "AUROC, 1 - greatest probability of one pass"


class Uncertainty(NamedTuple):
    """The uncertainty of a network with dropout about one kind of images.

    Attributes:
      accuracy: of one pass without dropout, and of the mean over masks; of noise without meaning.
      spreads: of the predicted class's probability over masks, one an image.
      unsure: 1 - the greatest probability of one pass without dropout, one an image.
    """

    accuracy: tuple[float, float]
    spreads: np.ndarray
    unsure: np.ndarray


def ask(setup: Setup, run: Learned, masks: int) -> dict[str, Uncertainty]:
    """Predictions with dropout for test images, the same turned by 90 degrees, and noise."""
    test = setup.evaluations["test"]
    labels = np.asarray(test.labels).ravel()
    is_real = labels >= 0
    images = np.asarray(test.images).reshape(-1, *test.images.shape[2:])[is_real][:MOST_IMAGES]
    noise = np.random.default_rng(MASKS_SEED).integers(0, 256, images.shape, np.uint8)
    predict = predictor(cast(Any, setup.model), masks)
    kinds = {"seen kind": images, TURNED: np.rot90(images, axes=(1, 2)), "noise": noise}
    found = {}
    for kind, shown in kinds.items():
        (mean, deviation), once = jax.device_get(predict(run.last, pixels(setup, shown)))
        chosen = mean.argmax(-1)
        right = labels[is_real][:MOST_IMAGES]
        found[kind] = Uncertainty(
            accuracy=(float((once.argmax(-1) == right).mean()), float((chosen == right).mean())),
            spreads=np.take_along_axis(deviation, chosen[:, None], -1)[:, 0],
            unsure=1 - once.max(-1),
        )
    return found


@functools.cache
def predictor(
    model: models.ConvNet, masks: int
) -> Callable[[Mapping[str, Any], Array], tuple[monte_carlo.Prediction, Array]]:
    """The compiled prediction with dropout, and in one pass without, of class probabilities."""

    def predict(
        variables: Mapping[str, Any], images: Array
    ) -> tuple[monte_carlo.Prediction, Array]:
        key = jax.random.key(MASKS_SEED)
        sampled = monte_carlo.predict(model, variables, images, key, masks)
        return sampled, jax.nn.softmax(models.predict(model, variables, images))

    return jax.jit(predict)


def separation(known: np.ndarray, unknown: np.ndarray) -> float:
    """The probability that an unknown image has the greater value (AUROC); ties count half."""
    pairs = len(known) * len(unknown)
    result = stats.mannwhitneyu(unknown, known)  # of a class that scipy 1.18 makes as it runs
    return float(result.statistic) / pairs  # pyright: ignore[reportAttributeAccessIssue]


def summarize(of_form: Sequence[Mapping[str, Uncertainty]]) -> dict[str, Any]:
    """Medians over seeds: accuracy, spread by kind of images, and how well it tells them."""
    known, *others = of_form[0]

    def median(values: Sequence[float]) -> float:
        return float(np.median(values))

    return {
        "accuracy, one pass": median([seed[known].accuracy[0] for seed in of_form]),
        "accuracy, mean over masks": median([seed[known].accuracy[1] for seed in of_form]),
        "spread": {
            kind: median([float(np.median(seed[kind].spreads)) for seed in of_form])
            for kind in of_form[0]
        },
        SPREAD: {
            kind: median([separation(seed[known].spreads, seed[kind].spreads) for seed in of_form])
            for kind in others
        },
        ONE_PASS: {
            kind: median([separation(seed[known].unsure, seed[kind].unsure) for seed in of_form])
            for kind in others
        },
    }


def in_words(unseen: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The answer's sentences on Monte Carlo dropout."""
    sentences = []
    for form, found in unseen.items():
        spreads = ", ".join(f"{value:.3f} ({kind})" for kind, value in found["spread"].items())
        known = found[ONE_PASS]
        told = ", ".join(
            f"{kind} {value:.2f} ({known[kind]:.2f} by one pass's greatest probability)"
            for kind, value in found[SPREAD].items()
        )
        sentences.append(
            f"Monte Carlo dropout of {form}: median spread {spreads}; AUROC against images of the "
            f"seen kind: {told}; accuracy {found['accuracy, mean over masks']:.1%}, in one pass "
            f"{found['accuracy, one pass']:.1%}."
        )
    return sentences
