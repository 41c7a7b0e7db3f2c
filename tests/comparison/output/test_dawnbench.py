"""DAWNBench entries: what is written passes the rules, and each broken rule is told."""

import json

import pytest

from jaxact.comparison.output import dawnbench
from jaxact.errors import ConfigError
from tests.support.studies import synthetic_study

ADA = dawnbench.Author("Ada Lovelace", "ada@example.org")


@pytest.fixture
def entry(tmp_path):
    """The path of a right entry's JSON."""
    (path,) = dawnbench.export(synthetic_study(1, 1), tmp_path, ADA, "2026-01-31")
    return path


def test_every_run_that_is_done_has_a_right_entry(tmp_path):
    study = synthetic_study(
        ("relu", "leaky_relu(negative_slope=0.2)"),
        3,
        datasets=("mnist", "cifar10"),
        learning_rates=(1e-3, 1e-4),
        diverged={("relu", 1)},
    )
    paths = dawnbench.export(study, tmp_path, ADA)
    assert len(set(paths)) == 2 * 2 * 5
    assert {path.parent.relative_to(tmp_path).as_posix() for path in paths} == {
        "mnist/train",
        "CIFAR10/train",
    }
    for path in paths:
        assert dawnbench.problems(path) == []


def test_an_entry_says_what_was_run(entry):
    assert entry.name == "Ada-Lovelace_small-cnn-relu-seed-0_2cpu_jax.json"
    record = json.loads(entry.read_text())
    assert record["version"] == "v1.0"
    assert record["author"] == "Ada Lovelace"
    assert record["authorEmail"] == "ada@example.org"
    assert record["framework"] == "JAX 0.10.0"
    assert record["hardware"] == "2 CPU (Made-up processor)"
    assert record["timestamp"] == "2026-01-31"
    assert record["misc"]["learningRate"] == 1e-3


def test_the_tsv_is_the_metrics_in_hours_and_percent(entry):
    (run,) = synthetic_study(1, 1).runs
    header, *lines = entry.with_suffix(".tsv").read_text().splitlines()
    assert header == "epoch\thours\ttop1Accuracy"
    assert len(lines) == len(run.metrics)
    for line, row in zip(lines, run.metrics, strict=True):
        epoch, hours, accuracy = map(float, line.split("\t"))
        assert epoch == row["epoch"]
        assert hours * 3600 == pytest.approx(row["train_seconds"], rel=1e-12)
        assert accuracy == pytest.approx(100 * row["test_accuracy"], rel=1e-12)


def test_epochs_without_a_test_accuracy_are_left_out(tmp_path):
    study = synthetic_study(1, 1, 4, eval_split="validation")
    (path,) = dawnbench.export(study, tmp_path, ADA)
    assert [line.split("\t")[0] for line in path.with_suffix(".tsv").read_text().splitlines()] == [
        "epoch",
        "4",
    ]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        *((name, None, f"{name} is a required field") for name in dawnbench.REQUIRED),
        ("author", "  ", "author must be a text"),
        ("version", "v2.0", "version must be v1.0"),
        ("authorEmail", "nobody", "no address"),
        ("timestamp", "31.1.2026", "yyyy-mm-dd"),
        ("misc", [], "misc must be an object"),
    ],
)
def test_a_wrong_record_is_told(entry, name, value, told):
    record = json.loads(entry.read_text()) | {name: value}
    entry.write_text(json.dumps({k: v for k, v in record.items() if v is not None}))
    assert any(told in problem for problem in dawnbench.problems(entry))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "columns must be"),
        ("epoch\thours\n1\t0.1\n", "columns must be"),
        ("epoch\thours\ttop1Accuracy\n", "holds no epoch"),
        ("epoch\thours\ttop1Accuracy\n1\t0.1\n", "not three numbers"),
        ("epoch\thours\ttop1Accuracy\n1\tsoon\t50\n", "not three numbers"),
        ("epoch\thours\ttop1Accuracy\n1\t0.2\t50\n2\t0.1\t60\n", "hours must rise"),
        ("epoch\thours\ttop1Accuracy\n1\t0.1\t50\n1\t0.2\t60\n", "epochs must rise"),
        ("epoch\thours\ttop1Accuracy\n1\t0\t50\n", "hours must be above 0"),
        ("epoch\thours\ttop1Accuracy\n1\tnan\t50\n", "hours must be above 0"),
        ("epoch\thours\ttop1Accuracy\n1\t0.1\t150\n", "from 0 to 100"),
        ("epoch\thours\ttop1Accuracy\n1\t0.1\t0.5\n2\t0.2\t0.98\n", "in percent"),
    ],
)
def test_a_wrong_tsv_is_told(entry, text, told):
    entry.with_suffix(".tsv").write_text(text)
    assert any(told in problem for problem in dawnbench.problems(entry))


def test_missing_and_damaged_files_are_told(entry, tmp_path):
    entry.with_suffix(".tsv").unlink()
    assert dawnbench.problems(entry) == ["the TSV file does not exist"]
    entry.write_text("{")
    assert "no valid JSON" in dawnbench.problems(entry)[0]
    assert "no valid JSON" in dawnbench.problems(tmp_path / "nothing.json")[0]
    entry.write_text("[1]")
    assert dawnbench.problems(entry) == ["the JSON is no object"]


def test_a_file_must_be_named_as_theirs_are(entry):
    for suffix in (".json", ".tsv"):
        entry.with_suffix(suffix).rename(entry.with_name(f"mine{suffix}"))
    (problem,) = dawnbench.problems(entry.with_name("mine.json"))
    assert "[author]_[model]_[hardware]_[framework]" in problem


@pytest.mark.parametrize(
    ("name", "email", "told"),
    [
        (None, "a@b", "--author="),
        (" ", "a@b", "--author="),
        ("Ada", None, "--author_email="),
        ("Ada", "ada at home", "'ada at home'"),
    ],
)
def test_an_entry_needs_an_author(name, email, told):
    with pytest.raises(ConfigError) as refused:
        dawnbench.author(name, email)
    assert told in str(refused.value)
    assert dawnbench.author("Ada ", "a@b") == ("Ada", "a@b")
