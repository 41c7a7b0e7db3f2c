"""Images to predict on: which files words name, and what becomes of them."""

import os

import numpy as np
import pytest
from PIL import Image

from jaxact import data
from jaxact.data.own import unlabelled
from jaxact.errors import DataError
from tests.support.own_files import class_folders

GREY, COLOUR = (8, 9, 1), (8, 9, 3)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Ten images in two folders, and what is none of them."""
    rng = np.random.default_rng(0)
    for name in ("10.png", "9.png", "b/1.JPG", "b/2.gif", ".hidden.png", ".trash/0.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 9), np.uint8)).save(path)
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photos"


ALL = ["photos/9.png", "photos/10.png", "photos/b/1.JPG", "photos/b/2.gif"]


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        (["photos"], ALL),
        (["photos/"], ALL),
        (["photos/10.png", "photos"], ["photos/10.png", "photos/9.png", *ALL[2:]]),
        (["photos/*.png"], ALL[:2]),
        (["photos/*"], ALL[:2]),  # a folder is taken where it is named, a text never
        (["photos/**/*.gif"], ALL[3:]),
        (["photos/notes.txt"], ["photos/notes.txt"]),  # named: then it is told what is wrong
    ],
)
@pytest.mark.usefixtures("photos")
def test_words_name_files_folders_and_patterns(words, paths):
    assert [str(path) for path in unlabelled.find(words)] == paths


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("nothing.png", "nothing.png is not there; give image files"),
        ("no*.png", r"no\*.png matches no file"),
        ("photos/*.txt", r"matches no PNG, JPEG, .* image"),
        ("empty", "empty holds no PNG, JPEG"),
    ],
)
@pytest.mark.usefixtures("photos")
def test_words_that_name_no_image_are_told(word, message):
    with pytest.raises(DataError, match=message) as caught:
        unlabelled.find(["photos/9.png", word])
    assert "\n" not in str(caught.value)


def test_a_file_that_is_called_like_a_pattern_is_a_file(photos):
    os.rename(photos / "9.png", photos / "[9].png")
    assert unlabelled.find(["photos/[9].png"])[0].name == "[9].png"


@pytest.mark.parametrize("shape", [GREY, COLOUR, (4, 12, 1)])
def test_images_come_in_the_networks_shape_batch_by_batch(photos, shape):
    paths = unlabelled.find(["photos"])
    batches = list(unlabelled.Reader(shape).batches(paths, 3))
    assert [len(batch) for batch in batches] == [3, 1]
    assert all((batch.shape[1:], batch.dtype) == (shape, np.uint8) for batch in batches)
    if shape == GREY:
        np.testing.assert_array_equal(batches[0][0, ..., 0], Image.open(photos / "9.png"))


def test_they_are_resized_as_those_that_were_trained_on(tmp_path):
    class_folders(tmp_path / "data")
    dataset = data.load(str(tmp_path / "data"), image_size=6)
    trained = np.concatenate([split.images for split in dataset.splits().values()])
    paths = unlabelled.find([str(tmp_path / "data")])
    (images,) = unlabelled.Reader((6, 6, 3)).batches(paths, 99)
    assert {image.tobytes() for image in images} == {image.tobytes() for image in trained}


def test_what_was_done_to_images_is_noted(photos):
    Image.new("RGBA", (9, 8), (200, 0, 0, 0)).save(photos / "clear.png")
    reader = unlabelled.Reader(COLOUR)
    (batch,) = reader.batches([photos / "clear.png"], 4)
    assert (batch == 255).all()
    assert "images laid on white, being transparent: 1 (" in reader.notes()[0]


def test_all_broken_images_are_told_in_one_line(photos):
    (photos / "bad.png").write_bytes((photos / "9.png").read_bytes()[:40])
    paths = unlabelled.find(["photos", "photos/notes.txt"])
    seen = []
    with pytest.raises(DataError, match=r"2 of 6 images cannot be used: .*bad.png") as caught:
        seen.extend(unlabelled.Reader(GREY).batches(paths, 2))
    assert "notes.txt" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_picture_has_the_channels_of_some_networks():
    with pytest.raises(DataError, match="images of 4 channels, which no file of a picture has"):
        unlabelled.Reader((8, 8, 4))
