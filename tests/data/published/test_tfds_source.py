import dataclasses
import gzip
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from jaxact import data
from jaxact.data.formats import idx as idx_format
from jaxact.data.published import tfds_download, tfds_source
from jaxact.errors import DataError
from tests.support.paths import ROOT, python_path
from tests.support.published_files import assert_same_split, idx, source_of


@pytest.fixture
def published(mnist, server):
    """MNIST in small on the server."""
    server.contents = mnist.contents
    return mnist


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    """Pauses between tries, as many as for users."""
    short = tuple(seconds / 100 for seconds in tfds_download._PAUSES_SECONDS)
    monkeypatch.setattr(tfds_download, "_PAUSES_SECONDS", short)


def everything_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_download_is_prepared_and_then_read_without_the_server(published, server, tmp_path):
    sources = published.source(server.url)
    first = data.load("mnist", tmp_path, sources)
    asked = len(server.requests)
    second = data.load("mnist", tmp_path, sources)
    assert sorted(server.requests) == sorted(published.contents)
    assert asked == len(server.requests)
    for loaded in (first, second):
        assert_same_split(loaded.train, published.train)
        assert_same_split(loaded.test, published.test)
    below = everything_below(tmp_path / "mnist")
    assert "prepared/1.0.0/dataset_info.json" in below
    assert all(name.startswith("prepared") for name in below)


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_cifar_is_downloaded_as_the_archive_without_pickles(request, server, tmp_path, name):
    published = request.getfixturevalue(name)
    server.contents = published.contents
    loaded = data.load(name, tmp_path, published.source(server.url))
    assert server.requests == [f"cifar-{name.removeprefix('cifar')}-binary.tar.gz"]
    assert_same_split(loaded.train, published.train)
    assert_same_split(data.load(name, tmp_path, published.source()).train, published.train)


def test_nothing_but_the_server_is_connected_to(published, server, tmp_path, monkeypatch):
    connected = []
    connect = socket.socket.connect

    def record(self, address):
        connected.append(address)
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", record)
    data.load("mnist", tmp_path, published.source(server.url))
    assert {f"http://{host}:{port}/" for host, port in connected} == {server.url}


def test_a_cut_connection_is_tried_again(published, server, tmp_path):
    server.cuts = 1
    loaded = data.load("mnist", tmp_path, published.source(server.url))
    assert len(server.requests) == len(published.contents) + 1
    assert_same_split(loaded.train, published.train)


@pytest.mark.parametrize(
    ("trouble", "tries", "message"),
    [
        ({"cuts": 99}, [3], "IncompleteRead"),
        ({"status": 503}, [3], "503"),
        ({"status": 403}, [1], "403"),
        ({"contents": {}}, [1], "404"),
        (
            {"contents": dict.fromkeys(idx_format.FILES, b"other bytes")},
            [1, 2, 3, 4],
            "wrong checksum",
        ),
    ],
)
def test_a_failed_download_says_what_to_do_and_leaves_nothing(
    published, server, tmp_path, trouble, tries, message
):
    for name, value in trouble.items():
        setattr(server, name, value)
    with pytest.raises(DataError) as caught:
        data.load("mnist", tmp_path, published.source(server.url))
    text = str(caught.value)
    assert message in text
    assert f"put {', '.join(idx_format.FILES)} from {server.url} into {tmp_path}/mnist/" in text
    assert "\n" not in text
    assert len(server.requests) in tries
    assert everything_below(tmp_path) == ["mnist"]


def test_a_server_that_is_not_there(published, server, tmp_path):
    sources = published.source(server.url)
    server.stop()
    with pytest.raises(DataError, match=r"Connection refused.*put train-images"):
        data.load("mnist", tmp_path, sources)
    assert everything_below(tmp_path) == ["mnist"]


def test_after_a_failure_the_next_load_succeeds(published, server, tmp_path):
    server.status = 403
    with pytest.raises(DataError):
        data.load("mnist", tmp_path, published.source(server.url))
    server.status = 200
    assert_same_split(
        data.load("mnist", tmp_path, published.source(server.url)).train, published.train
    )


def test_a_folder_that_cannot_be_written(published, server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be written to .*file.*another folder"):
        data.load("mnist", tmp_path / "file", published.source(server.url))
    assert not server.requests


def test_labels_out_of_range_are_not_prepared(published, server, tmp_path):
    labels = gzip.compress(idx(np.full(50, 10)))
    server.contents = {**published.contents, idx_format.FILES[1]: labels}
    sources = {"mnist": source_of("mnist", server.contents, server.url)}
    with pytest.raises(DataError, match=r"labels must be 0 to 9"):
        data.load("mnist", tmp_path, sources)
    assert everything_below(tmp_path) == ["mnist"]


def test_a_download_that_cannot_be_parsed(published, server, tmp_path):
    server.contents = {**published.contents, idx_format.FILES[0]: b"not gzip"}
    sources = {"mnist": source_of("mnist", server.contents, server.url)}
    with pytest.raises(DataError, match=r"cannot be read: train-images.* not a whole gzip"):
        data.load("mnist", tmp_path, sources)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "no info", "other shape"])
def test_damaged_prepared_files_are_refused(published, server, tmp_path, damage):
    sources = published.source(server.url)
    data.load("mnist", tmp_path, sources)
    folder = tfds_source.prepared_folder(sources["mnist"], tmp_path)
    records = next(folder.glob("*train*array_record*"))
    content = bytearray(records.read_bytes())
    if damage == "truncated":
        records.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[200:300] = bytes(reversed(content[200:300]))
        records.write_bytes(content)
    elif damage == "no info":
        (folder / "dataset_info.json").write_text("{")
    else:
        sources = {"mnist": dataclasses.replace(sources["mnist"], image_shape=(14, 14, 1))}
    with pytest.raises(DataError, match=f"{folder} is damaged .*delete it"):
        data.load("mnist", tmp_path, sources)


def test_who_comes_second_keeps_what_the_first_prepared(published, server, tmp_path, monkeypatch):
    sources = published.source(server.url)
    prepare = tfds_source._prepare

    def prepare_after_another(dataset, source, folder):
        monkeypatch.setattr(tfds_source, "_prepare", prepare)
        data.load("mnist", tmp_path, sources)
        prepare(dataset, source, folder)

    monkeypatch.setattr(tfds_source, "_prepare", prepare_after_another)
    assert_same_split(data.load("mnist", tmp_path, sources).train, published.train)
    assert len(server.requests) == 2 * len(published.contents)
    assert_same_split(data.load("mnist", tmp_path, sources).test, published.test)
    assert all(name.startswith("prepared") for name in everything_below(tmp_path / "mnist"))


def without_tfds(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)


def test_without_tfds_the_message_says_how_to_get_it(published, tmp_path, monkeypatch):
    without_tfds(monkeypatch)
    with pytest.raises(DataError, match=r"pip install tensorflow-datasets, or put train-images"):
        data.load("mnist", tmp_path, published.source())
    assert everything_below(tmp_path) == []


def test_without_tfds_original_files_beside_prepared_ones_are_read(
    published, server, tmp_path, monkeypatch
):
    data.load("mnist", tmp_path, published.source(server.url))
    for name, content in published.contents.items():
        (tmp_path / "mnist" / name).write_bytes(content)
    without_tfds(monkeypatch)
    assert_same_split(data.load("mnist", tmp_path, published.source()).train, published.train)


def test_tensorflow_is_not_imported_and_nothing_is_printed(published, server, tmp_path):
    """A tensorflow that is installed is imported by whoever asks for it: here it would be seen."""
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text("raise SystemExit('tensorflow!')")
    source = published.source()["mnist"]
    program = f"""
        import dataclasses, sys
        from jaxact import data
        from jaxact.data.published.sources import File, Layout
        files = {[dataclasses.astuple(file) for file in source.download.files]}
        row = data.SOURCES["mnist"]
        layout = Layout(tuple(File(*file) for file in files), row.download.read)
        row = dataclasses.replace(row, base_url={server.url!r}, download=layout, layouts=(layout,))
        for _ in range(2):
            data.load("mnist", {str(tmp_path)!r}, {{"mnist": row}})
        assert "tensorflow_datasets" in sys.modules
        assert "tensorflow" not in sys.modules
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": python_path(tmp_path, ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
