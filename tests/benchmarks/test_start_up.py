"""The time of a start, measured on true ones."""

import pytest

from benchmarks import start_up
from benchmarks.contenders.workers import WorkerError


def test_a_start_is_timed_until_its_first_record(tmp_path):
    figures = start_up.seconds_to_first_row("small_cnn", "relu", tmp_path / "cache")
    assert 0 < figures["compile_seconds"] < figures["seconds"]
    assert any((tmp_path / "cache").iterdir())


def test_a_run_that_fails_says_why(tmp_path):
    with pytest.raises(WorkerError, match=r"config\.activation='rellu'"):
        start_up.seconds_to_first_row("small_cnn", "rellu", tmp_path / "cache")


def test_data_that_are_not_there_are_replaced_by_digits(tmp_path, monkeypatch):
    monkeypatch.setattr(start_up.data, "default_data_dir", lambda: tmp_path)
    assert start_up.dataset_of("vgg11") == "digits"
    (tmp_path / "cifar10").mkdir()
    assert start_up.dataset_of("vgg11") == "cifar10"
    assert start_up.dataset_of("small_cnn") == "digits"
