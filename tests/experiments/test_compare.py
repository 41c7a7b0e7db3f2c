"""Comparisons: pairing, skipping what is finished, misses, and the table's statistics."""

import csv
import dataclasses
import io
from pathlib import Path

import pytest

from experiments import compare, study, tables
from jaxact.config import Config
from jaxact.errors import ConfigError, NonFiniteLossError
from jaxact.training import loop, records


def summary(activation, seconds, error, seed=0):
    return {
        "activation": activation,
        "seed": seed,
        "reached_target": seconds is not None,
        "epoch_to_target": None if seconds is None else int(seconds),
        "seconds_to_target": seconds,
        "train_seconds": 9.0,
        "test_accuracy": 1 - error / 100,
        "error_percent": error,
        "images_per_second": 1000.0,
        "latency_ms": {"mean": 0.5},
    }


def test_specs_are_split_at_commas_outside_brackets():
    assert compare.split_specs("relu, elu(alpha=2.0) ,tanh") == ["relu", "elu(alpha=2.0)", "tanh"]


@pytest.mark.parametrize("text", ["", ",", "relu,rleu", "relu,relu", "swish(a=1)"])
def test_wrong_specs_are_refused(text):
    with pytest.raises(ConfigError, match="--activations="):
        compare.split_specs(text)


@pytest.mark.parametrize("spec", ["leaky_relu(negative_slope=0.05)", "a.b:c", "../../etc"])
def test_folder_names_stay_in_the_workdir(spec, tmp_path):
    folder = tmp_path / compare.folder_name(spec)
    assert folder.resolve().parent == tmp_path.resolve()


def test_a_miss_counts_as_infinite():
    rows = tables.aggregate([summary("relu", s, 1.0, k) for k, s in enumerate((3.0, None, 5.0))])
    assert rows[0]["reached"] == "2/3"
    assert rows[0]["target s"] == 5.0
    rows = tables.aggregate([summary("relu", s, 1.0, k) for k, s in enumerate((3.0, None, None))])
    assert rows[0]["target s"] is None


def test_runs_that_came_to_no_end_are_misses():
    lost = tables.missed(dataclasses.replace(Config(), activation="relu"))
    rows = tables.aggregate([summary("relu", 3.0, 2.0), lost, lost, summary("tanh", 1.0, 4.0)])
    assert [row["activation"] for row in rows] == ["relu", "tanh"]
    assert rows[0]["reached"] == "1/3 (2 diverged)"
    assert rows[0]["target s"] is None
    assert rows[0]["error %"] == 2.0
    assert "N/A" in tables.as_markdown(rows)


def test_csv_is_unrounded_and_read_back():
    rows = tables.aggregate([summary("relu", 1 / 3, 2 / 3)])
    (read,) = csv.DictReader(io.StringIO(tables.as_csv(rows)))
    assert float(read["target s"]) == 1 / 3
    assert float(read["error %"]) == 2 / 3


@pytest.fixture
def tiny():
    return dataclasses.replace(
        Config(), train_examples=128, test_examples=32, batch_size=64, epochs=1, latency_samples=0
    )


def test_runs_are_paired_and_made_once(tiny, tmp_path, monkeypatch):
    first = compare.run_all(tiny, ["relu", "tanh"], 2, tmp_path)
    assert [(s["activation"], s["seed"]) for s in first] == [
        ("relu", 0),
        ("tanh", 0),
        ("relu", 1),
        ("tanh", 1),
    ]
    assert records.read_rows(tmp_path / "relu" / "seed1" / "metrics.jsonl")
    assert compare.run_all(tiny, ["relu", "tanh"], 2, tmp_path) == first


def test_compilation_is_paid_once_an_activation(tiny, tmp_path):
    first, second = compare.run_all(tiny, ["selu"], 2, tmp_path)
    assert second["compile_seconds"] < first["compile_seconds"]
    assert second["compile_seconds"] == 0


def test_a_run_that_fails_does_not_end_the_others(tiny, tmp_path, monkeypatch):
    fit = loop.fit

    def fail_once(config, workdir):
        if config.activation == "relu":
            raise NonFiniteLossError("NaN")
        return fit(config, workdir)

    monkeypatch.setattr(loop, "fit", fail_once)
    summaries = compare.run_all(tiny, ["relu", "tanh"], 1, tmp_path)
    assert summaries[0]["reached_target"] is False
    assert "test_accuracy" in summaries[1]


def test_folders_of_data_sets_that_are_paths_stay_within_the_comparison():
    for name in ("..", ".", "../up", "/abs/my.npz", "a/b"):
        folder = study.folder_name(name)
        assert folder == Path(folder).name
        assert not folder.startswith(".")
