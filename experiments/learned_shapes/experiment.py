"""python -m experiments.learned_shapes [--sharing=layer|channel] [--activations=SPEC,...]

The shapes that training gives to activations with parameters: the small CNN is trained with each of
the registry's, and every layer's curve is drawn before and after, over the inputs that the layer
really gets. ReLU is trained beside them, with the same seeds. About a minute on 2 cores, most of it
compilation, which a second time takes no time.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.common import outcomes, training_options, trials
from experiments.common.side_by_side import side_by_side
from experiments.common.trials import Trial
from experiments.learned_shapes.curves import Shape, as_record, shapes_of
from jaxact import activations, data
from jaxact.activations import Activation
from jaxact.command import Option, Options
from jaxact.comparison.options import split_specs
from jaxact.errors import ConfigError
from jaxact.presentation import numbers

BASELINE = "relu"
PROBE = 256  # training images at most, whose inputs to the activations are shown
FEWEST_SEEDS = 5  # that a ranking takes
LEARNABLE = tuple(name for name in activations.names() if activations.get(name).params)

COMMAND = outcomes.command(
    "learned_shapes",
    "Shows what training makes of activations with learnable parameters.",
    training_options.shared(
        train_examples=None, model="small_cnn", epochs=3, learning_rate=3e-3, seeds=2
    )
    | {
        "activations": Option(",".join(LEARNABLE), "specs"),
        "sharing": Option("layer", "parameters of a layer or a channel"),
    },
    "--sharing=channel",
    "--activations='prelu,pau,apl' --dataset=mnist --epochs=2",
)


def parameter_cells(activation: Activation, name: str, shape: Shape) -> tuple[Any, Any]:
    """A parameter before and after: a number and its spread, or medians of all coefficients.

    Spreads and medians are over seeds, and over channels if each has its own.
    """
    start = np.atleast_1d(activation.params[name])
    after = shape.after[name]
    if np.ndim(activation.params[name]) == 0:
        return float(start[0]), outcomes.spread(after.ravel())
    by_coefficient = np.moveaxis(after, 1, 0).reshape(len(start), -1)
    medians = np.median(by_coefficient, 1)
    return ", ".join(map(numbers.number, start)), ", ".join(map(numbers.number, medians))


def rows_of(
    activation: Activation, shapes: Sequence[Shape], done: Sequence[Trial], base: Sequence[Trial]
) -> list[dict[str, Any]]:
    """A row for each layer and parameter; the accuracy stands in the first."""
    rows: list[dict[str, Any]] = []
    for shape in shapes:
        for name in activation.params:
            before, after = parameter_cells(activation, name, shape)
            rows.append(
                {
                    "activation": activation.spec,
                    "layer": shape.layer.removeprefix("ActivationLayer_"),
                    "parameter": name,
                    "before": before,
                    "after": after,
                    "change of f (%)": outcomes.spread(shape.change, 100),
                }
            )
    rows = rows or [{"activation": activation.spec}]  # of one that diverged with every seed
    rows[0]["test accuracy (%)"] = outcomes.spread(accuracies(done), 100)
    rows[0][f"against {BASELINE} (points)"] = outcomes.spread(gains(done, base), 100)
    rows[0]["diverged"] = sum(not trial.is_finite for trial in done)
    return rows


def accuracies(done: Sequence[Trial]) -> list[float]:
    """Test accuracies, from 0 to 1; nan where training diverged."""
    return [trial.test_accuracy if trial.is_finite else math.nan for trial in done]


def gains(done: Sequence[Trial], base: Sequence[Trial]) -> list[float]:
    """Test accuracy above the baseline's with the same seed; nan where either diverged."""
    return np.subtract(accuracies(done), accuracies(base)).tolist()


def answer(
    learned: Mapping[str, Sequence[Shape]],
    gained: Mapping[str, Sequence[float]],
    base: Sequence[Trial],
) -> str:
    """The answer: which shapes moved, and what came of it."""
    medians = {
        spec: 100 * float(np.nanmedian(values))
        for spec, values in gained.items()
        if not np.isnan(values).all()
    }
    changes = {
        (spec, shape.layer): 100 * float(np.median(shape.change))
        for spec, shapes in learned.items()
        for shape in shapes
    }
    if not medians:
        return f"training diverged with all learnable activations, or with {BASELINE}."
    relu = 100 * float(np.nanmedian(accuracies(base)))
    most = max(changes, key=changes.__getitem__)
    least = min(changes, key=changes.__getitem__)
    best, worst = max(medians, key=medians.__getitem__), min(medians, key=medians.__getitem__)
    above = sum(value > 0 for value in medians.values())
    few = ", too few to rank them" if len(base) < FEWEST_SEEDS else ""
    return (
        f"the function moves most in {most[0]}, {most[1]} ({changes[most]:.0f} % of its size over "
        f"the inputs), least in {least[0]}, {least[1]} ({changes[least]:.1f} %). "
        f"{above} of {len(gained)} end above {BASELINE}'s {relu:.1f} % test accuracy, from "
        f"{best} ({medians[best]:+.1f} points) to {worst} ({medians[worst]:+.1f}); medians of "
        f"{len(base)} seeds{few}."
    )


def perform(options: Options) -> outcomes.Outcome:
    """Trains with every activation and looks at what became of it.

    Raises:
      ConfigError, DataError: before anything is trained.
    """
    chosen = [activations.get(spec) for spec in split_specs(options.activations)]
    for activation in chosen:
        if not activation.params or not activation.elementwise:
            raise ConfigError(
                f"--activations: {activation.spec} learns no curve; one of {', '.join(LEARNABLE)}"
            )
    if options.sharing not in ("layer", "channel"):
        raise ConfigError(f"--sharing={options.sharing} must be layer or channel")
    prepared = [
        trials.prepare(
            trials.config_of(
                options,
                PROBE,
                activation=spec,
                activation_sharing=options.sharing,
            )
        )
        for spec in (BASELINE, *(activation.spec for activation in chosen))
    ]
    base, *others = side_by_side(
        lambda of: [of.run(seed) for seed in range(options.seeds)], prepared
    )
    learned, gained, rows = {}, {}, []
    for activation, of, done in zip(chosen, prepared[1:], others, strict=True):
        learned[activation.spec] = shapes_of(of, done)
        gained[activation.spec] = gains(done, base)
        rows += rows_of(activation, learned[activation.spec], done, base)
    rows.append(
        {
            "activation": BASELINE,
            "test accuracy (%)": outcomes.spread(accuracies(base), 100),
            "diverged": sum(not trial.is_finite for trial in base),
        }
    )
    where = f"{data.title(options.dataset)}, small_cnn, {options.epochs} epochs"
    return outcomes.Outcome(
        title=f"Learned activations, parameters of each {options.sharing}: {where}",
        claim="a network can learn the shape of its activations, each layer its own",
        source="He et al. 2015, arXiv:1502.01852; Manessi and Rozza 2018, arXiv:1801.09403; "
        "overview of activation functions",
        answer=answer(learned, gained, base),
        settings={
            "dataset": options.dataset,
            "train_examples": options.train_examples,
            "epochs": options.epochs,
            "learning_rate": options.learning_rate,
            "sharing": options.sharing,
            "activations": list(learned),
            "seeds": options.seeds,
            "optimizer": "adam",
            "probe_images": prepared[0].setup.config.health_examples,
        },
        rows=rows,
        details={
            "test_accuracy": {
                of.setup.activation.spec: accuracies(done)
                for of, done in zip(prepared, (base, *others), strict=True)
            },
            "learned": {
                spec: {shape.layer: as_record(shape) for shape in shapes}
                for spec, shapes in learned.items()
            },
        },
    )
