"""Files of any bytes: every reader ends in data or in a DataError of one line, and writes nothing.

A soak: `JAXACT_FUZZ_EXAMPLES=20000 pytest tests/data/formats/test_hostile_files.py`.
"""

import gzip
import io
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from jaxact import data
from jaxact.data.formats import idx as idx_format
from jaxact.data.formats.cifar import CIFAR10
from jaxact.errors import DataError
from tests.support.own_files import arrays, class_folders, encoded, npy, png_chunk
from tests.support.published_files import (
    binary_members,
    idx,
    make_split,
    pickled_batches,
    put,
    source_of,
    tar_gz,
)

EXAMPLES = int(os.environ.get("JAXACT_FUZZ_EXAMPLES", "30"))
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

IMAGES, LABELS = arrays(6, (3, 4, 1))
TRAIN, TEST = make_split(0, 10, (28, 28, 1)), make_split(1, 10, (28, 28, 1))
IDX = {
    name: idx(array)
    for name, array in zip(
        idx_format.FILES,
        (TRAIN.images[..., 0], TRAIN.labels, TEST.images[..., 0], TEST.labels),
        strict=True,
    )
}
CIFAR = make_split(2, 10, (32, 32, 3)), make_split(3, 2, (32, 32, 3))
BATCHES = pickled_batches(*CIFAR)
BINARY = binary_members(*CIFAR)

# An edit: at a share of the length, so many bytes are replaced by these.
edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8)), min_size=0, max_size=4
)
ends = st.one_of(st.just(1.0), st.floats(0, 1))

# Most bytes of a file are pixels: headers are hit by edits near the start.
near_start = st.lists(
    st.tuples(st.floats(0, 0.05), st.integers(0, 8), st.binary(max_size=8)), max_size=4
)
changes = st.one_of(edits, near_start)


def edited(content: bytes, changes: list[tuple[float, int, bytes]], end: float = 1.0) -> bytes:
    for share, length, new in changes:
        at = int(share * len(content))
        content = content[:at] + new + content[at + length :]
    return content[: int(end * len(content))]


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("room")


def everything_below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def holds(room: Path, files: dict[str, bytes], load: Callable[[], data.Dataset]) -> str:
    """Loads files that it puts into `room/inside`; returns the error's message, or ""."""
    put(room / "inside", files)
    before = everything_below(room)
    old_folder = os.getcwd()
    os.chdir(room)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dataset = load()
    except DataError as error:
        message = str(error)
    else:
        message = ""
        for split in (dataset.train, dataset.test):
            assert split.images.dtype == np.uint8
            assert len(split.images) == len(split.labels) > 0
            assert 0 <= split.labels.min() <= split.labels.max() < dataset.num_classes
    finally:
        os.chdir(old_folder)
    assert not message or message.isprintable()
    assert everything_below(room) == before
    return message


def loads_published(room: Path, name: str, contents: dict[str, bytes]) -> str:
    """As if these bytes were the published ones, whose checksums are verified first."""
    source = {name: source_of(name, contents)}
    files = {f"{name}/{file}": content for file, content in contents.items()}
    return holds(room, files, lambda: data.load(name, room / "inside", source))


@fuzz
@given(st.sampled_from(idx_format.FILES), changes, ends, st.sampled_from(["inner", "outer"]))
def test_idx_files_of_any_bytes(room, name, changes, end, where):
    inner = edited(IDX[name], changes, end) if where == "inner" else IDX[name]
    outer = gzip.compress(inner, mtime=0)
    if where == "outer":
        outer = edited(outer, changes, end)
    contents = {file: gzip.compress(content, mtime=0) for file, content in IDX.items()}
    loads_published(room / "idx", "mnist", {**contents, name: outer})


@fuzz
@given(st.sampled_from(sorted(BATCHES)), changes, ends, st.none() | st.binary(max_size=200))
def test_pickles_of_any_bytes(room, name, changes, end, instead):
    batch = edited(BATCHES[name], changes, end) if instead is None else b"\x80\x02" + instead + b"."
    loads_published(room / "pickle", "cifar10", {**BATCHES, name: batch})


@fuzz
@given(st.sampled_from(["inner", "outer"]), changes, ends, st.booleans())
def test_archives_of_any_bytes(room, where, changes, end, is_pickled):
    name, members = (
        (CIFAR10.python_archive, BATCHES) if is_pickled else (CIFAR10.binary_archive, BINARY)
    )
    archive = gzip.decompress(tar_gz({"../outside": b"x", "/absolute": b"x", **members}))
    if where == "inner":
        content = gzip.compress(edited(archive, changes, end), 1, mtime=0)
    else:
        content = edited(gzip.compress(archive, 1, mtime=0), changes, end)
    loads_published(room / f"tar{is_pickled}", "cifar10", {name: content})


@st.composite
def npz_bytes(draw) -> bytes:
    """An archive of edited arrays, or an edited archive."""
    arrays = {"images": npy(IMAGES), "labels": npy(LABELS)}
    edited_array = draw(st.sampled_from([None, *arrays]))
    if edited_array:
        arrays[edited_array] = edited(arrays[edited_array], draw(edits))
    names = draw(
        st.sampled_from([("images", "labels"), ("../images", "labels"), ("/images", "images")])
    )
    content = stored_zip({f"{n}.npy": c for n, c in zip(names, arrays.values(), strict=True)})
    return content if edited_array else edited(content, draw(changes), draw(ends))


def stored_zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


@fuzz
@given(st.one_of(npz_bytes(), st.binary(max_size=300)))
def test_npz_files_of_any_bytes(room, content):
    path = room / "npz" / "inside" / "my.npz"
    holds(room / "npz", {"my.npz": content}, lambda: data.load(str(path)))


HEADER_WORDS = (
    *("{", "}", "(", ")", ":", ",", " ", "\n", "True", "'descr'", "'fortran_order'", "'shape'"),
    *("'<f4'", "'|O'", "'|u1'", "6", "-1", "3", "4", "99999999999999999999", "1e9"),
)


@fuzz
@given(st.lists(st.sampled_from(HEADER_WORDS), max_size=24), st.binary(max_size=80))
def test_npy_headers_of_any_words(room, words, content):
    header = "".join(words).encode()
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content
    archive = stored_zip({"images.npy": array, "labels.npy": npy(LABELS)})
    path = room / "header" / "inside" / "my.npz"
    holds(room / "header", {"my.npz": archive}, lambda: data.load(str(path)))


@fuzz
@given(
    st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"]),
    edits,
    ends,
    st.none()
    | st.tuples(
        st.sampled_from([b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"zTXt", b"acTL"]),
        st.binary(max_size=60),
    ),
)
def test_images_of_any_bytes(room, form, changes, end, extra):
    folder = room / "images" / "inside"
    if not folder.exists():
        class_folders(folder, 3)
    content = encoded(np.arange(270, dtype=np.uint8).reshape(9, 10, 3), form)
    if extra and form == "PNG":
        content = content[:33] + png_chunk(*extra) + content[33:]
    content = edited(content, changes, end)
    holds(room / "images", {f"bee/new.{form}": content}, lambda: data.load(str(folder)))
    (folder / f"bee/new.{form}").unlink()


def test_without_an_edit_everything_is_read(tmp_path):
    """Otherwise the examples above would say little."""
    contents = {file: gzip.compress(content) for file, content in IDX.items()}
    archives = {
        CIFAR10.python_archive: BATCHES,
        CIFAR10.binary_archive: BINARY,
    }
    messages = [loads_published(tmp_path / "idx", "mnist", contents)]
    messages += [loads_published(tmp_path / "pickle", "cifar10", BATCHES)]
    for name, members in archives.items():
        messages += [loads_published(tmp_path / name, "cifar10", {name: tar_gz({**members})})]
    path = tmp_path / "npz" / "inside" / "my.npz"
    content = stored_zip({"images.npy": npy(IMAGES), "labels.npy": npy(LABELS)})
    messages += [holds(tmp_path / "npz", {"my.npz": content}, lambda: data.load(str(path)))]
    assert messages == [""] * 5
