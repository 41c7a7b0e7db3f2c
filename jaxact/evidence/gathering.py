"""The results in folders as one data set: tables of studies, activations, runs and claims.

`gather` reads what comparisons (`study.json`) and experiments (`result.json`) have left. A table
is `{"columns": [...], "rows": [[...], ...]}`, with the columns of `COLUMNS`: another format has
others. Numbers are whole or have six digits; null is what is not known, or was never reached.
"""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jaxact.api.runs import figures_of
from jaxact.comparison import answers, study as studies
from jaxact.comparison.analysis import hidden_seconds, measures, verdicts
from jaxact.comparison.output.tables import rows as table_rows
from jaxact.comparison.study import DONE, Run, Study, Workload
from jaxact.errors import ConfigError
from jaxact.runs.process import environment, shared_machine

FORMAT = 1
EXPERIMENT = "result.json"
DIGITS = 6
PAPER = "the paper"  # the source of its findings

_ESTIMATES = ("error_percent", "epoch_to_target", "seconds_to_target", "train_seconds")
_WORKLOAD = ("study", "dataset", "model", "learning_rate")
_PROTOCOL = ("epochs", "batch_size", "optimizer", "precision", "eval_split")
_MACHINE = ("machine", "python", "jax", "commit", "is_quiet")
COLUMNS: dict[str, tuple[str, ...]] = {
    "studies": (
        *_WORKLOAD,
        *_PROTOCOL,
        *("target_accuracy", "seeds", "baseline", "answer"),
        *_MACHINE,
        "command",
    ),
    "activations": (
        *_WORKLOAD,
        *("activation", "seeds", "reached"),
        *(f"{name}{end}" for name in (*_ESTIMATES, "latency_ms") for end in ("", "_low", "_high")),
        *("error_verdict", "time_verdict", "is_best_error", "is_best_time", "parameters"),
    ),
    "runs": (
        *_WORKLOAD,
        *("activation", "seed", "status", "reached_target"),
        *_ESTIMATES,
        *("latency_ms_mean", "latency_ms_p50", "images_per_second", "parameters"),
    ),
    "claims": (
        *_WORKLOAD,
        *("claim", "source", "verdict", "evidence"),
        *_MACHINE,
        "command",
    ),
}
Row = dict[str, Any]
Tables = dict[str, Any]


def gather(folder: Path, commands: Mapping[str, str] | None = None) -> Tables:
    """The results of every comparison and experiment in the folders of one.

    Seconds of runs that were made beside other work are left out.

    Args:
      folder: holds a folder for each; or is that of one.
      commands: by the name of a comparison's folder, what made it; experiments note theirs.

    Returns:
      `format`, and by their names in COLUMNS the tables.

    Raises:
      ConfigError: there are none, or one cannot be read.
    """
    found: dict[str, list[Row]] = {kind: [] for kind in COLUMNS}
    places = [place for place in (folder, *sorted(folder.glob("*/"))) if _holds_results(place)]
    if not places:
        raise ConfigError(
            f"{folder} holds no results: give a folder of a study, of an experiment, or of such "
            "folders"
        )
    for place in places:
        if (place / studies.STUDY).exists():
            study = hidden_seconds.without_seconds(studies.load(place))
            command = (commands or {}).get(place.name)
            for kind, rows in _of_study(place.name, study, command).items():
                found[kind] += rows
        else:
            found["claims"] += _of_experiment(place)
    return {"format": FORMAT} | {kind: _table(COLUMNS[kind], rows) for kind, rows in found.items()}


def _holds_results(place: Path) -> bool:
    return any((place / name).exists() for name in (studies.STUDY, EXPERIMENT))


def _table(columns: Iterable[str], rows: Iterable[Row]) -> Tables:
    columns = list(columns)
    return {"columns": columns, "rows": [[kept(row.get(name)) for name in columns] for row in rows]}


def kept(value: Any) -> Any:
    """A value as the data set has it: whole, or of six digits; null for what is not finite."""
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else float(f"{value:.{DIGITS}g}")


def _of_study(name: str, study: Study, command: str | None) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {kind: [] for kind in COLUMNS}
    plan = study.plan
    is_own = plan.elsewhere is None
    machine = _machine([run.environment for run in study.runs if run.environment]) | {
        "command": command
    }
    for workload in study.workloads():
        shared = {
            "study": name,
            "dataset": plan.title(workload.dataset),
            "model": plan.config.model if is_own else None,
            "learning_rate": workload.learning_rate if is_own else None,
        }
        protocol = {field: getattr(plan.config, field) if is_own else None for field in _PROTOCOL}
        told = {
            "target_accuracy": plan.target_accuracy(workload.dataset) if is_own else None,
            "seeds": measures.most_seeds(study),
            "baseline": plan.baseline,
            "answer": answers.answer(study, workload),
        }
        found["studies"].append(shared | protocol | told | machine)
        found["activations"] += [shared | row for row in _activations(study, workload)]
        found["runs"] += [
            shared | _run(run) for spec in plan.activations for run in study.of(workload, spec)
        ]
    subject = shared if len(study.workloads()) == 1 else {"study": name, "model": shared["model"]}
    found["claims"] = [
        subject | finding._asdict() | {"source": PAPER} | machine
        for finding in answers.paper_findings(study)
    ]
    return found


def _activations(study: Study, workload: Workload) -> Iterable[Row]:
    time = measures.time_axis(study, workload).measure  # epochs, where no seconds are shown
    for row in table_rows.rows(study, workload):
        if row["source"] != table_rows.MEASURED:
            continue
        made = study.made(workload, row["activation"])
        found = {**row, "seeds": len(made)}
        found["reached"] = measures.reached(made) if study.plan.is_timed else None
        for name, measure in (("error", measures.error_percent), ("time", time)):
            tests = verdicts.against_baseline(study, workload, measure)
            said = {test.name: test.verdict for test in tests if test.is_tested}
            found[f"{name}_verdict"] = said.get(row["activation"])
            found[f"is_best_{name}"] = measure.__name__ in row["best"]
        yield found


def _run(run: Run) -> Row:
    figures = figures_of(run) if run.status == DONE else {}
    return {**figures, "activation": run.activation, "seed": run.seed, "status": run.status}


def _of_experiment(place: Path) -> list[Row]:
    """The claims of an experiment; one without tests has its answer for evidence."""
    try:
        result = json.loads((place / EXPERIMENT).read_text(encoding="utf-8"))
        settings, machine = result["settings"], _machine([result["environment"]])
        shared = {
            "study": place.name,
            "dataset": settings.get("dataset"),
            "model": settings.get("model"),
            "learning_rate": None,
            "source": result["source"],
            "command": result["command"],
        }
        untested = [{"claim": result["claim"], "evidence": result["answer"]}]
        return [shared | machine | row for row in result.get("findings") or untested]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"{place / 'result.json'} is no result of an experiment ({error!r}): make it again"
        ) from error


def _machine(environments: list[Mapping[str, Any]]) -> Row:
    """The machines and versions of some runs, several joined; whether they had them alone."""

    def told(values: Iterable[Any]) -> str | None:
        return "; ".join(dict.fromkeys(str(value) for value in values if value)) or None

    return {
        "machine": told(environment.in_words(one) for one in environments),
        "python": told(one.get("python") for one in environments),
        "jax": told(one.get("jax") for one in environments),
        "commit": told((one.get("git_commit") or "")[:12] for one in environments),
        "is_quiet": not any(shared_machine.is_beside(one) for one in environments),
    }
