"""The time of a start."""

import subprocess
import sys

import pytest

from benchmarks import start_up
from benchmarks.contenders.workers import WorkerError


def test_a_start_is_timed_until_its_first_record(tmp_path, monkeypatch):
    start, commands = subprocess.Popen, []
    run = (
        "import json, pathlib, sys, time; folder = pathlib.Path(sys.argv[1]); folder.mkdir();"
        "time.sleep(0.02); row = json.dumps({'compile_seconds': 0.01}) + '\\n';"
        "(folder / 'metrics.jsonl').write_text(row)"
    )

    def started(command, **options):
        commands.append(command)
        (workdir,) = (word for word in command if word.startswith("--workdir="))
        return start([sys.executable, "-c", run, workdir.removeprefix("--workdir=")], **options)

    monkeypatch.setattr(start_up.subprocess, "Popen", started)
    figures = start_up.seconds_to_first_row("small_cnn", "relu", tmp_path / "cache")
    assert figures["compile_seconds"] == 0.01 < figures["seconds"]
    assert commands[0][:3] == [sys.executable, "-m", "jaxact.main"]
    assert f"--compilation_cache={tmp_path / 'cache'}" in commands[0]


@pytest.mark.slow
def test_a_true_start_is_timed(tmp_path):
    figures = start_up.seconds_to_first_row("small_cnn", "relu", tmp_path / "cache")
    assert 0 < figures["compile_seconds"] < figures["seconds"]
    assert any((tmp_path / "cache").iterdir())


def test_a_run_that_fails_says_why(tmp_path):
    """A true start, which understands all else that it is told."""
    with pytest.raises(WorkerError, match=r"config\.activation='rellu'"):
        start_up.seconds_to_first_row("small_cnn", "rellu", tmp_path / "cache")


def test_data_that_are_not_there_are_replaced_by_digits(tmp_path, monkeypatch):
    monkeypatch.setattr(start_up.data, "default_data_dir", lambda: tmp_path)
    assert start_up.dataset_of("vgg11") == "digits"
    (tmp_path / "cifar10").mkdir()
    assert start_up.dataset_of("vgg11") == "cifar10"
    assert start_up.dataset_of("small_cnn") == "digits"
