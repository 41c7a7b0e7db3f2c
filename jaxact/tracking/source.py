"""A study, or a single run, as its folder holds it at this moment: only read, whoever writes it."""

import dataclasses
import operator
from pathlib import Path

from jaxact.comparison import study as studies, study_file
from jaxact.comparison.analysis import hidden_seconds
from jaxact.comparison.plan import Plan
from jaxact.comparison.study import DONE, MISSING, STUDY, Study
from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.runs.process import shared_machine
from jaxact.runs.records import record_files

TABLE, REPORT = "table.md", "report.html"  # what a comparison writes at its end


@dataclasses.dataclass(frozen=True)
class Source:
    """The study or run in a folder.

    Attributes:
      workdir: the folder.
      study: its runs, each up to its last epoch; of a single run, a study of one.
      drawn: the study without the seconds that say little.
      is_study: whether the folder is a comparison's; else a run's.
      is_drawn: whether its table, and its report if there can be one, were as new as `study.json`.
    """

    workdir: Path
    study: Study
    drawn: Study
    is_study: bool
    is_drawn: bool

    def folder(self, config: Config) -> Path:
        """The folder of a run, which need not be there."""
        return self.workdir / self.study.plan.folder(config) if self.is_study else self.workdir

    @property
    def is_finished(self) -> bool:
        """Whether nothing is to come unless another command is given.

        A comparison may add seeds or rates when all its runs are made, and draws after that.
        """
        return not self.study.with_status(MISSING) and (self.is_drawn or not self.is_study)


class Reader:
    """Reads a folder again and again; `study.json` only where it has changed.

    Args:
      workdir: of a comparison or of a run.
    """

    def __init__(self, workdir: Path):
        self._workdir = workdir
        self._kept: tuple[int, Study] | None = None

    def read(self) -> Source:
        """The folder as it is now.

        Raises:
          ConfigError: it holds neither a comparison nor a run, or a file is damaged.
        """
        is_study = (self._workdir / STUDY).exists()
        if not is_study and not (self._workdir / record_files.CONFIG).exists():
            raise ConfigError(
                f"{self._workdir} holds neither {STUDY} nor {record_files.CONFIG}: give the "
                "--workdir of a comparison, or of a run, that has begun"
            )
        study = self._comparison() if is_study else _single(self._workdir)
        last = REPORT if study.with_status(DONE) else TABLE
        times = (modified_ns(self._workdir / name) for name in (STUDY, last))
        is_drawn = is_study and operator.le(*times)  # told once: it is drawn at any moment
        return Source(self._workdir, study, _without_seconds(study), is_study, is_drawn)

    def _comparison(self) -> Study:
        """The study, its runs at hand up to their last epochs."""
        saved = modified_ns(self._workdir / STUDY)
        if self._kept is None or self._kept[0] != saved:
            self._kept = saved, studies.load(self._workdir)
        study = self._kept[1]
        if study.plan.elsewhere is not None:
            return study
        runs = tuple(
            studies.read_run(self._workdir, study.plan, config) if run.status == MISSING else run
            for config, run in zip(study.plan.runs(), study.runs, strict=True)
        )
        return dataclasses.replace(study, runs=runs)


def modified_ns(path: Path) -> int:
    """When a file was last written, in nanoseconds since 1970; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _without_seconds(study: Study) -> Study:
    """The study as it may be drawn, also of its runs that have not ended."""
    study = hidden_seconds.without_seconds(study)
    runs = (
        hidden_seconds.untimed(run)
        if run.status == MISSING and shared_machine.is_marked(run.environment)
        else run
        for run in study.runs
    )
    return dataclasses.replace(study, runs=tuple(runs))


def _single(workdir: Path) -> Study:
    """A run's folder as a study of one."""
    path = workdir / record_files.CONFIG
    stored = record_files.read_json(path)
    if fault := study_file.CONFIG(stored, ""):
        raise ConfigError(f"{path} is not a run's, or damaged: {fault}; give another WORKDIR")
    names = {field.name for field in dataclasses.fields(Config)}
    config = Config(**{name: value for name, value in stored.items() if name in names})
    plan = Plan(
        config=config,
        datasets=(config.dataset,),
        learning_rates=(config.learning_rate,),
        activations=(config.activation,),
        seeds=1,
        baseline=config.activation,
    )
    return Study(plan, (studies.read_folder(workdir, config),))
