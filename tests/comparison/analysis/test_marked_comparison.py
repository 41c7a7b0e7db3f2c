"""A comparison on a machine with other work, at a price, from its command to its files."""

import json
import re

import pytest

from jaxact.comparison import compare, study as studies
from jaxact.presentation import drawing
from jaxact.runs.process import shared_machine
from tests.support.tiny import words


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Gives the command with more words, and the folder it works in."""
    monkeypatch.setattr(drawing, "DPI", 30)
    fixed = [f"--workdir={tmp_path / 'run'}", "--activations=relu", "--seeds=2"]
    fixed += words(epochs=1, target_accuracy=0.0, health_examples=0)
    return lambda *more: compare.COMMAND.run(compare.compare, [*fixed, *more]), tmp_path / "run"


def test_it_shows_no_seconds_keeps_them_and_goes_on_alone(run, monkeypatch, capsys):
    command, workdir = run
    monkeypatch.setenv(shared_machine.VARIABLE, "1")
    author = ("--format=dawnbench", "--author=Ada", "--author_email=a@b")
    assert command("--price_per_hour=2.49", *author) == 0
    printed = capsys.readouterr()
    assert not re.search(r"\d (s|ms|images/s)\b|s of training", printed.out + printed.err)
    assert "relu reached 0 % in 2 of 2 runs, after 1 epoch [1, 1] (median)" in printed.out
    assert "no seconds are shown of 2 of 2 runs" in printed.out
    assert "DAWNBench entries: 0 in" in printed.out
    study = studies.load(workdir)
    assert all(run.summary["seconds_to_target"] > 0 for run in study.runs)
    assert study.price == (2.49, "USD")
    ((pair,),) = (record["pairs"] for record in study.churn)
    assert pair["seeds"] == [0, 1]
    assert 0 < pair["disagreement"] < 1
    # Alone, a third seed has seconds, and the price of before.
    monkeypatch.delenv(shared_machine.VARIABLE)
    assert command("--seeds=3") == 0
    printed = capsys.readouterr().out
    assert "no seconds are shown of 2 of 3 runs: 2 were made" in printed
    assert re.search(r"after \d+\.\d\d s of training \(median\)", printed)
    assert "at 2.49 USD an hour: relu " in printed
    table = json.loads((workdir / "table.json").read_text())
    assert table["workloads"][0]["rows"][0]["cost_to_target"] > 0
    assert len(studies.load(workdir).churn[0]["pairs"]) == 3


@pytest.mark.parametrize(
    ("value", "more", "told"),
    [
        ("maybe", [], "JAXACT_SHARED_MACHINE=maybe must be"),
        ("", ["--price_per_hour=-1"], "--price_per_hour=-1 must be a number above 0"),
        ("", ["--currency=EUR"], "--currency=EUR needs --price_per_hour"),
    ],
)
def test_what_is_wrong_is_one_line_before_anything_is_written(
    run, monkeypatch, capsys, value, more, told
):
    command, workdir = run
    monkeypatch.setenv(shared_machine.VARIABLE, value)
    assert command(*more) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"jaxact: {told}")
    assert said.count("\n") == 1
    assert not workdir.exists()
