"""The command that shows a study, or a run, in MLflow, Weights & Biases or Trackio."""

import contextlib
import importlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import jax

from jaxact import paths
from jaxact.command import Command, Option, Options
from jaxact.errors import ConfigError
from jaxact.presentation.numbers import count
from jaxact.runs.process.signals import stop_on_signals
from jaxact.tracking import pages
from jaxact.tracking.source import Reader, Source
from jaxact.tracking.tracker import Tracker, TrackingError, Update, updates

# Each library's module and class here; the module imports it.
TRACKERS = {
    "mlflow": ("to_mlflow", "ToMlflow"),
    "wandb": ("to_wandb", "ToWandb"),
    "trackio": ("to_trackio", "ToTrackio"),
}
PROJECT = "jaxact"
LOWEST_PRIORITY = 19  # of a process, as `nice` counts

COMMAND = Command(
    "python -m experiments.track",
    """\
Shows a comparison, or a single run, in MLflow, Weights & Biases or Trackio: its configuration, the
figures of each epoch, its results, the report and its figures. It reads the folder alone, after the
runs or while they are made, takes no lock, and leaves the processor to them. Given again, it adds
what is new and repeats nothing.""",
    {
        "to": Option(None, "the library, an extra of jaxact", tuple(TRACKERS)),
        "project": Option(
            None,
            "MLflow's experiment, or the project of the others; by the library's own variable "
            f"(MLFLOW_EXPERIMENT_NAME, WANDB_PROJECT, TRACKIO_PROJECT), else {PROJECT}, if not "
            "given",
            str,
        ),
        "uri": Option(
            None,
            "of MLflow's server or store, of a W&B server, or a Space of Trackio; by the library's "
            "own variable (MLFLOW_TRACKING_URI, WANDB_BASE_URL, TRACKIO_SPACE_ID), else its own "
            "default, if not given",
            str,
        ),
        "entity": Option(None, "of W&B; by WANDB_ENTITY, else one's own, if not given", str),
        "follow": Option(
            False, "goes on until the comparison, or the run, is finished, report and all"
        ),
        "every_seconds": Option(30.0, "with --follow: between two looks at the folder", least=1),
    },
    arguments=("WORKDIR",),
    examples=(
        "runs/mine --to=mlflow --uri=sqlite:///mlflow.db",
        "runs/mine --to=mlflow --uri=http://127.0.0.1:5000 --follow",
        "runs/mine --to=wandb --project=activations",
    ),
)


def track(options: Options) -> None:
    """Brings a tracker up to date with a folder, once or until nothing more is to come.

    Raises:
      ConfigError: the folder holds nothing to track, an option is wrong, or a package is missing.
      TrackingError: the tracker cannot be reached, or refuses. With --follow it is told, and tried
        again.
      Interrupted: with --follow, by SIGTERM or SIGINT.
    """
    reader = Reader(Path(paths.local(options.workdir, "WORKDIR")))
    source = reader.read()
    step_aside()
    tracker = create(options.to, options.uri, options.project, options.entity)
    if not options.follow:
        with updates(tracker) as current:
            tell(current.bring(pages.of(source)), source, tracker)
        return
    how_to_go_on = "what was tracked stays, and the same command goes on"
    with stop_on_signals() as stop, contextlib.ExitStack() as stack:
        current, ended = stack.enter_context(updates(tracker)), {}
        while True:
            with stop.nothing_to_save(how_to_go_on):
                source = reader.read()
            try:
                tell(current.bring(pages.of(source, ended)), source, tracker)
                if source.is_finished:
                    return
            except TrackingError as error:
                print(f"tried again in {options.every_seconds:g} s: {error}", file=sys.stderr)
            with stop.nothing_to_save(how_to_go_on):
                time.sleep(options.every_seconds)


def create(name: str | None, uri: str | None, project: str | None, entity: str | None) -> Tracker:
    """The tracker of a library.

    Args:
      name: of TRACKERS.
      uri, project, entity: where to; None: as the library itself would choose.

    Raises:
      ConfigError: an option is wrong, or the library is not installed.
      TrackingError: it cannot be reached.
    """
    if name is None:
        raise ConfigError(f"--to is not given; it must be one of {', '.join(TRACKERS)}")
    if entity is not None and name != "wandb":
        raise ConfigError(f"--entity={entity} is of --to=wandb; leave it out with --to={name}")
    file, kind = TRACKERS[name]
    module = importlib.import_module(f"jaxact.tracking.{file}")
    project = project or os.environ.get(module.PROJECT_VARIABLE) or PROJECT
    more: dict[str, Any] = {"entity": entity} if name == "wandb" else {}
    return getattr(module, kind)(uri, project, **more)


def step_aside() -> None:
    """Leaves the processor, and every accelerator, to the runs that may be at work beside this."""
    jax.config.update("jax_platforms", "cpu")
    if hasattr(os, "nice"):  # no Windows
        os.nice(LOWEST_PRIORITY - os.nice(0))


def tell(update: Update, source: Source, tracker: Tracker) -> None:
    """Prints what was added, if anything was, or that nothing had to be."""
    if update.pages or source.is_finished:
        added = (
            f"{count(update.epochs, 'epoch')} and {count(update.files, 'file')} added to "
            f"{count(update.pages, 'page')}, {update.new_pages} of them new"
            if update.pages
            else "all of it is there already"
        )
        print(f"{source.workdir}: {added}: {tracker.place}", flush=True)
