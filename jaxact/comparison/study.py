"""A comparison as data: what was planned, what each run left, and `study.json`, which holds both.

Everything that is drawn or tabulated starts from a `Study`, so that a table, a figure and the
report can be made again from the folder of a comparison, or from its `study.json` alone.
"""

import dataclasses
import functools
import json
import shlex
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxact.comparison import study_file
from jaxact.comparison.plan import Named, Plan as Plan, folder_name as folder_name
from jaxact.comparison.price import Price
from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.runs.records import lock, record_files, workdirs

STUDY = "study.json"
FORMAT = 1
FUNCTIONS = "activation_fingerprints"

DONE = "done"
DIVERGED = "diverged"  # the loss became NaN or infinite: a miss
FAILED = "failed"  # any other error: a miss that says why
MISSING = "missing"  # not made yet

Row = Mapping[str, Any]

_LEFT_BY_A_KILLED_START = (lock.LOCK, f".{STUDY}.tmp")


@dataclasses.dataclass(frozen=True)
class Run:
    """The records of a run.

    Attributes:
      dataset, learning_rate, activation, seed: which run it is.
      status: DONE, DIVERGED, FAILED or MISSING.
      note: why it is not done, in a line; "" if it is.
      summary: as in `summary.json`; empty unless done.
      metrics: the rows of `metrics.jsonl`, one an epoch.
      health: the rows of `health.jsonl`, one an epoch, `{"epoch": n, "layers": [{"layer": name,
        "dead": share, "saturated": share, "mean": m, "deviation": s, "gradient_norm": g}, ...]}`;
        empty where health was not recorded.
      environment: as in `environment.json`.
      is_timed: whether it shows its seconds; what `jaxact.comparison.analysis.hidden_seconds` gives
        is drawn, and never saved.
    """

    dataset: str
    learning_rate: float
    activation: str
    seed: int
    status: str = MISSING
    note: str = ""
    summary: Row = dataclasses.field(default_factory=dict)
    metrics: tuple[Row, ...] = ()
    health: tuple[Row, ...] = ()
    environment: Row = dataclasses.field(default_factory=dict)
    is_timed: bool = True


@dataclasses.dataclass(frozen=True)
class Workload:
    """A task that activations are compared on: one data set, trained at one rate.

    Attributes:
      learning_rate: None: that which was chosen for each activation.
    """

    dataset: str
    learning_rate: float | None


@dataclasses.dataclass(frozen=True)
class Study:
    """A plan and its runs, in the plan's order.

    Attributes:
      functions: the fingerprints of one's own activations, by spec.
      price: of an hour on the machine, where it is known.
      churn: the disagreement of pairs of runs, `{"dataset": name, "learning_rate": rate,
        "activation": spec, "pairs": [{"seeds": [k, l], "disagreement": share}, ...]}` for each
        activation whose runs kept their predictions (see `jaxact.comparison.analysis.churn`).
    """

    plan: Plan
    runs: tuple[Run, ...]
    functions: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    price: Price | None = None
    churn: tuple[Row, ...] = ()

    def workloads(self) -> list[Workload]:
        """Every data set at every rate; where rates are chosen, at the common and at each own.

        At their own alone, if the plan says so and they are chosen.
        """
        rates: Sequence[float | None] = self.plan.learning_rates
        if self.plan.rate_seeds:
            own = [None] * bool(self.plan.own_rates)
            rates = own if own and self.plan.only_own_rates else [self.plan.common_rate, *own]
        return [Workload(dataset, rate) for dataset in self.plan.datasets for rate in rates]

    def of(self, workload: Workload, activation: str) -> list[Run]:
        """The runs of an activation on a workload, by seed, without those that choose rates.

        All are missing before its rate is chosen.
        """
        rate, seeds = self.rate(workload, activation), self.plan.shown_seeds
        if rate is None:
            rate = self.plan.common_rate  # of runs that are nowhere
            return [Run(workload.dataset, rate, activation, seed) for seed in seeds]
        return list(self._shown.get((workload.dataset, rate, activation), ()))

    @functools.cached_property
    def _shown(self) -> dict[tuple[str, float, str], list[Run]]:
        """The runs that are compared, by data set, rate and activation, in the order of seeds."""
        groups: dict[tuple[str, float, str], list[Run]] = {}
        seeds = {*self.plan.shown_seeds}
        for run in sorted(self.runs, key=lambda run: run.seed):
            if run.seed in seeds:
                groups.setdefault((run.dataset, run.learning_rate, run.activation), []).append(run)
        return groups

    def rate(self, workload: Workload, activation: str) -> float | None:
        """The learning rate of an activation on a workload; None before it is chosen."""
        if workload.learning_rate is not None:
            return workload.learning_rate
        return self.plan.own_rate(workload.dataset, activation)

    def made(self, workload: Workload, activation: str) -> list[Run]:
        """The runs that came to an end of some kind."""
        return [run for run in self.of(workload, activation) if run.status != MISSING]

    def workload_title(self, workload: Workload) -> str:
        """`MNIST, learning rate 0.001`, or what results made elsewhere are called."""
        if self.plan.elsewhere is not None:
            return workload.dataset or self.plan.elsewhere.title
        return f"{self.plan.title(workload.dataset)}, {rate_words(workload)}"

    def title(self, workload: Workload) -> str:
        """The network and its workload: `small_cnn on MNIST, learning rate 0.001`."""
        subject = self.plan.subject(workload.dataset)
        if self.plan.elsewhere is not None:
            return subject
        return f"{subject}, {rate_words(workload)}"

    def with_run(self, run: Run) -> "Study":
        """The study with one of its runs replaced by a newer reading of it."""
        place = self.plan.places[_key(run)]
        return dataclasses.replace(self, runs=(*self.runs[:place], run, *self.runs[place + 1 :]))

    def with_status(self, *statuses: str) -> list[Run]:
        return [run for run in self.runs if run.status in statuses]

    def save(self, workdir: Path) -> None:
        """Writes `study.json` whole: a reader sees this study or the one before, never a part."""
        more: dict[str, Any] = {} if self.price is None else {"price": self.price._asdict()}
        if self.churn:
            more["churn"] = self.churn
        record_files.write_json(
            workdir / STUDY,
            {
                "format": FORMAT,
                "plan": self.plan.as_json(),
                "runs": [_as_json(run) for run in self.runs],
                FUNCTIONS: self.functions,
                **more,
            },
        )


def _as_json(run: Run) -> dict[str, Any]:
    assert run.is_timed, "a study without seconds is not saved"
    return {name: value for name, value in dataclasses.asdict(run).items() if name != "is_timed"}


def _key(run: Named) -> tuple[str, float, str, int]:
    return run.dataset, run.learning_rate, run.activation, run.seed


def rate_words(workload: Workload) -> str:
    rate = workload.learning_rate
    return "each at its own learning rate" if rate is None else f"learning rate {rate:g}"


def begin(workdir: Path, plan: Plan, remake: Collection[str] = ()) -> Study:
    """The study of a plan as its folder holds it: what an earlier command finished is done.

    A run that diverged stays diverged, as it would diverge again; one that failed is missing, and
    gets another chance. Nothing is written.

    Args:
      remake: the activations of which every run is missing, whatever is there.

    Raises:
      ConfigError: the folder holds another comparison, runs of a function that has changed, or
        something else; or a function is wrong.
    """
    workdirs.check_place(workdir)
    records = {spec: workdirs.function_record(spec) for spec in plan.activations}
    functions = {spec: value for spec, record in records.items() for value in record.values()}
    diverged, stored_functions, price = {}, {}, None
    if (workdir / STUDY).exists():
        stored = load(workdir)
        price = stored.price
        if changed := plan.differences(stored.plan):
            raise ConfigError(
                f"--workdir={workdir} holds another comparison: {'; '.join(changed)}; choose "
                "another folder (one is extended by more seeds, activations or epochs alone)"
            )
        where = dict(zip(stored.plan.datasets, plan.datasets, strict=True))
        ended = [
            dataclasses.replace(run, dataset=where[run.dataset])
            for run in stored.with_status(DIVERGED)
        ]
        diverged = {_key(run): run for run in ended}
        kept = {run.activation for run in stored.with_status(DONE, DIVERGED)}
        stored_functions = {k: value for k, value in stored.functions.items() if k in kept}
    elif (
        workdir.exists()
        and any(path.name not in _LEFT_BY_A_KILLED_START for path in workdir.iterdir())
        and not any((workdir / plan.folder(run)).exists() for run in plan.runs())
    ):
        raise ConfigError(
            f"--workdir={workdir} holds files but no {STUDY}, so no comparison; choose another "
            "folder"
        )
    for spec in functions.keys() & stored_functions.keys() - set(remake):
        workdirs.check_function(
            workdir, spec, stored_functions[spec], functions[spec], _way_out(spec)
        )
    runs = []
    for config in plan.runs():
        folder = workdir / plan.folder(config)
        if config.activation in remake:
            workdirs.holds_run(folder)
            runs.append(Run(*_key(config)))
            continue
        fields = dataclasses.asdict(config) | records[config.activation]
        workdirs.check_workdir(folder, fields, _way_out(config.activation))
        runs.append(diverged.get(_key(config)) or read_run(workdir, plan, config))
    return Study(plan, tuple(runs), functions, price)


def _way_out(spec: str) -> str:
    return f"choose another --workdir, have its runs made anew by --remake={shlex.quote(spec)}"


def read_run(workdir: Path, plan: Plan, config: Config, note: str = "", status: str = "") -> Run:
    """A run as its folder holds it; `status` and `note` if it ended in an error."""
    return read_folder(workdir / plan.folder(config), config, note, status)


def read_folder(folder: Path, config: Config, note: str = "", status: str = "") -> Run:
    """A run of a configuration as its own folder holds it; without one, it is missing.

    Args:
      status, note: if it ended in an error.

    Raises:
      ConfigError: a file is damaged.
    """
    summary_path = folder / record_files.SUMMARY
    summary: Row = record_files.read_json(summary_path) if summary_path.exists() else {}
    if fault := summary_path.exists() and study_file.SUMMARY(summary, ""):
        raise ConfigError(
            f"{summary_path} is damaged: {fault}; bring it back from a copy, or remove it and give "
            "the same command again"
        )
    if summary and summary["epochs"] != config.epochs:
        summary = {}  # of a shorter run, which is to go on

    def rows(name: str) -> tuple[Row, ...]:
        path = folder / name
        return tuple(record_files.read_rows(path)) if path.exists() else ()

    environment_path = folder / record_files.ENVIRONMENT
    return Run(
        dataset=config.dataset,
        learning_rate=config.learning_rate,
        activation=config.activation,
        seed=config.seed,
        status=status or (DONE if summary else MISSING),
        note=note,
        summary=summary,
        metrics=rows(record_files.METRICS),
        health=rows(record_files.HEALTH),
        environment=record_files.read_json(environment_path) if environment_path.exists() else {},
    )


def load(workdir: Path) -> Study:
    """The study of a folder, as its `study.json` has it.

    Raises:
      ConfigError: there is none, or it is not one of this program.
    """
    path = workdir / STUDY
    if not path.exists():
        raise ConfigError(f"{workdir} holds no {STUDY}: give the --workdir of a comparison")
    way_out = (
        "bring it back from a copy, or remove it and give the comparison's command again: finished "
        "runs are kept"
    )
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(value, dict) and value.get("format", FORMAT) != FORMAT:
            raise ConfigError(f"{path} has format {value['format']}, this program reads {FORMAT}")
        if fault := study_file.STUDY(value, ""):
            raise ConfigError(f"{path} is not a comparison's, or damaged: {fault}; {way_out}")
        runs = tuple(_run(row) for row in value["runs"])
        study = Study(
            Plan.from_json(value["plan"]),
            runs,
            dict(value.get(FUNCTIONS, {})),
            Price(*map(value["price"].get, Price._fields)) if "price" in value else None,
            tuple(value.get("churn", ())),
        )
    except (OSError, RecursionError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); {way_out}") from error
    named = {
        "baseline": [study.plan.baseline],
        "twins": [n for pair in study.plan.twins for n in pair],
    }
    for field, names in named.items():
        if wrong := sorted({*names} - {*study.plan.activations}):
            raise ConfigError(
                f"{path}: plan.{field}={wrong[0]!r} is none of plan.activations; {way_out}"
            )
    order = [_key(config) for config in study.plan.runs()]
    planned, there = Counter(order), Counter(map(_key, study.runs))
    for key in planned | there:
        if planned[key] != there[key]:
            raise ConfigError(
                f"{path}: of {key} (data set, rate, activation, seed) plan has {planned[key]}, "
                f"runs {there[key]}; {way_out}"
            )
    by_key = {_key(run): run for run in study.runs}  # an earlier version had another order
    return dataclasses.replace(study, runs=tuple(by_key[key] for key in order))


def _run(row: Row) -> Run:
    tuples: dict[str, Sequence[Row]] = {name: tuple(row[name]) for name in ("metrics", "health")}
    return Run(**{**row, **tuples})
