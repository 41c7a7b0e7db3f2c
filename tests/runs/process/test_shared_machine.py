"""Runs beside other work: the mark, how it is asked for, and a run that shows no seconds."""

import re

import pytest

from jaxact import main
from jaxact.runs import fit
from jaxact.runs.process import environment, shared_machine
from jaxact.runs.progress import ProgressView, print_summary
from jaxact.runs.records import record_files, surroundings
from tests.support.tiny import words

SECONDS = re.compile(r"\d (s|ms|images/s)\b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", True), ("True", True), (" yes ", True), ("ON", True)]
    + [(text, False) for text in ("", "0", "false", "No", "off")],
)
def test_the_environment_says_whether_the_machine_is_shared(monkeypatch, text, expected):
    monkeypatch.setenv(shared_machine.VARIABLE, text)
    assert environment.describe()["shared_machine"] is expected
    monkeypatch.delenv(shared_machine.VARIABLE)
    assert environment.describe()["shared_machine"] is False


def test_a_value_that_is_neither_is_one_line_and_nothing_is_written(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(shared_machine.VARIABLE, "maybe")
    assert main.COMMAND.run(main.train, [f"--workdir={tmp_path / 'run'}", *words()]) == 2
    said = capsys.readouterr().err
    assert said.startswith("jaxact: JAXACT_SHARED_MACHINE=maybe must be 1, true, yes, on where")
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("marked", [True, False])
def test_a_marked_run_prints_no_seconds_and_keeps_them(tiny, tmp_path, monkeypatch, capsys, marked):
    monkeypatch.setenv(shared_machine.VARIABLE, "1" if marked else "0")
    workdir = tmp_path / "run"
    summary = fit.fit(tiny, workdir)
    monkeypatch.delenv(shared_machine.VARIABLE)  # the record counts, not the process that prints
    print_summary(summary, is_timed=not surroundings.is_marked(workdir))
    printed = capsys.readouterr()
    for text in (printed.out, printed.err):
        assert bool(SECONDS.search(text)) is not marked
    assert ("JAXACT_SHARED_MACHINE" in printed.out) is marked
    assert record_files.read_json(workdir / "summary.json")["train_seconds"] > 0


def test_the_bar_of_a_marked_run_shows_no_speed(monkeypatch):
    for text, shown in (("0", "900 images/s  loss 1.5000"), ("1", "loss 1.5000")):
        monkeypatch.setenv(shared_machine.VARIABLE, text)
        view = ProgressView(2, 10)
        view.after_dispatch(3, 1.5, 900.0)
        assert view._bar.tasks[0].fields["figures"] == shown


@pytest.mark.parametrize(("before", "now"), [(True, False), (False, True), (True, True)])
def test_a_run_that_was_once_marked_stays_so(tmp_path, before, now):
    described = environment.describe()
    surroundings.write(tmp_path, {**described, "shared_machine": before}, 0)
    assert surroundings.write(tmp_path, {**described, "shared_machine": now}, 5) == ""
    assert surroundings.is_marked(tmp_path)
    surroundings.write(tmp_path, {**described, "shared_machine": False}, 0)  # made anew
    assert not surroundings.is_marked(tmp_path)
