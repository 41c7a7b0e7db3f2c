"""`jaxact.fit`: one training run from Python."""

import dataclasses
import os
import shutil
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxact.api import arguments, views
from jaxact.api.arguments import Base
from jaxact.api.words import for_python
from jaxact.compilation import compiler
from jaxact.inference.network import Network
from jaxact.packages import needed_for
from jaxact.runs import fit as runs_fit
from jaxact.runs.load import load
from jaxact.runs.process import determinism, devices
from jaxact.runs.records import record_files

if TYPE_CHECKING:
    import pandas  # pyright: ignore[reportMissingImports]


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A run that has been trained.

    Attributes:
      workdir: its folder, as `jaxact.runs.records.record_files` says.
      summary: as in `summary.json`: `run.summary["error_percent"]`.
    """

    workdir: Path
    summary: Mapping[str, Any]

    def load(self) -> Network:
        """The trained network, to be called with images."""
        return load(self.workdir)

    def curves(self) -> "pandas.DataFrame":
        """A row an epoch, with the figures of `metrics.jsonl`."""
        with needed_for("a frame"):
            import pandas  # pyright: ignore[reportMissingImports]
        return pandas.DataFrame(record_files.read_rows(self.workdir / record_files.METRICS))

    def __repr__(self) -> str:
        summary = self.summary
        return (
            f"Run({summary['model']} on {summary['dataset']} with {summary['activation']}, seed "
            f"{summary['seed']}: test accuracy {summary['test_accuracy']:.2%} after "
            f"{summary['epochs_trained']} epochs, in {self.workdir})"
        )


def fit(
    config: Base = None,
    workdir: str | os.PathLike[str] | None = None,
    *,
    progress: bool = True,
    **fields: Any,
) -> Run:
    """Trains one network with one activation, or goes on with a run that was interrupted.

    What `python -m jaxact.main` does.

    Args:
      config: a `jaxact.Config`, a mapping, or a file such as "configs/mnist.py:paper"; None: the
        defaults.
      workdir: folder of the run; None: a temporary one, which goes with what is returned.
      progress: whether to show it.
      **fields: of the configuration, in place of its own. `activation` may be a function, `dataset`
        arrays, as for `jaxact.compare`.

    Raises:
      ConfigError, DataError: before anything is written.
      NonFiniteLossError: the last checkpoint is kept.
      KeyboardInterrupt: on Ctrl-C, once a checkpoint has been saved.
    """
    with (
        for_python(),
        arguments.checked(config, fields) as checked,
        compiler.kept(compiler.default_folder()),
        arguments.folder(workdir) as place,
        arguments.stop_on_interrupt() as stop,
    ):
        determinism.ask(checked.deterministic)
        devices.start()
        summary = runs_fit.fit(checked, place, follow=views.of_run(progress), stop=stop)
    run = Run(place, summary)
    if workdir is None:
        weakref.finalize(run, shutil.rmtree, place, ignore_errors=True)
    return run
