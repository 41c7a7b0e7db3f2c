"""Streams: the batches of their plans, in order, from any number of threads and processes."""

import collections
import os
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest

from jaxact import data
from jaxact.data import kept
from jaxact.data.streaming import pipeline
from jaxact.data.streaming.pipeline import Stream
from jaxact.data.streaming.plans import Again, Epochs, OrdersInFolder, OrdersInMemory
from jaxact.errors import DataError
from tests.support.killing import readers
from tests.support.own_files import class_folders
from tests.support.paths import ROOT, python_path

pytest.importorskip("grain", reason="Grain streams images: pip install grain")


@pytest.fixture
def images(tmp_path, monkeypatch):
    """Images of a folder, which are decoded as they are read."""
    monkeypatch.setenv(kept.LIMIT, "0")
    class_folders(tmp_path / "mine", 10)
    return data.load(str(tmp_path / "mine"), resident_bytes=0).train.images


def drawn_orders(epochs, examples=24):
    return [np.random.default_rng(epoch).permutation(examples) for epoch in range(epochs)]


@pytest.mark.parametrize(("workers", "begin"), [(0, 0), (0, 4), (2, 4)])
def test_batches_are_those_of_each_epochs_order(images, tmp_path, workers, begin):
    orders = OrdersInFolder(tmp_path / "orders") if workers else OrdersInMemory()
    (tmp_path / "orders").mkdir()
    plan = Epochs(images.places, 7, 3, orders)
    stream = Stream(images.source, plan, begin, workers)
    assert len(plan) == 9
    held = np.asarray(images)
    drawn = drawn_orders(3)

    def put():
        for epoch, order in enumerate(drawn):
            time.sleep(0.05)  # it is waited for
            orders.put(epoch, order)

    putting = threading.Thread(target=put)
    putting.start()
    batches = list(stream)
    stream.close()
    putting.join()
    assert len(batches) == 9 - begin
    for step, batch in enumerate(batches, begin):
        rows = drawn[step // 3][step % 3 * 7 : step % 3 * 7 + 7]
        np.testing.assert_array_equal(batch.images, held[rows])
        assert not batch.facts.any()


def test_a_split_is_read_over_and_over(images):
    stream = Stream(images.source, Again(images.places, 10, 100), workers=0)
    held = np.asarray(images)
    for _ in range(2):
        read = [next(stream).images for _ in range(3)]
        assert [len(batch) for batch in read] == [10, 10, 4]
        np.testing.assert_array_equal(np.concatenate(read), held)
    stream.close()


def test_orders_long_past_are_forgotten(tmp_path):
    files, memory = OrdersInFolder(tmp_path), OrdersInMemory()
    for epoch, order in enumerate(drawn_orders(6)):
        for orders in (files, memory):
            orders.put(epoch, order)
            np.testing.assert_array_equal(orders.get(epoch), order)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.npy", "4.npy", "5.npy"]
    assert sorted(memory._orders) == [3, 4, 5]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_stream_that_waits_can_be_closed(images, tmp_path, workers):
    (tmp_path / "orders").mkdir()
    orders = OrdersInFolder(tmp_path / "orders") if workers else OrdersInMemory()
    orders.put(0, drawn_orders(1)[0])
    stream = Stream(images.source, Epochs(images.places, 7, 3, orders), 0, workers)
    for _ in range(3):
        next(stream)
    orders.close()
    with pytest.raises(RuntimeError, match="the stream is closed"):
        next(stream)
    stream.close()
    assert not readers()


def test_a_process_that_dies_is_told(images):
    stream = Stream(images.source, Again(images.places, 2, 10_000), workers=1)
    next(stream)
    (reader,) = readers()
    reader.kill()
    with pytest.raises(DataError, match=r"ended from outside.*config\.loading_workers=0"):
        collections.deque(stream)
    stream.close()


KILLED = """
import sys
from pathlib import Path
import numpy as np
from jaxact import data
from jaxact.data.streaming.pipeline import Stream
from jaxact.data.streaming.plans import Again
images = data.load(sys.argv[1], resident_bytes=0).train.images
stream = Stream(images.source, Again(images.places, 8, 10**6), 0, 1, Path(sys.argv[2]))
next(stream)
print("reads", flush=True)
next(sys.stdin)
"""


def test_processes_end_with_the_one_that_is_killed(images, tmp_path):
    """Without a main guard in it, and though it can clean nothing up."""
    (tmp_path / "orders").mkdir()
    (tmp_path / "killed.py").write_text(KILLED)
    command = [sys.executable, "killed.py", str(tmp_path / "mine"), str(tmp_path / "orders")]
    environment = os.environ | {"PYTHONPATH": python_path(ROOT)}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reads\n"
        reading = readers(process.pid)
        assert len(reading) == 1
        process.kill()
    _, alive = psutil.wait_procs(reading, 60)
    assert not alive
    assert not (tmp_path / "orders").exists()


def test_processes_are_started_where_they_pay(images, monkeypatch):
    monkeypatch.setattr(pipeline, "usable_cores", lambda: 8)
    assert pipeline.default_workers(images.source) == 4
    images.source.is_slow = False
    assert pipeline.default_workers(images.source) == 0
    images.source.is_slow = True
    monkeypatch.setattr(pipeline, "usable_cores", lambda: 2)
    assert pipeline.default_workers(images.source) == 0
    assert pipeline.usable_cores() <= (os.cpu_count() or 1)
