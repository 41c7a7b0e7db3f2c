"""DAWNBench entries: what is written passes their rules, and an author is asked for."""

import datetime
import json

import pytest

from jaxact.comparison.output import dawnbench
from jaxact.errors import ConfigError
from tests.support.studies import synthetic_study

ADA = dawnbench.Author("Ada Lovelace", "ada@example.org")


def assert_keeps_the_rules(path):
    """The rules of their tests/test_submissions.py; from their README the units and the name."""
    record = json.loads(path.read_text())
    required = {"version", "author", "authorEmail", "framework", "model", "hardware", "timestamp"}
    assert all(isinstance(record[name], str) and record[name].strip() for name in required)
    datetime.datetime.strptime(record["timestamp"], "%Y-%m-%d")
    assert isinstance(record["misc"], dict)
    assert len(path.stem.split("_")) == 4
    header, *lines = path.with_suffix(".tsv").read_text().splitlines()
    assert header == "epoch\thours\ttop1Accuracy"
    epochs, hours, accuracies = zip(*(map(float, line.split("\t")) for line in lines), strict=True)
    assert sorted(set(epochs)) == list(epochs)
    assert sorted({0.0, *hours}) == [0.0, *hours]
    assert 1 < max(accuracies) <= 100  # in percent


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
        assert_keeps_the_rules(path)


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
