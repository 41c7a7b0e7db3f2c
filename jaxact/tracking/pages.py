"""The pages of a tracker: what it shows of each run of a study, and of the study."""

import dataclasses
import math
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jaxact.comparison.analysis import measures
from jaxact.comparison.output.files import FIGURES
from jaxact.comparison.study import DONE, MISSING, STUDY, Row, Run, Study
from jaxact.config import Config
from jaxact.runs.records import record_files
from jaxact.tracking import identity
from jaxact.tracking.source import REPORT, TABLE, Source, modified_ns

RUNNING = "running"  # beside DONE, DIVERGED and FAILED
FILES = (REPORT, TABLE, "table.csv", "table.json", "table.tex", STUDY)
PICTURE, DRAWINGS = ".png", (".png", ".svg", ".pdf")
# What may grow while a run, or a study, stays the same: a tag of the page, that may change.
GROWS = ("epochs",)


class Epoch(NamedTuple):
    """The figures at the end of an epoch.

    Attributes:
      number: from 1.
      step: optimizer steps done.
      unix_seconds: when it was, as far as the records tell.
      figures: by name, each finite; `epoch` is one of them.
    """

    number: int
    step: int
    unix_seconds: float
    figures: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Page:
    """A run, or a study, as a tracker shows it.

    Attributes:
      id: by which it is found again.
      name: `relu/seed0` in a study; else that of the folder.
      study: the name of the study that it is, or is part of; "" of a run by itself.
      parent: the id of the study's page; "" of the study's own, and of a run by itself.
      parameters: of the configuration, by field; they stay what they are.
      tags: words about it, by name; they may change.
      status: RUNNING, or how it ended.
      epochs: those that have ended.
      results: the figures that it ended with, by name; `summary/error_percent`, for one.
      files: to be kept with it, by the names that they get there.
      text: about it, in Markdown; "" for none.
      began, ended: in seconds since 1970, as far as the records tell.
    """

    id: str
    name: str
    study: str
    parent: str
    parameters: Mapping[str, Any]
    tags: Mapping[str, str]
    status: str
    epochs: tuple[Epoch, ...] = ()
    results: Mapping[str, float] = dataclasses.field(default_factory=dict)
    files: Mapping[str, Path] = dataclasses.field(default_factory=dict)
    text: str = ""
    began: float = 0.0
    ended: float = 0.0


Ended = dict[tuple[Any, ...], tuple[Run, Run, Page]]


def of(source: Source, ended: Ended | None = None) -> list[Page]:
    """The page of the study, if it is one, and of each run of which there is something to show.

    Args:
      ended: keeps the pages of runs that have ended from one look at a folder to the next.
    """
    ended = {} if ended is None else ended
    study = source.study
    planned = list(zip(study.plan.runs(), study.runs, source.drawn.runs, strict=True))
    begun = [trio for trio in planned if trio[1].status != MISSING or trio[1].metrics]
    if not begun:
        return []
    if not source.is_study:
        ((config, run, drawn),) = begun
        return [_run_page(source, config, run, drawn, source.workdir.resolve().name)]
    own = identity.of(["study", *_content(begun[0][1])], source.workdir, source.is_finished)
    runs = []
    for config, run, drawn in begun:
        key = tuple(_key(run).values())
        before = ended.get(key)
        if before is None or before[:2] != (run, drawn):
            name = study.plan.folder(config).as_posix()
            before = run, drawn, _run_page(source, config, run, drawn, name, own)
            if run.status != MISSING:
                ended[key] = before
        runs.append(before[2])
    return [_study_page(source, own, min(page.began for page in runs)), *runs]


def _study_page(source: Source, own_id: str, began: float) -> Page:
    study, workdir = source.drawn, source.workdir
    plan, table = study.plan, workdir / TABLE
    config = dataclasses.asdict(plan.config) if plan.elsewhere is None else {}
    varied = ("data_dir", "dataset", "learning_rate", "activation", "seed", *GROWS)
    missing, done = len(study.with_status(MISSING)), len(study.with_status(DONE))
    tags = {
        "activations": ", ".join(plan.activations),
        "baseline": plan.baseline,
        "datasets": ", ".join(map(plan.title, plan.datasets)),
        "learning_rates": ", ".join(f"{rate:g}" for rate in plan.learning_rates),
        "seeds": str(len(plan.shown_seeds)),
        "runs": f"{len(study.runs) - missing} of {len(study.runs)} ended",
        "runs_without_result": str(len(study.runs) - missing - done),
        **{name: str(config[name]) for name in GROWS if name in config},
    }
    name = workdir.resolve().name
    return Page(
        id=own_id,
        name=name,
        study=name,
        parent="",
        parameters={name: value for name, value in config.items() if name not in varied},
        tags=tags,
        status=DONE if source.is_finished else RUNNING,
        results=dict(_averages(study)) if source.is_finished else {},
        files=dict(_files(workdir)) if source.is_drawn else {},
        text=table.read_text(encoding="utf-8") if source.is_drawn else "",
        began=began,
        ended=modified_ns(workdir / STUDY) / 1e9,
    )


def _run_page(
    source: Source, config: Config, run: Run, drawn: Run, name: str, parent: str = ""
) -> Page:
    """The page of a run.

    Args:
      run: as it is; tells it from others.
      drawn: as it may be shown.
      parent: the id of its study's page.
    """
    is_ours, folder = source.study.plan.elsewhere is None, source.folder(config)
    fields = dataclasses.asdict(config) if is_ours else _key(run)
    content = _content(run) if run.metrics or run.summary else [*_content(run), parent]
    rows = drawn.metrics
    ended = (
        modified_ns(folder / record_files.METRICS) or modified_ns(source.workdir / STUDY)
    ) / 1e9
    times = [ended - _wall_seconds(rows[-1]) + _wall_seconds(row) for row in rows]
    tags = {
        "activation": run.activation,
        "dataset": run.dataset,
        "seed": str(run.seed),
        "note": run.note,
        **{name: str(fields[name]) for name in GROWS if name in fields},
        **{f"environment.{name}": str(value) for name, value in run.environment.items()},
    }
    return Page(
        id=identity.of(["run", *content], folder if is_ours else Path(), run.status == DONE),
        name=name,
        study=source.workdir.resolve().name if parent else "",
        parent=parent,
        parameters={k: value for k, value in fields.items() if k not in ("data_dir", *GROWS)},
        tags={name: text for name, text in tags.items() if text},
        status=RUNNING if run.status == MISSING else run.status,
        epochs=tuple(_epochs(drawn, times)),
        results=dict(_numbers(_results(drawn.summary), "summary/")),
        text=run.note,
        began=times[0] - _wall_seconds(rows[0]) if rows else ended,
        ended=ended,
    )


def _content(run: Run) -> list[Any]:
    """The content that tells a run from all others: its name, and the first figures it left."""
    first = run.metrics[0] if run.metrics else dict(run.summary) or None
    return [_key(run), first]


def _key(run: Run) -> dict[str, Any]:
    names = ("dataset", "learning_rate", "activation", "seed")
    return {name: getattr(run, name) for name in names}


def _wall_seconds(row: Row) -> float:
    """Seconds since the run began; 0 where they are not shown."""
    return row.get("wall_seconds") or 0.0


def _epochs(run: Run, times: list[float]) -> Iterator[Epoch]:
    health = {row["epoch"]: dict(_health_numbers(row)) for row in run.health}
    for row, seconds in zip(run.metrics, times, strict=True):
        figures = dict(_numbers(row)) | health.get(row["epoch"], {})
        step = figures.pop("step", row["epoch"])
        yield Epoch(row["epoch"], int(step), seconds, figures)


def _results(summary: Row) -> Row:
    """The figures of a summary, without the fields of the configuration."""
    fields = {field.name for field in dataclasses.fields(Config)}
    return {name: value for name, value in summary.items() if name not in fields}


def _health_numbers(row: Row) -> Iterator[tuple[str, float]]:
    for layer in row["layers"]:
        figures = {name: value for name, value in layer.items() if name not in ("layer", "after")}
        yield from _numbers(figures, f"health/{layer.get('after') or layer['layer']}/")


def _numbers(record: Row, before: str = "") -> Iterator[tuple[str, float]]:
    """The finite numbers of a record, also of records in it, by name; true and false as 1 and 0."""
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{before}{name}/")
        elif isinstance(value, int | float) and math.isfinite(value):
            yield f"{before}{name}", float(value)


def _averages(study: Study) -> Iterator[tuple[str, float]]:
    """The mean error of each activation on each workload, and the share that reached the target."""
    workloads = study.workloads()
    for workload in workloads:
        where = f"{study.workload_title(workload)}/" if len(workloads) > 1 else ""
        for spec in study.plan.activations:
            runs = study.made(workload, spec)
            if done := [run for run in runs if run.status == DONE]:
                error = statistics.mean(map(measures.error_percent, done))
                yield f"{where}{spec}/error_percent", error
            if runs and study.plan.is_timed:
                reached = [bool(run.summary.get("reached_target")) for run in runs]
                yield f"{where}{spec}/reached_target", statistics.mean(reached)


def _files(workdir: Path) -> Iterator[tuple[str, Path]]:
    """The report, the tables and the figures, as far as they are drawn."""
    for name in FILES:
        if (workdir / name).is_file():
            yield name, workdir / name
    folder = workdir / FIGURES
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix in DRAWINGS:
            yield f"{FIGURES}/{path.name}", path
