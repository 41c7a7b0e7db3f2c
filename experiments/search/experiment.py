"""A search for an activation, from its settings to its outcome; see `experiments.search`."""

import contextlib
import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from experiments.common import outcomes
from experiments.search import confirmation, findings, halving
from jaxact import activations, data
from jaxact.comparison.options import split_specs
from jaxact.comparison.plan import folder_name
from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.runs import fit
from jaxact.runs.process.signals import StopRequest, stop_on_signals
from jaxact.runs.progress import RunView
from jaxact.runs.records import lock, record_files, workdirs

if TYPE_CHECKING:
    import optuna

FUNCTIONS = "functions"  # in the journal: fingerprints of one's own, by spec


class Settings(NamedTuple):
    """The extent of a search, beside the configuration.

    Attributes:
      specs: the candidates, in the order in which they are tried.
      pairs: how many pairs to try besides.
      rungs: epochs of each.
      factor: from rung to rung.
      finalists, seeds: of the finals.
      seconds: to spend.
    """

    specs: list[str]
    pairs: int
    rungs: list[int]
    factor: int
    finalists: int
    seeds: int
    seconds: float


def rungs_of(first_epochs: int, factor: int, most: int) -> list[int]:
    """Epochs of each rung: `first_epochs`, times `factor`, and so on, up to `most`.

    Raises:
      ConfigError: the first is beyond it.
    """
    if first_epochs > most:
        raise ConfigError(
            f"--first_epochs={first_epochs} must be at most config.epochs, which is {most}"
        )
    rungs = [first_epochs]
    while rungs[-1] * factor <= most:
        rungs.append(rungs[-1] * factor)
    return rungs


def candidates_of(text: str | None, seed: int) -> list[str]:
    """The specs to try: ReLU first, which all are compared with, then the others in random order.

    Raises:
      ConfigError: a spec is wrong or stands twice.
    """
    if text is None:
        known = [activations.get(name) for name in activations.names()]
        specs = [activation.spec for activation in known if activation.elementwise]
    else:
        specs = split_specs(text)
    others = [spec for spec in specs if spec != confirmation.BASELINE]
    order = np.random.default_rng(seed).permutation(len(others))
    return [confirmation.BASELINE, *(others[k] for k in order)]


def fit_in(workdir: Path, config: Config, most: int, stop: StopRequest) -> halving.Train:
    """Trains as `config` says in folders of `workdir`, a run's own for each spec and seed.

    A rung goes on with the run of the one before. Not so where the learning rate is planned for the
    epochs there are in all: then each rung is a run from its start.

    Args:
      most: epochs of the last rung.
    """

    def train(spec: str, epochs: int, seed: int) -> halving.Trained:
        run = dataclasses.replace(
            config,
            activation=spec,
            epochs=epochs,
            seed=config.seed + seed,
            eval_split="validation",
            latency_samples=0,
            health_examples=0,
            checkpoint_every_epochs=most,
        )
        of_rung = "" if config.learning_rate_schedule == "constant" else f"-{epochs}-epochs"
        folder = workdir / "runs" / folder_name(spec) / f"seed{run.seed}{of_rung}"
        print(f"{spec}, seed {run.seed}: to epoch {epochs} ...", file=sys.stderr, flush=True)
        summary = fit.fit(run, folder, follow=quiet, stop=stop)
        accuracies = [
            row["validation_accuracy"]
            for row in record_files.read_rows(folder / record_files.METRICS)
        ]
        return halving.Trained(accuracies, summary["test_accuracy"])

    return train


class Quiet(RunView):
    """Shows nothing of a run: a search has many."""

    def message(self, text: str) -> None:
        del text

    def after_dispatch(self, step: int, loss: float, images_per_second: float) -> None:
        del step, loss, images_per_second

    def after_epoch(self, row: object, split: str) -> None:
        del row, split


def quiet(epochs: int, steps_per_epoch: int, steps_done: int) -> contextlib.nullcontext[RunView]:
    del epochs, steps_per_epoch, steps_done
    return contextlib.nullcontext(Quiet())


def keep_functions(workdir: Path, study: "optuna.Study", specs: Sequence[str]) -> None:
    """Keeps what one's own functions compute, and refuses one that has changed since it was tried.

    Raises:
      ConfigError: one has, or is wrong.
    """
    stored = study.user_attrs.get(FUNCTIONS, {})
    known = {*stored, *(candidate.activation for candidate in halving.tried(study))}
    functions = {}
    for spec in dict.fromkeys((*specs, *stored)):
        for now in workdirs.function_record(spec).values():
            if spec in known:
                workdirs.check_function(workdir, spec, stored.get(spec), now)
            functions[spec] = stored.get(spec, now)
    if functions != stored:
        study.set_user_attr(FUNCTIONS, functions)


def perform(
    config: Config, settings: Settings, workdir: Path, train: halving.Train | None = None
) -> outcomes.Outcome:
    """Searches within the budget, and says what was found.

    Args:
      train: in place of training, for tests.

    Raises:
      ConfigError, DataError, WorkdirError: no run can be made, or not in this folder.
      Interrupted: by a signal; the same command goes on.
    """
    # What decides a run's accuracy; the rest may grow from one start to the next.
    left_out = ("activation", "eval_split", *config.OF_THE_MACHINE)
    fields = {name: v for name, v in dataclasses.asdict(config).items() if name != "data_dir"}
    question = {name: value for name, value in fields.items() if name not in left_out}
    question |= {"rungs": settings.rungs}
    halving.load_optuna()
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        try:
            workdir.mkdir(parents=True, exist_ok=True)
            stack.enter_context(lock.held(workdir))
            study = halving.open_study(
                workdir, question, settings.rungs[0], settings.factor, config.seed
            )
            keep_functions(workdir, study, settings.specs)
        except OSError as error:
            raise ConfigError(
                f"--workdir={workdir} cannot be written ({error.strerror}); choose another"
            ) from error
        train = train or fit_in(workdir, config, settings.rungs[-1], stop)
        budget = halving.Budget(study, settings.seconds, time.perf_counter)
        halving.enqueue(study, settings.specs)

        def kept() -> float:
            return confirmation.kept_seconds(study, settings.finalists, settings.seeds, budget)

        halving.search(study, settings.rungs, settings.pairs, train, budget, kept)
        finalists = confirmation.choose(halving.tried(study), settings.finalists)
        confirmation.make(study, finalists, settings.rungs[-1], settings.seeds, train, budget)
    made = {spec: runs for spec, runs in confirmation.read(study).items() if spec in finalists}
    tried, waiting = halving.tried(study), halving.waiting(study)
    return outcomes.Outcome(
        title=f"Activation search: {config.model} on {data.title(config.dataset)}",
        claim="no activation is the best for every task: the one for yours can be searched for",
        source="Ramachandran, Zoph and Le 2017, arXiv:1710.05941, from larger searches",
        answer=findings.answer(tried, waiting, settings.rungs, made, settings.seeds),
        settings={**settings._asdict(), "config": fields},
        rows=findings.rows(tried, settings.rungs, made),
        details={
            "winner": confirmation.winner(made),
            "spent_seconds": budget.spent,
            "candidates": [
                {
                    **candidate._asdict(),
                    "by_rung": {str(k): v for k, v in candidate.by_rung.items()},
                }
                for candidate in tried
            ],
            "not_tried": waiting,
            "finalists": finalists,
            "finals": {
                spec: {str(config.seed + seed): run._asdict() for seed, run in runs.items()}
                for spec, runs in made.items()
            },
        },
    )
