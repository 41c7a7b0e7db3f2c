"""A user's own images: what is read, and how it is divided and named."""

import io

import numpy as np
import pytest
from PIL import Image

from jaxact import data
from jaxact.data.own import arrays as own_arrays
from jaxact.errors import ConfigError, DataError
from tests.support.own_files import CLASSES, archive, arrays, class_folders, encoded, four, npy, npz
from tests.support.published_files import assert_same_split


@pytest.mark.parametrize("layout", own_arrays.LAYOUTS[:2])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_divided_npz_is_taken_as_it_is(tmp_path, layout, save):
    contents = four(layout)
    save(tmp_path / "my.npz", **contents)
    loaded = data.load(str(tmp_path / "my.npz"))
    train_images, train_labels, test_images, test_labels = contents.values()
    assert_same_split(loaded.train, data.Split(train_images, train_labels.astype(np.int32)))
    assert_same_split(loaded.test, data.Split(test_images, test_labels.astype(np.int32)))
    assert (loaded.num_classes, loaded.class_names) == (3, ("0", "1", "2"))
    assert (loaded.augmentation, loaded.note) == ("none", "")
    assert loaded.name == str(tmp_path / "my.npz")


def test_an_npz_that_is_not_divided_is_divided_by_class(tmp_path):
    images, _ = arrays(100)
    labels = np.repeat([0, 1, 2], [50, 45, 5])
    path = npz(tmp_path / "my.npz", images=images, labels=labels)
    loaded = data.load(str(path))
    assert np.bincount(loaded.test.labels).tolist() == [10, 9, 1]
    assert np.bincount(loaded.train.labels).tolist() == [40, 36, 4]
    assert loaded.note == "divided by class with seed 0 into 80 training and 20 test images"
    both = [split.images for split in (loaded.train, loaded.test)]
    assert {i.tobytes() for i in images} == {i.tobytes() for part in both for i in part}
    by_image = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    for split in (loaded.train, loaded.test):
        for image, label in zip(split.images, split.labels, strict=True):
            assert by_image[image.tobytes()] == label
    assert_same_split(data.load(str(path)).test, loaded.test)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, ">f4"])
def test_floats_become_the_nearest_grey_level(tmp_path, kind):
    images, labels = arrays(30)
    floats = (images / 255).astype(kind)
    loaded = data.load(str(npz(tmp_path / "f.npz", images=floats, labels=labels)))
    exact = data.load(str(npz(tmp_path / "u.npz", images=images, labels=labels)))
    assert_same_split(loaded.train, exact.train)
    assert loaded.fingerprint == exact.fingerprint


def test_grey_images_may_lack_their_channel_and_labels_have_one(tmp_path):
    images, labels = arrays(30, (9, 10))
    path = npz(tmp_path / "my.npz", images=images, labels=labels[:, np.newaxis].astype(np.uint8))
    loaded = data.load(str(path))
    assert loaded.train.images.shape == (24, 9, 10, 1)
    assert loaded.train.labels.dtype == np.int32


def test_fortran_order_and_the_second_version_of_the_header_are_read(tmp_path):
    images, labels = arrays(30)
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asfortranarray(images), version=(2, 0))
    path = archive(tmp_path / "f.npz", {"images.npy": buffer.getvalue(), "labels.npy": npy(labels)})
    plain = npz(tmp_path / "c.npz", images=images, labels=labels)
    assert_same_split(data.load(str(path)).train, data.load(str(plain)).train)


def test_other_arrays_are_ignored_and_named(tmp_path):
    path = npz(tmp_path / "my.npz", **four(), extra=np.array([{}], object))
    assert data.load(str(path)).note == "arrays ignored: extra"


@pytest.mark.parametrize("is_divided", [True, False])
def test_class_folders(tmp_path, is_divided):
    if is_divided:
        train = class_folders(tmp_path / "train", 4)
        test = class_folders(tmp_path / "test", 2, seed=1)
    else:
        train, test = class_folders(tmp_path, 5), None
    loaded = data.load(str(tmp_path))
    assert loaded.class_names == CLASSES
    assert loaded.train.images.shape[1:] == (9, 10, 3)
    assert np.bincount(loaded.train.labels).tolist() == [4, 4, 4]
    if test is not None:
        np.testing.assert_array_equal(loaded.train.images, train)
        np.testing.assert_array_equal(loaded.test.images, test)
        assert loaded.note == ""
    else:
        assert np.bincount(loaded.test.labels).tolist() == [1, 1, 1]
        by_image = {image.tobytes(): index // 5 for index, image in enumerate(train)}
        for split in (loaded.train, loaded.test):
            for image, label in zip(split.images, split.labels, strict=True):
                assert by_image[image.tobytes()] == label
        assert "divided by class" in loaded.note


def test_a_folder_and_the_same_arrays_are_the_same_data(tmp_path):
    images = class_folders(tmp_path / "folder", 5)
    labels = np.repeat([0, 1, 2], 5)
    path = npz(tmp_path / "same.npz", images=images, labels=labels)
    folder = data.load(str(tmp_path / "folder"))
    assert folder.fingerprint == data.load(str(path)).fingerprint


def test_grey_images_have_one_channel_unless_one_is_coloured(tmp_path):
    class_folders(tmp_path, shape=(9, 10))
    assert data.load(str(tmp_path)).train.images.shape[-1] == 1
    Image.new("RGB", (10, 9), (255, 0, 0)).save(tmp_path / "ant" / "0.png")
    loaded = data.load(str(tmp_path))
    assert loaded.train.images.shape[-1] == 3
    assert loaded.train.images.reshape(-1, 3).max(0).tolist() == [255] * 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_mode_of_8_bits_is_read(tmp_path, mode):
    class_folders(tmp_path)
    suffix, form = (".jpeg", "JPEG") if mode == "CMYK" else (".PNG", "PNG")
    Image.new("RGB", (10, 9), (255, 255, 255)).convert(mode).save(
        tmp_path / "ant" / f"white{suffix}", form
    )
    loaded = data.load(str(tmp_path))
    white = [(image > 250).all() for split in (loaded.train, loaded.test) for image in split.images]
    assert sum(white) == 1


def test_hidden_files_are_skipped_and_others_reported(tmp_path):
    class_folders(tmp_path)
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / ".git").mkdir()
    (tmp_path / "ant" / ".hidden.png").write_bytes(b"x")
    (tmp_path / "README.txt").write_text("x")
    (tmp_path / "ant" / "new\nline.txt").write_bytes(b"x")
    note = data.load(str(tmp_path)).note
    assert note.endswith(r"; ignored, no images or classes: README.txt, 'ant/new\nline.txt'")


def test_mixed_sizes_are_resized_only_if_asked(tmp_path):
    class_folders(tmp_path)
    Image.new("RGB", (64, 48), (10, 20, 30)).save(tmp_path / "bee" / "large.jpg")
    with pytest.raises(DataError, match=r"10 x 9 pixels, .*large.jpg 64 x 48: .*image_size=9"):
        data.load(str(tmp_path))
    loaded = data.load(str(tmp_path), image_size=16)
    assert loaded.train.images.shape[1:] == loaded.test.images.shape[1:] == (16, 16, 3)


@pytest.mark.parametrize(("name", "size"), [("digits", 5), ("digits", 8), ("npz", 20)])
def test_any_data_set_is_resized_if_asked(tmp_path, name, size):
    images, labels = arrays(30)
    path = npz(tmp_path / "my.npz", images=images, labels=labels)
    loaded = data.load("digits" if name == "digits" else str(path), image_size=size)
    assert loaded.train.images.shape[1:3] == loaded.test.images.shape[1:3] == (size, size)


def test_a_uniform_image_stays_so_when_it_is_made_smaller():
    images = np.full((2, 40, 30, 1), 77, np.uint8)
    np.testing.assert_array_equal(data.resize(images, 7, 5), np.full((2, 7, 5, 1), 77))


def test_halving_averages_with_the_weights_of_a_triangle():
    """Anti-aliasing: every pixel counts; plain bilinear interpolation would skip some."""
    line = np.zeros((1, 1, 16, 1), np.uint8)
    line[0, 0, 7] = 255
    halved = data.resize(line, 1, 8)[0, 0, :, 0].astype(int)
    np.testing.assert_allclose(halved[2:5], [255 * w / 8 for w in (0, 3, 1)], atol=1)


# Which texts are paths, and what they are called.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, True) for name in ("a/b", "b.npz", "B.NPZ", "~/b", "there")),
        *((name, False) for name in ("minst", "", " ", "a\0/b")),
    ],
)
def test_what_is_meant_as_a_path(tmp_path, monkeypatch, name, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert data.is_path(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mnist", "mnist"),
        ("../data/my images.npz", "my_images"),
        ("/a/b/", "b"),
        ("/a/[bold]x.NPZ", "bold_x"),
        ("a/v1.2.npz", "v1.2"),
        ("/", "own"),
        ("/a/../..", "own"),
        ("a/...npz", "own"),
        ("a/" + "x" * 200, "x" * 60),
    ],
)
def test_a_title_is_safe_as_the_name_of_a_folder(name, expected):
    assert data.title(name) == expected


def test_a_name_goes_before_a_folder_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    class_folders(tmp_path / "digits")
    assert data.load("digits").num_classes == 10
    assert data.load("./digits").num_classes == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./cifr10", r"^./cifr10 is not there; did you mean cifar10, cifar100\?$"),
        ("mnist.npz", r"^mnist.npz is not there; did you mean mnist\?$"),
        ("mine.npz", r"^mine.npz is not there; did you mean mien.npz\?$"),
        ("q/w/e", r"^q/w/e is not there; give one of digits, .*, or the path of an .npz"),
        ("what\never.npz", r"^'what\\never.npz' is not there"),
    ],
)
def test_a_path_that_is_not_there(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mien.npz").write_bytes(b"")
    with pytest.raises(DataError, match=message):
        data.load(name)


def test_a_word_that_is_no_name_and_no_path_is_a_wrong_configuration():
    with pytest.raises(ConfigError, match=r"dataset='minst' .*or the path of an .npz.*mean mnist"):
        data.load("minst")


@pytest.mark.parametrize("change", ["label", "order", "test"])
def test_a_fingerprint_sees_every_change(tmp_path, change):
    contents = four()
    first = data.load(str(npz(tmp_path / "a.npz", **contents))).fingerprint
    if change == "label":
        contents["train_labels"][[0, 1]] = contents["train_labels"][[1, 0]]
    elif change == "order":
        contents["train_images"] = contents["train_images"][::-1]
    else:
        contents["test_images"][-1, -1, -1, -1] ^= 1
    assert data.load(str(npz(tmp_path / "b.npz", **contents))).fingerprint != first


def test_jpegs_are_read(tmp_path):
    class_folders(tmp_path)
    (tmp_path / "ant" / "photo.JPG").write_bytes(
        encoded(np.full((9, 10, 3), 200, np.uint8), "JPEG")
    )
    loaded = data.load(str(tmp_path))
    assert len(loaded.train) + len(loaded.test) == 16
