"""A tracker gets what it lacks, and nothing a second time: held against one in memory."""

import dataclasses
import json
import shutil

import pytest

from jaxact.comparison import compare_results
from jaxact.comparison.study import DONE, FAILED, MISSING, STUDY, Study
from jaxact.runs.records import record_files
from jaxact.tracking import identity, pages
from jaxact.tracking.source import REPORT, TABLE, Reader
from jaxact.tracking.tracker import Update, updates
from tests.support.studies import synthetic_study, write_study
from tests.support.tracking import stages
from tests.support.tracking.recording import Recording
from tests.support.tracking.stages import SPECS, bring


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A study of two activations, two seeds and three epochs."""
    return stages.drawn(tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def folder(drawn, tmp_path):
    return shutil.copytree(drawn, tmp_path / "mine")


def shortened(folder, name, epochs):
    """Takes a run back to where it had so many epochs."""
    run = folder / name
    for file in (record_files.METRICS, record_files.HEALTH):
        rows = record_files.read_rows(run / file)
        record_files.write_rows(run / file, rows[:epochs])
    (run / record_files.SUMMARY).unlink(missing_ok=True)


def of_study(folder, **states):
    """Writes `study.json` with some runs in another state, by folder, and gives what it was."""
    before = (folder / STUDY).read_text()
    value = json.loads(before)
    for run in value["runs"]:
        name = f"{run['activation']}/seed{run['seed']}"
        if name in states.get("missing", ()):
            run |= {"status": MISSING, "summary": {}, "metrics": [], "health": []}
        if name in states.get("failed", ()):
            run |= {"status": FAILED, "note": "OSError: the disk was full", "summary": {}}
    record_files.write_json(folder / STUDY, value)
    return before


def test_a_study_is_shown_once_with_all_of_it(folder):
    tracker = Recording()
    update = bring(folder, tracker)
    assert update == Update(5, 5, 12, update.files)
    shown = tracker.by_name()
    assert {*shown} == {"mine", *(f"{spec}/seed{seed}" for spec in SPECS for seed in (0, 1))}
    run, rows = shown["relu/seed0"], record_files.read_rows(folder / "relu/seed0/metrics.jsonl")
    assert [epoch.step for epoch in run.epochs] == [100, 200, 300]
    assert [epoch.figures["test_loss"] for epoch in run.epochs] == [r["test_loss"] for r in rows]
    assert {"health/activation_2/dead", "epoch"} <= {*run.epochs[0].figures}
    assert run.epochs[1].unix_seconds - run.epochs[0].unix_seconds == pytest.approx(
        rows[1]["wall_seconds"] - rows[0]["wall_seconds"], abs=1e-3
    )
    assert run.parameters["activation"] == "relu"
    assert "data_dir" not in run.parameters
    assert run.tags["environment.cpu_model"] == "Made-up processor"
    assert run.tags["epochs"] == "3"
    summary = json.loads((folder / "relu/seed0/summary.json").read_text())
    assert run.results["summary/error_percent"] == summary["error_percent"]
    assert run.results["summary/latency_ms/p50"] == summary["latency_ms"]["p50"]
    assert {kept.status for kept in shown.values()} == {DONE}
    whole = shown["mine"]
    figures = {f"figures/{path.name}" for path in (folder / "figures").iterdir()}
    assert figures
    tables = {f"table.{form}" for form in ("md", "csv", "json", "tex")}
    assert {*whole.files} == {"report.html", "study.json"} | tables | figures
    assert whole.text == (folder / "table.md").read_text()
    errors = [shown[f"relu/seed{k}"].results["summary/error_percent"] for k in (0, 1)]
    assert whole.results["relu/error_percent"] == pytest.approx(sum(errors) / 2)
    parents = {tracker.names[k]: tracker.names.get(p) for k, p in tracker.parents.items()}
    assert parents == {name: None if name == "mine" else "mine" for name in shown}


def test_again_it_adds_nothing_and_opens_nothing(folder):
    tracker = Recording()
    bring(folder, tracker)
    before = tracker.opened
    assert bring(folder, tracker) == Update()
    assert tracker.opened == before
    assert not list(folder.rglob(identity.FILE))  # what is finished need not be written to


def test_a_copy_elsewhere_is_the_same_study(folder, tmp_path):
    tracker = Recording()
    bring(folder, tracker)
    assert bring(shutil.copytree(folder, tmp_path / "copy" / "mine"), tracker) == Update()


def test_another_study_of_the_same_plan_is_another(folder, tmp_path):
    tracker = Recording()
    bring(folder, tracker)
    study = synthetic_study(SPECS, 2, 3)
    runs = []
    for run in study.runs:  # the same outcome, at another time
        rows = tuple({**row, "train_seconds": row["train_seconds"] + 0.1} for row in run.metrics)
        runs.append(dataclasses.replace(run, metrics=rows))
    write_study(Study(study.plan, tuple(runs)), tmp_path / "b" / "mine")
    assert bring(tmp_path / "b" / "mine", tracker).new_pages == 5


def test_while_a_run_is_made_its_new_epochs_are_added(folder, tmp_path):
    name, tracker = "relu/seed1", Recording()
    whole = shutil.copytree(folder / name, tmp_path / "whole")
    before = of_study(folder, missing=[name])
    shortened(folder, name, 1)
    reader = Reader(folder)
    with updates(tracker) as current:
        current.bring(pages.of(reader.read()))
        kept = tracker.by_name()[name]
        assert (kept.status, len(kept.epochs), kept.is_open) == (pages.RUNNING, 1, True)
        assert tracker.by_name()["mine"].status == pages.RUNNING
        assert not tracker.by_name()["mine"].files  # drawn before the run was begun
        assert current.bring(pages.of(reader.read())) == Update()
        rows = (whole / record_files.METRICS).read_text().splitlines(keepends=True)
        with open(folder / name / record_files.METRICS, "a") as file:
            file.write(rows[1] + rows[2][:20])  # at the moment of a write
        assert current.bring(pages.of(reader.read())) == Update(1, 0, 1, 0)
        assert not reader.read().is_finished
    assert not kept.is_open
    shutil.copytree(whole, folder / name, dirs_exist_ok=True)  # it ends, and nobody looks
    (folder / STUDY).write_text(before)
    assert bring(folder, tracker).epochs == 1
    assert [epoch.number for epoch in kept.epochs] == [1, 2, 3]
    assert kept.status == DONE
    assert not Reader(folder).read().is_finished  # its report is older than its runs
    assert tracker.by_name()["mine"].status == pages.RUNNING
    (folder / TABLE).touch()
    (folder / REPORT).write_text("drawn anew")
    assert Reader(folder).read().is_finished
    assert bring(folder, tracker).files > 5  # as a whole: they are of one study
    assert tracker.by_name()["mine"].status == DONE
    assert bring(folder, tracker) == Update()


def test_a_run_that_is_killed_and_trains_its_first_epoch_again_is_the_same(folder):
    name, tracker = "relu/seed1", Recording()
    of_study(folder, missing=[name])
    shortened(folder, name, 2)
    bring(folder, tracker)
    path = folder / name / record_files.METRICS
    rows = record_files.read_rows(path)
    record_files.write_rows(path, [{**rows[0], "train_seconds": 77.0}])
    assert bring(folder, tracker).new_pages == 0
    assert len(tracker.by_name()[name].epochs) == 2


def test_a_run_that_is_made_anew_is_another(folder):
    name, tracker = "relu/seed1", Recording()
    of_study(folder, missing=[name])
    shortened(folder, name, 2)
    bring(folder, tracker)
    rows = record_files.read_rows(folder / name / record_files.METRICS)
    shutil.rmtree(folder / name)  # as --remake does
    (folder / name).mkdir()
    record_files.write_rows(
        folder / name / record_files.METRICS, [{**rows[0], "train_seconds": 77.0}]
    )
    assert bring(folder, tracker) == Update(2, 1, 1, 0)  # the study is under way, too


def test_a_longer_run_goes_on_where_it_was(folder):
    tracker = Recording()
    bring(folder, tracker)
    longer = synthetic_study(SPECS, 2, 5)
    shutil.rmtree(folder)
    write_study(longer, folder)
    rows = [run.metrics[0] for run in synthetic_study(SPECS, 2, 3).runs]
    assert [run.metrics[0] for run in longer.runs] == rows
    update = bring(folder, tracker)
    assert (update.new_pages, update.epochs) == (0, 8)
    shown = tracker.by_name()["relu/seed0"]
    assert [epoch.number for epoch in shown.epochs] == [1, 2, 3, 4, 5]
    assert shown.tags["epochs"] == "5"
    assert "epochs" not in shown.parameters  # MLflow takes each once


def test_runs_without_a_result_are_shown_with_the_reason(tmp_path):
    study = synthetic_study(SPECS, 2, 4, diverged={("relu", 1)}, failed={(SPECS[1], 0)})
    write_study(study, tmp_path / "mine")
    tracker = Recording()
    bring(tmp_path / "mine", tracker)
    shown = tracker.by_name()
    assert shown["relu/seed1"].status == "diverged"
    assert len(shown["relu/seed1"].epochs) == 2
    assert shown[f"{SPECS[1]}/seed0"].tags["note"] == "OSError: the disk was full"
    assert shown["mine"].tags["runs_without_result"] == "2"


def test_seconds_of_a_machine_with_other_work_are_not_shown(folder):
    for path in folder.rglob(record_files.ENVIRONMENT):
        record = json.loads(path.read_text())
        record_files.write_json(path, record | {"shared_machine": True})
    names = [f"{spec}/seed{seed}" for spec in SPECS for seed in (0, 1)]
    of_study(folder, missing=names)
    shortened(folder, "relu/seed1", 2)
    tracker = Recording()
    bring(folder, tracker)
    for name in names:
        kept = tracker.by_name()[name]
        assert len(kept.epochs) == (2 if name == "relu/seed1" else 3)
        assert "test_accuracy" in kept.epochs[0].figures
        told = [*kept.epochs[0].figures, *kept.results]
        assert not [figure for figure in told if "second" in figure or "_ms" in figure]
        assert len({epoch.unix_seconds for epoch in kept.epochs}) == 1


def test_a_single_run_is_a_page_by_itself_and_the_one_of_its_study(folder):
    name, tracker = "relu/seed1", Recording()
    run = next(
        r
        for r in synthetic_study(SPECS, 2, 3).plan.runs()
        if r.activation == "relu" and r.seed == 1
    )
    record_files.write_json(folder / name / record_files.CONFIG, dataclasses.asdict(run))
    update = bring(folder / name, tracker)
    assert update == Update(1, 1, 3, 0)
    assert tracker.by_name()["seed1"].status == DONE
    assert bring(folder, tracker).new_pages == 4


def test_results_made_elsewhere_are_shown(tmp_path):
    source = tmp_path / "results.csv"
    source.write_text("activation,seed,error\nrelu,0,1.9\nGELU (ours),0,1.7\n")
    words = [str(source), f"--workdir={tmp_path / 'mine'}"]
    assert compare_results.COMMAND.run(compare_results.compare_results, words) == 0
    tracker = Recording()
    assert bring(tmp_path / "mine", tracker).new_pages == 3
    shown = tracker.by_name()["GELU_(ours)/seed0"]
    assert shown.results == {"summary/error_percent": 1.7}
    assert bring(tmp_path / "mine", tracker) == Update()


def test_nothing_is_shown_before_the_first_epoch(folder):
    names = [f"{spec}/seed{seed}" for spec in SPECS for seed in (0, 1)]
    of_study(folder, missing=names)
    for name in names:
        shutil.rmtree(folder / name)
    tracker = Recording()
    assert bring(folder, tracker) == Update()
    assert not tracker.pages


def test_a_folder_that_may_only_be_read_is_tracked(folder, monkeypatch):
    name, tracker = "relu/seed1", Recording()
    of_study(folder, missing=[name])
    shortened(folder, name, 2)

    def refuse(path, value):
        raise PermissionError(13, "read-only", str(path))

    monkeypatch.setattr(record_files, "write_json", refuse)
    assert bring(folder, tracker).epochs == 11
    assert bring(folder, tracker) == Update(1)  # how many runs have ended, of the study
