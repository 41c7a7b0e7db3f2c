"""Records are whole or not there; the clock goes on; the environment is described."""

import contextlib
import dataclasses
import json

import pytest

from jaxact.compilation.clock import Clock, process_age_seconds
from jaxact.config import Config
from jaxact.errors import ConfigError
from jaxact.runs.process import environment
from jaxact.runs.records import record_files, workdirs


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a.json"
    record_files.write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        record_files.write_json(path, {"a": float("nan")})
    assert record_files.read_json(path) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_rows_are_appended_and_replaced(tmp_path):
    path = tmp_path / "metrics.jsonl"
    record_files.append_row(path, {"epoch": 1})
    record_files.append_row(path, {"epoch": 2})
    assert record_files.read_rows(path) == [{"epoch": 1}, {"epoch": 2}]
    record_files.write_rows(path, [{"epoch": 1}])
    assert record_files.read_rows(path) == [{"epoch": 1}]


@pytest.mark.parametrize("text", ["{", "\x00", "[1]"])
def test_a_damaged_config_is_refused_and_left_as_it_is(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ConfigError, match="choose another"):
        workdirs.check_workdir(tmp_path, {"epochs": 1})
    assert (tmp_path / "config.json").read_text() == text


@pytest.mark.parametrize(
    ("stored", "field"),
    [({"epochs": 9, "seed": 1}, "seed"), ({"epochs": 1}, "seed"), ({"seed": 2, "old": 1}, "old")],
)
def test_fields_that_differ_are_named(tmp_path, stored, field):
    (tmp_path / "config.json").write_text(json.dumps(stored))
    with pytest.raises(ConfigError, match=rf"configuration: {field} \("):
        workdirs.check_workdir(tmp_path, {"epochs": 1, "seed": 2})


def test_the_same_fields_but_epochs_are_welcome(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"epochs": 9, "seed": 0}))
    workdirs.check_workdir(tmp_path, {"epochs": 1, "seed": 0})


def test_a_run_from_before_a_field_goes_on_where_the_field_has_its_default(tmp_path):
    fields = dataclasses.asdict(Config())
    (tmp_path / "config.json").write_text(json.dumps({**fields, "old": None}))
    workdirs.check_workdir(tmp_path, fields)
    del fields["bias_init"], fields["dropout_rate"]
    (tmp_path / "config.json").write_text(json.dumps(fields))
    workdirs.check_workdir(tmp_path, dataclasses.asdict(Config()))
    with pytest.raises(ConfigError, match=r"dropout_rate \(0.5 there, 0.1 now\)"):
        workdirs.check_workdir(tmp_path, dataclasses.asdict(Config(dropout_rate=0.1)))


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ({"data_dir": "/mnt/a"}, {"data_dir": "/mnt/b"}, True),
        ({"devices": 1}, {"devices": 4, "distributed": "localhost:1234,2,0"}, True),
        ({"activation": "leaky_relu(negative_slope=0.01)"}, {"activation": "leaky_relu"}, True),
        ({"activation": "relu"}, {"activation": " relu "}, True),
        ({"activation": "leaky_relu"}, {"activation": "leaky_relu(negative_slope=0.2)"}, False),
        # of one's own images the fingerprint decides, later
        ({"dataset": "./a/mine.npz"}, {"dataset": "/elsewhere/mine.npz"}, True),
        ({"dataset": "mnist"}, {"dataset": "/elsewhere/mine.npz"}, False),
    ],
)
def test_what_is_written_otherwise_and_means_the_same_goes_on(tmp_path, old, new, is_same):
    config = dataclasses.asdict(Config())
    (tmp_path / "config.json").write_text(json.dumps(config | old))
    outcome = contextlib.nullcontext() if is_same else pytest.raises(ConfigError, match="another")
    with outcome:
        workdirs.check_workdir(tmp_path, config | new)


def test_a_resumed_clock_counts_on():
    clock = Clock()
    clock.go_on_from(
        {
            "train_seconds": 10.0,
            "eval_seconds": 2.0,
            "health_seconds": 1.0,
            "compile_seconds": 3.0,
            "wall_seconds": 100.0,
        }
    )
    with clock.timing("train_seconds"):
        pass
    readings = clock.readings()
    assert readings["train_seconds"] > 10
    assert readings["eval_seconds"] == 2
    assert readings["wall_seconds"] > 100


def test_time_in_a_block_that_fails_counts_too():
    clock = Clock()
    with pytest.raises(RuntimeError), clock.timing("eval_seconds"):
        raise RuntimeError
    assert clock.eval_seconds > 0


def test_the_process_has_an_age():
    assert process_age_seconds() > 0


def test_the_environment_is_json_with_versions():
    described = environment.describe()
    json.dumps(described)
    assert described["jax"]
    assert described["cpu_model"]
    assert environment.peak_memory_bytes() > 10**6
