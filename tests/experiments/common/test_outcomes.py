"""What every experiment of one command leaves, and its errors."""

import json
import math

import pytest

from experiments.common import outcomes
from experiments.common.findings import Finding
from jaxact.command import Option
from jaxact.errors import ConfigError
from jaxact.presentation import drawing

COMMAND = outcomes.command(
    "example", "Shows that three follows two.", {"count": Option(3, "how far")}, "--count=4"
)


def outcome(options):
    if options.count < 1:
        raise ConfigError(f"--count={options.count} must be a whole number from 1")
    return outcomes.Outcome(
        title="Counting",
        claim="three follows two",
        source="everyone",
        answer="it does",
        settings={"count": options.count, "data_dir": "/where/this/machine/has/them"},
        rows=[{"number": k, "seen": (k, k, k), "lost": math.nan} for k in range(options.count)],
        details={"raw": [1, (math.inf, math.nan)]},
    )


def draw(result):
    figure, axes = drawing.new_axes(result["title"])
    axes.plot(range(result["settings"]["count"]))
    return {"counting": figure}


def test_an_outcome_is_written_whole_and_shown(tmp_path, capsys):
    assert outcomes.run(COMMAND, outcome, draw, ["--count=2", f"--workdir={tmp_path / 'x'}"]) == 0
    names = {path.name for path in (tmp_path / "x").iterdir()}
    assert names == {"result.json", "table.md", "counting.png", "counting.svg"}
    result = json.loads((tmp_path / "x" / "result.json").read_text())
    assert result["settings"] == {"count": 2}
    assert result["details"] == {"raw": [1, [None, None]]}
    assert [row["lost"] for row in result["rows"]] == [None, None]
    assert "| 1 | 1 | - |" in (tmp_path / "x" / "table.md").read_text()
    assert result["command"].startswith("python -m experiments.example --count=2")
    assert result["environment"]["jax"] in (tmp_path / "x" / "table.md").read_text()
    shown = capsys.readouterr().out
    assert "found: it does" in shown
    assert "claim: three follows two (everyone)" in shown


def test_a_wrong_option_is_one_line_and_leaves_nothing(tmp_path, capsys):
    assert outcomes.run(COMMAND, outcome, draw, ["--count=0", f"--workdir={tmp_path / 'x'}"]) == 2
    assert capsys.readouterr().err == "jaxact: --count=0 must be a whole number from 1\n"
    assert not (tmp_path / "x").exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert outcomes.run(COMMAND, outcome, draw, [f"--workdir={tmp_path / 'file' / 'x'}"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_help_shows_what_to_type(capsys):
    assert outcomes.run(COMMAND, outcome, draw, ["--help"]) == 0
    assert "python -m experiments.example --count=4" in capsys.readouterr().out


def test_findings_stand_beside_the_claim_and_seconds_beside_other_work_are_not_told(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("JAXACT_SHARED_MACHINE", "1")
    findings = [Finding("three follows | two", "supported", "3 - 2 = 1")]
    judged = lambda options: outcome(options)._replace(findings=findings)  # noqa: E731
    assert outcomes.run(COMMAND, judged, draw, [f"--workdir={tmp_path}"]) == 0
    page = (tmp_path / "table.md").read_text()
    assert "| three follows \\| two | supported | 3 - 2 = 1 |" in page
    assert "beside other work on" in page
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["seconds"] is None
    assert result["findings"] == [findings[0]._asdict()]
    assert "supported: three follows | two\n  3 - 2 = 1" in capsys.readouterr().out


def test_figures_and_page_are_made_again_from_the_result_alone(tmp_path, capsys):
    def never(options):
        raise AssertionError("nothing is to be performed")

    folder = tmp_path / "x"
    assert outcomes.run(COMMAND, outcome, draw, ["--count=2", f"--workdir={folder}"]) == 0
    result = folder / "result.json"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        if path != result:
            path.unlink()
    assert outcomes.run(COMMAND, never, draw, ["--from_result", f"--workdir={folder}"]) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert str(folder / "counting.svg") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "holds no result.json of python -m experiments.example"),
        ('{"command": "python -m experiments.examples"}', "but one of"),
        ('{"command": "python -m experiments.example"}', "another version's or damaged"),
    ],
)
def test_a_result_that_cannot_be_drawn_is_told_in_a_line(content, said, tmp_path, capsys):
    if content is not None:
        (tmp_path / "result.json").write_text(content)
    words = ["--from_result", f"--workdir={tmp_path}"]
    assert outcomes.run(COMMAND, outcome, draw, words) == 2
    message = capsys.readouterr().err
    assert said in message
    assert message.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} <= {"result.json"}


def test_what_was_measured_is_kept_where_drawing_fails(tmp_path):
    def fails(result):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        outcomes.run(COMMAND, outcome, fails, [f"--workdir={tmp_path}"])
    assert json.loads((tmp_path / "result.json").read_text())["answer"] == "it does"
