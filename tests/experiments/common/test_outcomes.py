"""What every experiment of one command leaves, and its errors."""

import json
import math

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
    figure, axes = drawing.new_axes("Counting")
    axes.plot(range(options.count))
    return outcomes.Outcome(
        title="Counting",
        claim="three follows two",
        source="everyone",
        answer="it does",
        settings={"count": options.count, "data_dir": "/where/this/machine/has/them"},
        rows=[{"number": k, "seen": (k, k, k), "lost": math.nan} for k in range(options.count)],
        figures={"counting": figure},
        details={"raw": [1, (math.inf, math.nan)]},
    )


def test_an_outcome_is_written_whole_and_shown(tmp_path, capsys):
    assert outcomes.run(COMMAND, outcome, ["--count=2", f"--workdir={tmp_path / 'x'}"]) == 0
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
    assert outcomes.run(COMMAND, outcome, ["--count=0", f"--workdir={tmp_path / 'x'}"]) == 2
    assert capsys.readouterr().err == "jaxact: --count=0 must be a whole number from 1\n"
    assert not (tmp_path / "x").exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert outcomes.run(COMMAND, outcome, [f"--workdir={tmp_path / 'file' / 'x'}"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_help_shows_what_to_type(capsys):
    assert outcomes.run(COMMAND, outcome, ["--help"]) == 0
    assert "python -m experiments.example --count=4" in capsys.readouterr().out


def test_findings_stand_beside_the_claim_and_seconds_beside_other_work_are_not_told(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("JAXACT_SHARED_MACHINE", "1")
    findings = [Finding("three follows | two", "supported", "3 - 2 = 1")]
    judged = lambda options: outcome(options)._replace(findings=findings)  # noqa: E731
    assert outcomes.run(COMMAND, judged, [f"--workdir={tmp_path}"]) == 0
    page = (tmp_path / "table.md").read_text()
    assert "| three follows \\| two | supported | 3 - 2 = 1 |" in page
    assert "beside other work on" in page
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["seconds"] is None
    assert result["findings"] == [findings[0]._asdict()]
    assert "supported: three follows | two\n  3 - 2 = 1" in capsys.readouterr().out
