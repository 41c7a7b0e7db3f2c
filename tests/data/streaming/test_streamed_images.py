"""Folders that are streamed: the same images, labels, notes and fits as those held in memory."""

import math

import numpy as np
import pytest
from PIL import Image

from jaxact import data
from jaxact.data import kept
from jaxact.data.own.file_images import FileImages
from jaxact.data.own.files import Files
from jaxact.data.streaming.images import StreamedImages, chunks
from jaxact.data.streaming.rows import Rows
from jaxact.errors import DataError
from tests.support.own_files import CLASSES, class_folders, png16

pytest.importorskip("grain", reason="Grain streams images: pip install grain")


@pytest.fixture(params=["decoded before", "from its files"])
def loaded(request, tmp_path, monkeypatch):
    """A folder of images of several sizes in memory, and streamed."""
    monkeypatch.setenv(kept.FOLDER, str(tmp_path / "kept"))
    monkeypatch.setenv(kept.LIMIT, "1" if request.param == "decoded before" else "0")
    root = tmp_path / "mine"
    class_folders(root, 9, (20, 31, 3))
    Image.new("RGBA", (40, 30), (200, 0, 0, 0)).save(root / "bee" / "clear.png")
    Image.fromarray(np.arange(30 * 25, dtype=np.uint8).reshape(30, 25)).save(root / "ant" / "x.jpg")
    return [data.load(str(root), image_size=5, resident_bytes=limit) for limit in (math.inf, 0)]


def test_a_folder_is_the_same_data_wherever_its_images_are(loaded):
    held, streamed = loaded
    assert isinstance(streamed.train.images, StreamedImages)
    assert isinstance(held.train.images, np.ndarray)
    assert streamed.fingerprint == held.fingerprint
    assert streamed.note == held.note
    assert "laid on white, being transparent: 1 (bee/clear.png)" in held.note
    for name, split in held.splits().items():
        other = streamed.splits()[name]
        np.testing.assert_array_equal(other.labels, split.labels)
        np.testing.assert_array_equal(np.asarray(other.images), split.images)
        assert (other.images.shape, other.images.size) == (split.images.shape, split.images.size)


def test_subsets_and_held_out_images_are_chosen_without_reading(loaded, monkeypatch):
    held, streamed = loaded
    read = type(streamed.train.images.source).read
    monkeypatch.setattr(type(streamed.train.images.source), "read", None)
    parts = [
        (*data.hold_out(loaded.train, 7), data.subset(loaded.train, 5, 1))
        for loaded in (held, streamed)
    ]
    monkeypatch.setattr(type(streamed.train.images.source), "read", read)
    for one, other in zip(*parts, strict=True):
        np.testing.assert_array_equal(np.asarray(other.images), one.images)
        np.testing.assert_array_equal(other.labels, one.labels)
        np.testing.assert_array_equal(other.images[1], one.images[1])
        np.testing.assert_array_equal(other.images[-1], one.images[-1])


@pytest.mark.parametrize("name", data.preprocessings())
def test_what_is_fitted_is_the_same_wherever_images_are(loaded, name):
    fits = [data.fit_preprocessing(name, dataset.train.images) for dataset in loaded]
    for one, other in zip(*fits, strict=True):
        np.testing.assert_array_equal(one, other)


def test_colours_and_enlarged_images_are_the_same_wherever_images_are(loaded):
    held, streamed = (dataset.train.images for dataset in loaded)
    np.testing.assert_array_equal(data.color_components(held), data.color_components(streamed))
    large = data.fit_to_model(streamed, 17)
    assert large.shape[1:] == (17, 17, 3)
    np.testing.assert_array_equal(np.asarray(large), data.fit_to_model(held, 17))
    np.testing.assert_array_equal(np.concatenate(list(chunks(large))), np.asarray(large))


def test_a_folder_is_decoded_once(tmp_path, monkeypatch):
    monkeypatch.setenv(kept.FOLDER, str(tmp_path / "kept"))
    monkeypatch.setattr(kept, "WORTH_SECONDS", 0.0)
    class_folders(tmp_path / "mine", 6)
    first = data.load(str(tmp_path / "mine"))
    streamed = data.load(str(tmp_path / "mine"), resident_bytes=0)
    assert isinstance(streamed.train.images.source, Rows)
    monkeypatch.setattr(FileImages, "read", None)
    again = data.load(str(tmp_path / "mine"))
    np.testing.assert_array_equal(again.train.images, first.train.images)
    assert (again.fingerprint, again.note) == (first.fingerprint, first.note)
    np.testing.assert_array_equal(np.asarray(streamed.train.images), first.train.images)
    monkeypatch.undo()
    monkeypatch.setenv(kept.FOLDER, str(tmp_path / "kept"))
    Image.new("RGB", (10, 9), (1, 2, 3)).save(tmp_path / "mine" / "ant" / "0.png")
    assert data.load(str(tmp_path / "mine")).fingerprint != first.fingerprint


@pytest.mark.parametrize("limit_gib", ["0", "1"])
def test_broken_images_are_told_before_anything_is_trained(tmp_path, monkeypatch, limit_gib):
    monkeypatch.setenv(kept.FOLDER, str(tmp_path / "kept"))
    monkeypatch.setenv(kept.LIMIT, limit_gib)
    class_folders(tmp_path / "mine", 6)
    path = tmp_path / "mine" / "bee" / "3.png"
    path.write_bytes(path.read_bytes()[:120])
    with pytest.raises(DataError, match=r"bee/3\.png.* cannot be read"):
        data.load(str(tmp_path / "mine"), resident_bytes=0)
    assert not list(tmp_path.glob("kept/*"))


def test_dark_images_of_16_bits_are_refused_where_they_are_streamed(tmp_path):
    class_folders(tmp_path, 3)
    (tmp_path / "ant" / "dark.png").write_bytes(png16(np.full((9, 10, 3), 900)))
    with pytest.raises(DataError, match=r"in ant/dark\.png\) no value is above"):
        data.load(str(tmp_path), resident_bytes=0)


def test_an_image_that_is_lost_while_training_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(kept.LIMIT, "0")
    class_folders(tmp_path, 4)
    images = data.load(str(tmp_path), resident_bytes=0).train.images
    (tmp_path / CLASSES[0] / "0.png").unlink()
    with pytest.raises(DataError, match=r"no longer what it was: .*ant/0\.png is a link to noth"):
        np.asarray(images)


def test_rows_that_are_cut_off_are_named(tmp_path):
    (tmp_path / "images").write_bytes(bytes(range(24)))
    rows = Rows(tmp_path / "images", (2, 2, 3), "0")
    images = StreamedImages(rows)
    np.testing.assert_array_equal(np.asarray(images).ravel(), np.arange(24))
    with open(tmp_path / "images", "r+b") as file:
        file.truncate(20)
    with pytest.raises(DataError, match="has lost image 1; remove this file"):
        images[:]


def test_paths_of_many_files_come_back_in_their_order(tmp_path):
    files, more = Files(), Files()
    files.add("/a", ["1.png", "2\n.png"])
    more.add("/b", [])
    more.add("/b/c", ["\udcff.png"])
    files.extend(more)
    assert [str(path) for path in files] == ["/a/1.png", "/a/2\n.png", "/b/c/\udcff.png"]
    assert files[1:] == list(files)[1:]
    for place in (3, -1):
        with pytest.raises(IndexError):
            files[place]
