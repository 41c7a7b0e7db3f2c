"""Overfitting on few images, and what is done against it.

    python -m experiments.regularization

Trains the small CNN on a few images, a fifth of their labels wrong (`--wrong_labels=0`: none), so
that there is something to learn by heart that is of no use: with nothing against overfitting, then
with L2, L1, both (elastic net), decoupled weight decay, dropout of channels, dropout of elements,
and the multi-class hinge loss, all from the same starts and in the same order; early stopping is
read off the runs. The networks with dropout then classify test images and images unlike any they
have seen, with many dropout masks each. About 50 s on 2 cores.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.common import outcomes, training_options
from experiments.common.side_by_side import side_by_side
from experiments.regularization import runs, uncertainty
from experiments.regularization.runs import Learned
from jaxact import data, models
from jaxact.command import Option, Options
from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.presentation.tables import Row
from jaxact.runs.setup import Setup, prepare

NONE, HINGE, STOPPED = "none", "hinge loss", "early stopping"
FORMS = tuple(models.DROPOUTS)


COMMAND = outcomes.command(
    "regularization",
    "Shows overfitting on few images, and what each remedy does against it.",
    training_options.shared(
        train_examples=200,
        test_examples=None,
        model="small_cnn",
        epochs=30,
        seeds=3,
        learning_rate=1e-3,
    )
    | {
        "wrong_labels": Option(0.2, "share of training and validation labels that are wrong"),
        "l2": Option(3e-3, "factor of sum w^2"),
        "l1": Option(3e-4, "factor of sum |w|"),
        "weight_decay": Option(1.0, "decoupled"),
        "dropout_rate": Option(0.5, "of both forms"),
        "early_stopping_epochs": Option(5, "patience"),
        "masks": Option(50, "of Monte Carlo dropout"),
    },
    "--seeds=5",
    "--dataset=mnist --train_examples=1000 --test_examples=2000",
)


def base_config(options: Options) -> Config:
    """The configuration without anything against overfitting.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    if options.masks < 1:
        raise ConfigError(f"--masks={options.masks} must be a whole number from 1")
    if not 0 <= options.wrong_labels < 1:
        raise ConfigError(f"--wrong_labels={options.wrong_labels} must be from 0 to below 1")
    plain = {"l1": 0.0, "l2": 0.0, "weight_decay": 0.0, "dropout_rate": 0.0}
    return training_options.config_of(
        options,
        **plain,
        early_stopping_epochs=None,
        eval_split="validation",
        augmentation="none",
        batch_size=min(32, options.train_examples),
    )


def variants(options: Options) -> dict[str, dict[str, Any]]:
    """The changes of each run to the configuration, by label."""
    return {
        NONE: {},
        "L2": {"l2": options.l2},
        "L1": {"l1": options.l1},
        "elastic net": {"l1": options.l1, "l2": options.l2},
        "weight decay": {"weight_decay": options.weight_decay},
        **{
            f"dropout, {form}": {"dropout": form, "dropout_rate": options.dropout_rate}
            for form in FORMS
        },
        HINGE: {"loss": "hinge"},
    }


def perform(options: Options) -> outcomes.Outcome:
    """Trains, measures and tells.

    Raises:
      ConfigError, DataError: an option is wrong, or the data cannot be had.
    """
    base, changes = base_config(options), variants(options)
    setups = {
        label: runs.with_wrong_labels(
            prepare(dataclasses.replace(base, **change)), options.wrong_labels
        )
        for label, change in changes.items()
    }

    def learn(setup: Setup) -> list[Learned]:
        return [
            runs.learn(setup.with_seed(seed), options.early_stopping_epochs)
            for seed in range(options.seeds)
        ]

    learned = dict(zip(setups, side_by_side(learn, setups.values()), strict=True))
    asked = {
        form: [
            uncertainty.ask(setups[f"dropout, {form}"], run, options.masks)
            for run in learned[f"dropout, {form}"]
        ]
        for form in FORMS
    }
    table = {label: ends(of_label) for label, of_label in learned.items()}
    table[STOPPED] = ends(learned[NONE], stopped=True)
    unseen = {form: uncertainty.summarize(of_form) for form, of_form in asked.items()}
    return outcomes.Outcome(
        title=(
            f"Overfitting on {options.train_examples} images of {data.title(options.dataset)}, "
            f"{options.wrong_labels:.0%} of their labels wrong"
        ),
        claim="early stopping, L2, L1, the elastic net and dropout act against overfitting",
        source="Stanford CS231n, lecture on training neural networks",
        answer=" ".join([*what_was_found(table), *uncertainty.in_words(unseen)]),
        settings=training_options.settings(options),
        rows=[as_row(label, values, table[NONE]) for label, values in table.items()],
        details={
            "runs": {
                label: [{"best_epoch": run.best_epoch, "rows": run.rows} for run in of_label]
                for label, of_label in learned.items()
            },
            "monte_carlo": unseen,
        },
    )


def ends(of_label: Sequence[Learned], stopped: bool = False) -> dict[str, list[float]]:
    """The ends of runs, by heading, one number a seed.

    Args:
      stopped: whether they end where early stopping ends them.
    """
    rows = [run.rows[run.best_epoch - 1 if stopped else -1] for run in of_label]
    lowest = [min(row["test_loss"] for row in run.rows) for run in of_label]
    kept = [run.best if stopped else run.last for run in of_label]
    return {
        "train error (%)": [100 * row["train_error"] for row in rows],
        "test error (%)": [100 * row["test_error"] for row in rows],
        "gap (points)": [100 * (row["test_error"] - row["train_error"]) for row in rows],
        "test loss / its lowest": [
            row["test_loss"] / low for row, low in zip(rows, lowest, strict=True)
        ],
        "weights near 0 (%)": [100 * runs.near_zero_share(run["params"]) for run in kept],
        "epoch": [row["epoch"] for row in rows],
    }


def as_row(
    label: str, values: Mapping[str, Sequence[float]], plain: Mapping[str, Sequence[float]]
) -> Row:
    """A row of the table; differences to the runs without anything are taken seed by seed."""
    test = "test error (%)"
    differences = np.subtract(values[test], plain[test]).tolist()
    cells = {name: outcomes.spread(of_seeds) for name, of_seeds in values.items()}
    change = None if label == NONE else outcomes.spread(differences)
    return {"against overfitting": label, **cells, f"test error - {NONE}": change}


def what_was_found(table: Mapping[str, Mapping[str, Sequence[float]]]) -> list[str]:
    """The answer's sentences on overfitting."""
    test, zero = "test error (%)", "weights near 0 (%)"
    middle = {
        label: {name: float(np.median(values)) for name, values in of_label.items()}
        for label, of_label in table.items()
    }
    plain = middle[NONE]
    others = [label for label in table if label != NONE]
    changes = {label: np.subtract(table[label][test], table[NONE][test]) for label in others}
    always = [label for label in others if (changes[label] < 0).all()]
    never = [label for label in others if (changes[label] >= 0).all()]
    best = min(others, key=lambda label: middle[label][test])
    stopped = middle[STOPPED]
    return [
        f"With nothing against it, the training error ends at {plain['train error (%)']:.1f} % and "
        f"the test error at {plain[test]:.1f} %, at a test loss "
        f"{plain['test loss / its lowest']:.2f} times its lowest.",
        f"Test error is lower in every seed with {listed(always)}; in none with {listed(never)};"
        f" lowest with {best} ({middle[best][test]:.1f} %).",
        f"Early stopping ends at epoch {stopped['epoch']:g} with {stopped[test]:.1f} % and a loss "
        f"{stopped['test loss / its lowest']:.2f} times the lowest.",
        f"L1 leaves {middle['L1'][zero]:.0f} % of the weights within {runs.NEAR_ZERO} of zero, L2 "
        f"{middle['L2'][zero]:.0f} %, nothing {plain[zero]:.0f} %.",
    ]


def listed(labels: Sequence[str]) -> str:
    """Labels in a sentence."""
    return ", ".join(labels) or "none of them"
