"""Results made elsewhere through all that a comparison gives, and nothing that is not known."""

import csv
import io
import json
import re
import sys

import pytest

from jaxact import statistics
from jaxact.comparison import answers, compare_results as command, redraw, study as studies
from jaxact.comparison.output import report, report_content as content
from jaxact.comparison.output.tables import latex, rows as table_rows, study_table
from jaxact.comparison.results_file import read
from jaxact.errors import ConfigError
from jaxact.presentation import drawing
from tests.support.studies import synthetic_study, write_study

ODD = ("ReLU", "GELU (ours)", "a_b$^c$ & 50 %", '<b>|"q"</b>', "os:system", "tanh")
SEEDS = (3, 7, 8, 41, 42)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(drawing, "DPI", 30)


def errors_of(name):
    return [2 + 0.1 * ODD.index(name) + 0.01 * (seed % 5) for seed in SEEDS]


def text_of(names=ODD, seconds=True, dataset=""):
    """A line a run; the last of the names reaches the target in its first seed alone."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    extra = ["seconds"] * seconds + ["dataset"] * bool(dataset)
    writer.writerow(["activation", "seed", "error", *extra])
    for name in names:
        for seed, error in zip(SEEDS, errors_of(name), strict=True):
            reached = name != names[-1] or seed == SEEDS[0] or len(names) == 1
            at = [10 + error * 2 if reached else ""] if seconds else []
            writer.writerow([name, seed, error, *at, *[dataset] * bool(dataset)])
    return written.getvalue()


def study_of(text, **options):
    return command.study_of(read("my.csv", text.encode()), "Mine", **options)


def run(*words):
    return command.COMMAND.run(command.compare_results, words)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my results.csv"
    path.write_text(text_of(ODD[:2]), encoding="utf-8")
    return path


def test_the_table_holds_what_the_statistics_say():
    study = study_of(text_of())
    (workload,) = study.workloads()
    rows = {row["activation"]: row for row in table_rows.rows(study, workload)}
    assert list(rows) == list(ODD)
    found = statistics.compare({name: errors_of(name) for name in ODD}, "ReLU")
    for comparison in found:
        row = rows[comparison.name]
        assert row["error_p_value"] == pytest.approx(comparison.corrected_p_value)
        expected = statistics.mean(errors_of(comparison.name))
        assert row["error_percent"] == pytest.approx(expected.value)
        assert row["error_percent_low"] == pytest.approx(expected.low)
    assert study.plan.baseline == "ReLU"
    assert rows["tanh"]["reached"] == "1/5"
    assert rows["tanh"]["seconds_to_target"] is None


SHOWN = {
    True: ["activation", "reached", "seconds_to_target", "error_percent"],
    False: ["activation", "error_percent"],
}


@pytest.mark.parametrize("seconds", [True, False])
@pytest.mark.parametrize("names", [ODD, ODD[:1]])
def test_what_is_not_known_is_left_out(seconds, names):
    study = study_of(text_of(names, seconds))
    tested = ["error", *["seconds"] * seconds] if len(names) > 1 else []
    tests = [f"{name}_{what}" for name in tested for what in ("p_value", "verdict", "improvement")]
    columns = [column.name for column in table_rows.columns_of(study)]
    assert columns == [*SHOWN[seconds], *tests]
    texts = [
        study_table.as_markdown(study),
        study_table.as_csv(study),
        json.dumps(study_table.as_json(study)),
        latex.as_latex(study),
        answers.answer(study, study.workloads()[0]),
        answers.as_markdown(study),
    ]
    for word in ("learning", "epoch", "small_cnn", "paper", "MiB", "parameters", "--seeds"):
        assert not any(word in text for text in texts), word
    assert any("target" in text for text in texts) == seconds
    page = re.sub(r"<style>.*?</style>|<script.*?</script>", "", report.page(study), flags=re.S)
    times = () if seconds else ("Times", "training time")
    for word in ("learning rate", "epoch", "small_cnn", "Environment", "clock", "Latency", *times):
        assert word not in page, word


def test_a_data_set_stands_where_there_is_one():
    study = study_of(text_of(dataset="mnist") + "tanh,3,9,1,cifar10\ntanh,4,9,1,cifar10\n")
    first, second = study.workloads()
    assert study_table.title(study, first) == "Mine on mnist, 5 seeds"
    assert study_table.title(study, second) == "Mine on cifar10, 2 seeds"
    assert "dataset" in study_table.as_csv(study).splitlines()[0]
    assert "dataset" not in study_table.as_csv(study_of(text_of())).splitlines()[0]
    assert not content.lost(study, second)  # what is missing stands in the notes
    assert "- ReLU has no results on cifar10.\n" in study_table.as_markdown(study)


def test_a_seed_that_one_lacks_is_no_pair():
    lines = text_of(ODD[:2], seconds=False).splitlines()
    study = study_of("\n".join(line for line in lines if line[:8] != "ReLU,41,"))
    row = table_rows.rows(study, study.workloads()[0])[1]
    assert row["error_p_value"] is None  # four pairs
    assert study.with_status(studies.MISSING)[0].seed == 41
    assert "ReLU has no seed 41: its pairs are left out." in study_table.notes(study)


def test_functions_are_drawn_where_jaxact_has_them_and_no_name_is_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "this", raising=False)
    text = text_of(ODD[:3], seconds=False).replace("ReLU", "relu").replace(ODD[2], "this:s")
    study = study_of(text)
    found = content.explored(study.plan.activations, are_specs=False)["functions"]
    assert ["values" in function for function in found] == [True, False, False]
    assert "this" not in sys.modules
    assert 'id="functions"' in report.page(study)
    assert "this" not in sys.modules
    assert 'id="functions"' not in report.page(study_of(text_of(ODD[1:3])))


def test_it_writes_the_files_of_a_comparison_and_they_are_drawn_again(file, capsys):
    assert run(file.name, "--target=98 %", "--title=My  <b>study</b>", "--pdf") == 0
    said = capsys.readouterr().out
    assert "reached 98 % soonest" in said
    folder = file.parent / "runs" / "results-my_results"
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    tables = {f"table.{end}" for end in ("md", "csv", "json", "tex")}
    figures = {f"{name}.{end}" for name in ("error", "time_to_accuracy") for end in FORMATS}
    assert names == {"study.json", "report.html", *tables, *(f"figures/{name}" for name in figures)}
    assert "<h1>My &lt;b&gt;study&lt;/b&gt;</h1>" in (folder / "report.html").read_text()
    before = {name: (folder / name).read_bytes() for name in names}
    for name in names - {"study.json"}:
        (folder / name).unlink()
    assert redraw.COMMAND.run(redraw.redraw, [str(folder), "--pdf"]) == 0
    assert {name: (folder / name).read_bytes() for name in names} == before
    loaded = studies.load(folder)
    assert loaded.plan.elsewhere is not None
    assert loaded.plan.elsewhere.seeds == SEEDS
    # the same results again, with more of them
    file.write_text(text_of(ODD[:2]) + "ReLU,43,2,20\n")
    assert run(file.name, "--title=My <b>study</b>") == 0
    assert studies.load(folder).plan.seeds == len(SEEDS) + 1


FORMATS = ("png", "svg", "pdf")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.csv"], "none.csv cannot be read (No such file or directory); give a CSV file"),
        (["."], ". cannot be read (Is a directory)"),
        ([], "the command takes FILE, none is given"),
        (["my.csv", "--baseline=RELU"], "must be one of the activations: ReLU, GELU (ours)"),
        (["my.csv", "--target= "], "--target=  must be a text"),
        (["plain.csv", "--target=98 %"], "the column seconds leads to, and the file has none"),
        (["my.csv", "--workdir=held"], "holds runs of jaxact's, not 'my'; choose another"),
        (["my.csv", "--workdir=full"], "holds files but no study.json"),
        (["my.csv", "--workdir=my.csv"], "is a file"),
    ],
)
def test_what_is_refused_is_refused_in_a_line_and_nothing_is_written(
    words, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.csv").write_text(text_of())
    (tmp_path / "plain.csv").write_text(text_of(seconds=False))
    write_study(synthetic_study(1, 1, 1), tmp_path / "held")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert run(*words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("jaxact: ")
    assert captured.err.count("\n") == 1
    assert said in captured.err
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_results_stand_for_themselves_in_their_folder(file, capsys):
    assert run(file.name, "--title=One", "--workdir=one") == 0
    capsys.readouterr()
    assert run(file.name, "--title=Another", "--workdir=one") == 2
    assert "holds the results 'One', not 'Another'" in capsys.readouterr().err
    stored, own = studies.load(file.parent / "one").plan, synthetic_study(1, 1, 1).plan
    assert own.going_on(stored) == own
    with pytest.raises(ConfigError, match="the results 'One', which were made elsewhere"):
        studies.begin(file.parent / "one", own)


def test_results_come_from_stdin_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = io.TextIOWrapper(io.BytesIO(text_of(seconds=False).encode()))
    monkeypatch.setattr(sys, "stdin", source)
    assert run("-") == 0
    assert "## Results, 5 seeds\n" in (tmp_path / "runs/results-stdin/table.md").read_text()


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("plan", "elsewhere", "seeds"), [], "plan.elsewhere.seeds="),
        (("plan", "elsewhere", "is_timed"), 1, "plan.elsewhere.is_timed=1"),
        (("plan", "elsewhere", "seeds"), [3, 7, 8, 41, 43], "of .* plan has"),
        (("runs", 0, "summary", "error_percent"), "2", "runs\\[0\\].summary.error_percent='2'"),
        (("runs", 0, "status"), "ready", "runs\\[0\\].status='ready'"),
    ],
)
def test_a_damaged_study_of_them_is_told_by_its_field(tmp_path, place, value, said):
    study_of(text_of()).save(tmp_path)
    stored = json.loads((tmp_path / "study.json").read_text())
    record = stored
    for key in place[:-1]:
        record = record[key]
    record[place[-1]] = value
    (tmp_path / "study.json").write_text(json.dumps(stored))
    with pytest.raises(ConfigError, match=said):
        studies.load(tmp_path)
