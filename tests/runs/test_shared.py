"""Data are read once for all runs of a process that share them, and again if they change."""

import dataclasses
import io
import os
import threading
import time

import numpy as np
import pytest
from PIL import Image

from jaxact import data
from jaxact.runs.loading import run_data
from jaxact.runs.setup import prepare
from jaxact.runs.shared import Shared, size_bytes


@pytest.fixture
def reads(monkeypatch):
    """The data sets that are read from now on."""
    names, load = [], data.load
    monkeypatch.setattr(run_data, "DATA", Shared(lambda: 1e9))

    def counted(name, *more, **options):
        names.append(name)
        return load(name, *more, **options)

    monkeypatch.setattr(data, "load", counted)
    return names


def test_runs_that_differ_in_training_alone_share_their_images(tiny, reads):
    changes = [
        {"activation": "tanh"}, {"seed": 3}, {"learning_rate": 0.1}, {"epochs": 9},
        {"batch_size": 32}, {"dropout_rate": 0.1}, {"target_accuracy": 0.5},
    ]  # fmt: skip
    first = prepare(tiny)
    others = [prepare(dataclasses.replace(tiny, **change)) for change in changes]
    assert all(other.data is first.data for other in others)
    assert reads == ["digits"]


def test_runs_that_differ_in_their_images_share_what_was_read(tiny, reads):
    first = prepare(tiny)
    changes = {"preprocessing": "none", "train_examples": 100, "eval_split": "validation"}
    for change in ({name: value} for name, value in changes.items()):
        other = prepare(dataclasses.replace(tiny, **change))
        assert other.data is not first.data
    assert len(other.evaluations["validation"].labels)
    assert reads == ["digits"]
    prepare(dataclasses.replace(tiny, image_size=9))
    assert reads == ["digits"] * 2


@pytest.mark.parametrize("is_folder", [False, True])
def test_own_data_that_change_are_read_again(tiny, reads, tmp_path, is_folder):
    rng = np.random.default_rng(0)

    def write(value):
        images = rng.integers(0, 200, (40, 8, 8), np.uint8)
        images[0] = value
        labels = np.arange(40) % 2
        if not is_folder:
            np.savez(tmp_path / "own.npz", images=images, labels=labels)
            return str(tmp_path / "own.npz")
        for k, (image, label) in enumerate(zip(images, labels, strict=True)):
            (tmp_path / f"class{label}").mkdir(exist_ok=True)
            Image.fromarray(image).save(tmp_path / f"class{label}" / f"{k}.png")
        return str(tmp_path)

    config = dataclasses.replace(
        tiny, dataset=write(1), train_examples=None, test_examples=None, batch_size=8
    )
    first = prepare(config)
    assert prepare(config).data is first.data
    time.sleep(0.02)  # a file system's clock is coarse
    write(255)
    assert prepare(config).data is not first.data
    assert len(reads) == 2


def test_own_data_that_keep_their_time_of_change_are_read_again(tiny, reads, tmp_path):
    path = tmp_path / "own.npz"

    def write(value):
        content = io.BytesIO()
        np.savez(content, images=np.full((40, 8, 8), value, np.uint8), labels=np.arange(40) % 2)
        with path.open("r+b" if path.exists() else "wb") as file:
            file.write(content.getvalue())
        os.utime(path, (1e9, 1e9))

    config = dataclasses.replace(
        tiny, dataset=str(path), train_examples=None, test_examples=None, batch_size=8
    )
    write(1)
    first = prepare(config)
    time.sleep(0.02)
    write(2)
    assert prepare(config).data is not first.data
    assert len(reads) == 2


def test_what_was_not_asked_for_the_longest_is_let_go():
    shared, made = Shared(lambda: 250.0), []

    def get(key):
        return shared.get(key, lambda: made.append(key) or np.zeros(100, np.uint8))

    for key in "abacab":  # c takes the place of b, which was not asked for since
        get(key)
    assert made == list("abcb")
    assert Shared(lambda: 50.0).get("large", lambda: np.zeros(100, np.uint8)).size == 100


def test_a_failure_is_not_kept_and_two_threads_make_it_once():
    shared, made = Shared(lambda: 1e9), []
    with pytest.raises(ZeroDivisionError):
        shared.get("x", lambda: 1 / 0)

    def slow():
        time.sleep(0.05)
        made.append(1)
        return (1,)

    threads = [threading.Thread(target=shared.get, args=("x", slow)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_the_size_is_that_of_all_arrays(tiny):
    images = run_data.load(tiny)
    assert size_bytes(images) > images.train.images.nbytes + images.test_images.nbytes
    assert size_bytes({"a": np.zeros(3), "b": [np.zeros(2, np.uint8), None, "text"]}) == 26
