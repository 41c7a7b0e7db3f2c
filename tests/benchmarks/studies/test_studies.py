"""The programs that measure comparisons: their growth, and the time that engines save."""

import json

import pytest

from benchmarks.studies import engines, growth
from jaxact.errors import ConfigError


def test_each_step_of_a_comparison_is_measured_by_its_runs(tmp_path, capsys, monkeypatch):
    drawn = []  # in place of figures, which take seconds
    monkeypatch.setattr(growth.figures, "draw_all", lambda study, *_: drawn.append(len(study.runs)))
    out = tmp_path / "growth.json"
    words = ["--runs=1,6", "--epochs=2", f"--out={out}"]
    assert growth.COMMAND.run(growth.growth, words) == 0
    assert f"results: {out}" in capsys.readouterr().out
    rows = json.loads(out.read_text())["rows"]
    assert [row["runs"] for row in rows] == [1, 6]
    assert rows[1]["study.json, MiB"] > 4 * rows[0]["study.json, MiB"]
    steps = {"plan", "keep records", "save once", "load", "plan again", "tables", "report"}
    assert all(row[step] > 0 for row in rows for step in steps | {"figures"})
    assert drawn == [1, 1, 6]  # the first is not counted


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ("7", "7 is neither below 6 nor six times a number of seeds"),
        ("many", "--runs=many must be whole numbers"),
        ("0", "--runs=0 must be 1 or more each"),
    ],
)
def test_runs_that_no_plan_has_are_refused_in_a_line(runs, told):
    options = growth.COMMAND.parse([f"--runs={runs}"])
    with pytest.raises(ConfigError, match=told):
        growth.growth(options)


def test_a_comparison_that_fails_is_not_timed(monkeypatch, tmp_path):
    with pytest.raises(engines.ComparisonFailed, match="--activations=rleu: jaxact: "):
        engines.measure(["--activations=rleu"], tmp_path / "study")
