"""PYTHONPATH=. python docs/results_page.py: gathers results/ into the package and the page of them.

Writes jaxact/evidence/results.json, which `jaxact.results()` reads, and docs/results.md. Every
sentence of the page is made from that data set; a test holds both to the folders of results.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxact.evidence import gathering, reading
from jaxact.presentation import numbers, tables
from jaxact.runs.records import record_files
from jaxact.statistics import BETTER, EQUIVALENT, MIN_PAIRS, WORSE

RESULTS = Path(__file__).parents[1] / "results"
PAGE = Path(__file__).with_name("results.md")
MOST_ROWS = 15  # of a table on the page; a survey has its ends
MOST_NAMES = 8  # in a sentence
Row = Mapping[str, Any]

INTRODUCTION = """# Results by network and data set

Every number here was measured by the command beside it. All are in a data set that comes with the
package:

```python
import jaxact

jaxact.results("mnist", model="small_cnn")  # a row an activation: estimates, intervals, verdicts
jaxact.results("mnist", kind="runs")  # a row a run
jaxact.results(kind="claims")  # what became of the sources' sentences
jaxact.results(folder="runs")  # the same of studies of your own
```

This page is made by `PYTHONPATH=. python docs/results_page.py` from the folders of
[results](../results/README.md). In brackets: intervals over seeds. Verdicts are of tests, paired by
seed ([how](statistics.md)): in tables against a baseline, corrected for all comparisons with it; in
what to use over all pairs, corrected for all. Seconds are shown of machines that had no other work.
"""


def commands() -> dict[str, str]:
    """The command that made each study, by the table in results/README.md."""
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| \[([\w-]+)\]\(\S+\) \| `(.*)`", text, re.MULTILINE))


def rows(data: Mapping[str, Any], kind: str, study: Row | None = None) -> list[Row]:
    """The rows of a table, or those of a study's data set and rate."""
    table = data[kind]
    found = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    names = ("study", "dataset", "learning_rate")
    return [r for r in found if study is None or all(r[name] == study[name] for name in names)]


def estimate(row: Row, name: str, form: numbers.Form = numbers.number) -> str:
    """A figure with its interval; one that most runs never reached is `never`."""
    if row[name] is None:
        reached, seeds = row["reached"], row["seeds"]
        is_missed = name.endswith("_to_target") and reached is not None and 2 * reached < seeds
        return "never" if is_missed else ""
    ends = (row[f"{name}_low"], row[f"{name}_high"])
    if name.endswith("_to_target") and ends[0] is not None:
        ends = (ends[0], math.inf if ends[1] is None else ends[1])
    low, high = (math.nan if end is None else end for end in ends)
    return numbers.estimate((row[name], low, high), form=form)


def subject(study: Row) -> str:
    """A workload in words: `small_cnn on mnist at 0.0002`."""
    rate = study["learning_rate"]
    how = "each at its own rate" if rate is None else f"at {rate:g}"
    return f"{study['model']} on {study['dataset']} {how}"


def link(study: Row) -> str:
    return f"[{study['study']}](../results/{study['study']}/table.md)"


def target(study: Row) -> str:
    return f"{100 * study['target_accuracy']:g} %"


def joined(names: Sequence[str]) -> str:
    return " and ".join([*filter(None, [", ".join(names[:-1])]), *names[-1:]])


def choice(activations: list[Row], name: str, unit: str, baseline: str) -> str:
    """The activations among the best by a figure, and those that the tests have shown behind.

    Where those of all pairs decide nothing, what those against the baseline alone do.
    """
    kind = "error" if name == "error_percent" else "time"
    known = sorted((row for row in activations if row[name] is not None), key=lambda r: r[name])
    best = [row["activation"] for row in known if row[f"is_best_{kind}"]]
    if not known:
        return ""
    low = f"{known[0]['activation']}: {estimate(known[0], name)} {unit}"
    if not best:
        told = [
            f"{joined(names)} {word}"
            for word, verdict in (("ahead", BETTER), ("behind", WORSE), ("equivalent", EQUIVALENT))
            if (names := [r["activation"] for r in activations if r[f"{kind}_verdict"] == verdict])
        ]
        if told:
            return (
                f"tested against {baseline} alone, {'; '.join(told)}; over all pairs nothing is "
                f"decided (lowest: {low})"
            )
        return f"nothing is decided, take any (lowest: {low})"
    behind = [row["activation"] for row in activations if row["activation"] not in best]
    shown = f"shown behind: {joined(behind)}"
    if len(behind) > MOST_NAMES:
        shown = f"{len(behind)} are shown behind"
    others = "" if len(best) == 1 else ", which no test tells apart from the lowest"
    return f"**{joined(best)}**{others} (lowest: {low}; {shown})"


def wish(data: Mapping[str, Any], study: Row, is_time: bool) -> str:
    """A list's item of what to use on a workload, for an error or a time; "" if not known."""
    found = rows(data, "activations", study)
    goal, figure, unit = numbers.count(study["epochs"], "epoch"), "error_percent", "%"
    if is_time:
        goal, figure, unit = f"to {target(study)}", "epoch_to_target", "epochs"
        if any(row["seconds_to_target"] is not None for row in found):
            figure, unit = "seconds_to_target", "s"
    words = choice(found, figure, unit, study["baseline"])
    if not words:
        return ""
    return f"- {subject(study)}, {goal}: {words}; {study['seeds']} seeds, {link(study)}."


def advice(data: Mapping[str, Any]) -> str:
    """The section of what to use, for an error and for a time: a line each tested workload."""
    studies = rows(data, "studies")
    tested = [study for study in studies if study["seeds"] >= MIN_PAIRS]
    lines = ["## What to use if ..."]
    for heading, is_time in (
        ("... the error after a fixed number of epochs counts", False),
        ("... the time to a given accuracy counts", True),
    ):
        items = filter(None, (wish(data, study, is_time) for study in tested))
        lines += ["", f"### {heading}", "", *items]
    few = [
        f"{subject(study)} ({study['seeds']}, {link(study)})"
        for study in studies
        if study not in tested
    ]
    if few:
        lines += ["", f"Too few seeds for any test: {'; '.join(few)}."]
    return "\n".join([*lines, ""])


COLUMNS: dict[str, Callable[[Row], str]] = {
    "activation": lambda row: row["activation"],
    "reached": lambda row: "" if row["reached"] is None else f"{row['reached']}/{row['seeds']}",
    "epoch": lambda row: estimate(row, "epoch_to_target"),
    "s to target": lambda row: estimate(row, "seconds_to_target"),
    "train s": lambda row: estimate(row, "train_seconds"),
    "ms/sample": lambda row: estimate(row, "latency_ms"),
    "error %": lambda row: estimate(row, "error_percent", numbers.TWO_DECIMALS),
    "error is": lambda row: row["error_verdict"] or "",
    "time is": lambda row: row["time_verdict"] or "",
}


def section(data: Mapping[str, Any], study: Row) -> str:
    """A workload: protocol, answer, table by error; of a survey the ends and the baseline."""
    found = rows(data, "activations", study)
    found.sort(key=lambda row: math.inf if row["error_percent"] is None else row["error_percent"])
    kept = found
    if len(found) > MOST_ROWS:
        ends = [row["activation"] for row in (*found[:10], *found[-4:])]
        kept = [row for row in found if row["activation"] in (*ends, study["baseline"])]
    columns = {name: [tables.escape(cell(row)) for row in kept] for name, cell in COLUMNS.items()}
    columns = {name: cells for name, cells in columns.items() if any(cells)}
    table = tables.markdown([*columns], zip(*columns.values(), strict=True))
    protocol = [
        numbers.count(study["seeds"], "seed"),
        numbers.count(study["epochs"], "epoch"),
        f"target {target(study)} on the {study['eval_split']} set",
        study["optimizer"],
        f"batch {study['batch_size']}",
        study["precision"],
    ]
    machine = [study["machine"], *["beside other work"] * (not study["is_quiet"])]
    shown = f" {len(kept)} of {len(found)}, by error." if len(kept) < len(found) else ""
    return (
        f"## {subject(study)}\n\n{', '.join(protocol)}; {', '.join(machine)}; "
        f"Python {study['python']}, jax {study['jax']}; {link(study)}:\n`{study['command']}`\n\n"
        f"{tables.escape(study['answer'])}\n\n{table}\n"
        f"Verdicts against {study['baseline']}.{shown}\n"
    )


def claims(data: Mapping[str, Any]) -> str:
    """The sources' sentences and what became of each; the paper's where seeds allow a test."""
    tested = {row["study"] for row in rows(data, "studies") if row["seeds"] >= MIN_PAIRS}
    found = []
    for row in rows(data, "claims"):
        if row["source"] != gathering.PAPER or row["study"] in tested:
            verdict = row["verdict"] or "not tested"
            texts = (row["claim"], row["source"], verdict, row["evidence"])
            found.append((*map(tables.escape, texts), link(row)))
    table = tables.markdown(("claim", "source", "found", "on what", "data"), found)
    few = f"The paper's are tested where there are {MIN_PAIRS} seeds or more."
    return f"## What became of the sources' claims\n\n{few}\n\n{table}"


def page(data: Mapping[str, Any]) -> str:
    """The whole page."""
    sections = (section(data, study) for study in rows(data, "studies"))
    return "\n".join([INTRODUCTION, advice(data), *sections, claims(data)])


def gathered() -> dict[str, Any]:
    """The data set as it is to be."""
    return gathering.gather(RESULTS, commands())


def as_json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    made = gathered()
    record_files.write_text(reading.PUBLISHED, as_json(made))
    record_files.write_text(PAGE, page(made))
