"""python -m experiments.relu_against_tanh [--dataset=cifar10 --train_examples=N] ...

How many epochs a four-layer CNN takes to a training error of 25 %, without regularisation, with
each activation at its own best learning rate: Krizhevsky et al. 2012, figure 1, where ReLU takes a
sixth of the epochs of tanh. Under a minute on the embedded digits; on 1,000 images of CIFAR-10
some minutes on 2 cores.

The learning rate is chosen on a seed of its own; the seeds compared are paired. The training error
is measured several times an epoch on a fixed sample of the training images, and the crossing lies
on a straight line between two measurements, so that epochs are fractions.
"""

import math
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from experiments.common import outcomes, training_options
from experiments.common.side_by_side import side_by_side
from experiments.relu_against_tanh import time_to_error
from experiments.relu_against_tanh.time_to_error import OPTIMIZERS, Choice, Course, Measured, Trace
from jaxact import data, models
from jaxact.command import Option, Options
from jaxact.comparison import options
from jaxact.config import Config
from jaxact.errors import ConfigError

CLAIM = 6.0  # epochs of tanh over those of ReLU
TUNING_SEED = 1_000_000  # none of those compared
HORIZON = 1.25  # curves go on so much longer than the slowest takes to the target
RATES = {"sgd": "0.01,0.03,0.1,0.3,1", "adam": "0.0003,0.001,0.003,0.01"}


COMMAND = outcomes.command(
    "relu_against_tanh",
    "Epochs to a training error with ReLU and tanh, each at its own best learning rate.",
    training_options.shared(
        train_examples=None, model="four_layer_cnn", epochs=40, batch_size=128, seeds=5
    )
    | {
        "activations": Option("relu,tanh", "specs"),
        "baseline": Option(None, "what ratios are to; relu, or the first, if not given", str),
        "optimizer": Option("sgd", "one", tuple(OPTIMIZERS)),
        "learning_rates": Option(None, f"to choose from; of sgd {RATES['sgd']}, if not given", str),
        "kernel_init": Option("torch_default", "one", tuple(models.KERNEL_INITIALIZERS)),
        "target_error": Option(25.0, "percent"),
        "measurements": Option(5, "an epoch"),
    },
    "--dataset=cifar10 --train_examples=1000 --batch_size=32 --seeds=3",
    "--activations=relu,tanh,elu,swish --optimizer=adam",
)


def config_of(chosen: Options, spec: str) -> Config:
    """The configuration of an activation's runs: no augmentation, dropout or weight decay.

    Raises:
      ConfigError: names the option, its value and what is allowed.
    """
    if chosen.measurements < 1:
        raise ConfigError(f"--measurements={chosen.measurements} must be a whole number from 1")
    if not 0 < chosen.target_error < 100:
        raise ConfigError(f"--target_error={chosen.target_error} must be a percentage below 100")
    return training_options.config_of(
        chosen, activation=spec, augmentation="none", dropout_rate=0.0
    )


def perform(chosen: Options) -> outcomes.Outcome:
    """Measures as the options say.

    Raises:
      ConfigError, DataError: an option is wrong, or the data cannot be had.
    """
    specs = options.split_specs(chosen.activations)
    baseline = options.choose_baseline(chosen.baseline, specs)
    texts = chosen.learning_rates or RATES[chosen.optimizer]
    rates = options.split_values("learning_rates", texts, "learning_rate", float)
    measured = measure(chosen, specs, rates)
    ratios = {
        spec: paired_ratios(known.epochs, measured[baseline].epochs)
        for spec, known in measured.items()
    }
    return outcomes.Outcome(
        title=f"Epochs to {chosen.target_error:g} % training error: {chosen.model} on "
        f"{data.title(chosen.dataset)}",
        claim=f"a four-layer CNN with ReLU reaches 25 % training error on CIFAR-10 {CLAIM:g} times "
        "faster than with tanh",
        source="Krizhevsky et al. 2012, figure 1",
        answer=answer(chosen, measured, ratios, baseline),
        settings={
            **training_options.settings(chosen),
            "learning_rates": rates,
            "baseline": baseline,
            "tuning_seed": TUNING_SEED,
        },
        rows=[
            {
                "activation": spec,
                "learning rate": known.choice.learning_rate,
                "epochs to target": outcomes.spread(known.epochs, miss="never"),
                "reached": f"{np.isfinite(known.epochs).sum()}/{len(known.epochs)}",
                f"to {baseline}": None
                if spec == baseline
                else outcomes.spread(ratios[spec], miss="never"),
                "claimed": CLAIM if (spec, baseline) == ("tanh", "relu") else None,
            }
            for spec, known in measured.items()
        ],
        details={
            "runs": {
                spec: {
                    "epochs_of_rates": known.choice.epochs,
                    "epochs_to_target": known.epochs,
                    "ratios": ratios[spec],
                    "traces": [trace._asdict() for trace in known.traces],
                }
                for spec, known in measured.items()
            }
        },
    )


def measure(chosen: Options, specs: Sequence[str], rates: Sequence[float]) -> dict[str, Measured]:
    """Chooses each activation's learning rate, and then trains all seeds with it."""
    target, most = chosen.target_error / 100, float(chosen.epochs)

    def choose(spec: str) -> tuple[Course, Choice]:
        course = time_to_error.prepare(
            config_of(chosen, spec), chosen.optimizer, chosen.measurements
        )
        say(f"{spec}: choosing among {len(rates)} learning rates")
        return course, time_to_error.choose_rate(course, rates, TUNING_SEED, target, most)

    tuned = dict(zip(specs, side_by_side(choose, specs), strict=True))
    slowest = [choice.epochs[choice.learning_rate] or math.inf for _, choice in tuned.values()]
    horizon = min(HORIZON * max(slowest), most)

    def goes_on(trace: Trace) -> bool:
        limit = horizon if time_to_error.has_reached(trace, target) else most
        return trace.epochs[-1] < limit

    def train(spec: str) -> Measured:
        course, choice = tuned[spec]
        say(f"{spec}: {chosen.seeds} seeds at learning rate {choice.learning_rate:g}")
        traces = [
            time_to_error.train(course, choice.learning_rate, seed, goes_on)
            for seed in range(chosen.seeds)
        ]
        epochs = [time_to_error.epochs_to(trace, target) for trace in traces]
        return Measured(choice, traces, epochs)

    return dict(zip(specs, side_by_side(train, specs), strict=True))


def say(text: str) -> None:
    print(text, file=sys.stderr)


def paired_ratios(epochs: Sequence[float], of_baseline: Sequence[float]) -> list[float]:
    """Seed by seed; inf where only the baseline reached the target, nan where neither did."""
    return [
        math.nan if math.isinf(ours) and math.isinf(theirs) else ours / theirs
        for ours, theirs in zip(epochs, of_baseline, strict=True)
    ]


def answer(
    chosen: Options,
    measured: Mapping[str, Measured],
    ratios: Mapping[str, Sequence[float]],
    baseline: str,
) -> str:
    """The answer in words: ratios to the baseline, misses, and grids that were too narrow."""
    parts = [
        compared(spec, baseline, ratios[spec], measured[baseline].epochs, chosen.epochs)
        for spec in measured
        if spec != baseline
    ]
    for spec, known in measured.items():
        if known.choice.is_at_the_edge:
            parts.append(
                f"the best learning rate of {spec}, {known.choice.learning_rate:g}, is at the edge "
                "of those tried"
            )
    if not parts:
        epochs = measured[baseline].epochs
        middle, missed = float(np.median(epochs)), sum(map(math.isinf, epochs))
        found = f"took {middle:.2g} epochs" if math.isfinite(middle) else "missed the target"
        parts = [
            f"{baseline} {found}" + (f" (missed by {missed} of {len(epochs)})" if missed else "")
        ]
    return "; ".join(parts) + f" ({chosen.optimizer}, {chosen.dataset})."


def compared(
    spec: str,
    baseline: str,
    ratios: Sequence[float],
    of_baseline: Sequence[float],
    most_epochs: int,
) -> str:
    """The epochs of an activation in those of the baseline, in words.

    Args:
      ratios: by seed, see `paired_ratios`.
      of_baseline: epochs of the baseline.
    """
    known = [ratio for ratio in ratios if not math.isnan(ratio)]
    if not known:
        return f"neither {spec} nor {baseline} reached the target"
    low, middle, high = min(known), float(np.median(known)), max(known)
    times = f"{middle:.2g} times ({low:.2g} to {high:.2g} over {len(known)} seeds)"
    if math.isinf(high):
        missed = sum(map(math.isinf, known))
        least = most_epochs / max(filter(math.isfinite, of_baseline))
        times = f"over {least:.2g} times (never within {most_epochs} in {missed} seeds)"
    claimed = f", where {CLAIM:g} are claimed" if (spec, baseline) == ("tanh", "relu") else ""
    return f"{spec} took {times} the epochs of {baseline}{claimed}"
