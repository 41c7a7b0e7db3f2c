"""Own data that are broken or meant to harm: one line says so, and nothing is run or written."""

import os
import pickle
import re
import warnings
import zipfile
import zlib

import numpy as np
import psutil
import pytest
from PIL import Image

from jaxact import data
from jaxact.errors import DataError
from tests.support.own_files import (
    archive,
    arrays,
    class_folders,
    encoded,
    four,
    npy,
    npy_header,
    npz,
)
from tests.support.published_files import MakesFolder

IMAGES, LABELS = arrays(30)
FLOATS = IMAGES.astype(np.float32) / 255


def refused(path) -> str:
    """The message that a path is refused with; one line, without a warning before it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError) as caught:
            data.load(str(path))
    message = str(caught.value)
    assert message.isprintable()
    return message


def changed(array: np.ndarray, value: float) -> np.ndarray:
    array = array.copy()
    array[7, 3, 2, 1] = value
    return array


def without(label: int) -> dict[str, np.ndarray]:
    keep = label != LABELS
    return {"images": IMAGES[keep], "labels": LABELS[keep]}


WRONG_ARRAYS = {
    "no images": ({"labels": LABELS}, r"images missing; it must hold train_images, .*has labels"),
    "one missing": (
        {name: value for name, value in four().items() if name != "test_labels"},
        "test_labels missing",
    ),
    "too many labels": ({"images": IMAGES[:-1], "labels": LABELS}, "images are 29, .* 30; one"),
    "no examples": ({"images": IMAGES[:0], "labels": LABELS[:0]}, r"not empty, got \[0, 9, 10, 3"),
    "no pixels": ({"images": IMAGES[:, :0], "labels": LABELS}, r"not empty, got \[30, 0, 10, 3"),
    "flat images": ({"images": IMAGES.reshape(30, -1), "labels": LABELS}, r"got \[30, 270\]"),
    "channels first": (
        {"images": IMAGES.transpose(0, 3, 1, 2), "labels": LABELS},
        r"channels seem to come first.*np.moveaxis\(images, 1, -1\)",
    ),
    "int64 images": ({"images": IMAGES.astype(np.int64), "labels": LABELS}, "images is int64; it"),
    "bool images": ({"images": IMAGES > 9, "labels": LABELS}, "images is bool; it must"),
    "nan": ({"images": changed(FLOATS, np.nan), "labels": LABELS}, "NaN .* first in image 7"),
    "inf": ({"images": changed(FLOATS, np.inf), "labels": LABELS}, "infinite .* in image 7"),
    "too large": ({"images": FLOATS * 255, "labels": LABELS}, "floats from 0 to 255; .*rescale"),
    "negative": ({"images": FLOATS * 2 - 1, "labels": LABELS}, "floats from -1 to 1"),
    "float labels": ({"images": IMAGES, "labels": LABELS / 1}, r"integers .* float64 \[30\]"),
    "one-hot": ({"images": IMAGES, "labels": np.eye(3, dtype=int)[LABELS]}, r"labels.argmax\(-1\)"),
    "scalar labels": ({"images": IMAGES, "labels": np.int64(3)}, r"integers .* int64 \[\]"),
    "negative labels": ({"images": IMAGES, "labels": LABELS - 1}, "0, 1, 2 and so on, got -1"),
    "gap": (without(1), "go up to 2 but none is 1; renumber .*return_inverse=True"),
    "from 1": ({"images": IMAGES, "labels": LABELS + 1}, "go up to 3 but none is 0; renumber"),
    "giant label": (
        {"images": IMAGES, "labels": np.where(LABELS, np.uint64(2**63), np.uint64(0))},
        "go up to 9223372036854775808 but none is 1;",
    ),
    "one class": ({"images": IMAGES, "labels": LABELS * 0}, "are all 0; there must be two"),
    "rare class": (
        {"images": IMAGES[:4], "labels": np.array([0, 0, 1, 2])},
        "class 1 has one image, too few",
    ),
    "unknown test label": (
        {**four(), "test_labels": four()["test_labels"] + 1},
        "test labels go up to 3, the training labels to 2",
    ),
    "test labels below 0": ({**four(), "test_labels": four()["test_labels"] - 1}, "got -1"),
    "other test shape": (
        {**four(), "test_images": four()["test_images"][:, 1:]},
        r"train_images are \[9, 10, 3\], test_images \[8, 10, 3\]",
    ),
    "text": ({"images": IMAGES, "labels": LABELS.astype(str)}, "labels is of dtype <U21; it must"),
    "records": ({"images": np.zeros(3, "u1,u1"), "labels": LABELS}, "images is of dtype .*numbers"),
}


@pytest.mark.parametrize("case", WRONG_ARRAYS)
def test_wrong_arrays_are_named(tmp_path, case):
    contents, message = WRONG_ARRAYS[case]
    assert re.search(message, refused(npz(tmp_path / "my.npz", **contents)))


def test_an_array_of_objects_is_never_unpickled(tmp_path):
    sentinel = tmp_path / "executed"
    objects = np.array([MakesFolder(sentinel)] * 30, object)
    path = npz(tmp_path / "my.npz", images=IMAGES, labels=objects)
    assert "labels holds Python objects, which are never loaded" in refused(path)
    assert not sentinel.exists()
    with np.load(path, allow_pickle=True) as loaded:
        assert len(loaded["labels"]) == 30
    assert sentinel.exists()  # the array was a loaded one


def with_images(images: bytes) -> dict[str, bytes]:
    return {"images.npy": images, "labels.npy": npy(LABELS)}


def declared(shape: str, kind: str = "|u1") -> str:
    return f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}\n"


BROKEN_NPY = {
    "lie": (npy_header(declared("(9000000000, 9, 10, 3)"), bytes(99)), "but 99 follow; save it"),
    "short": (npy(IMAGES)[:-1], "8100 bytes, but 8099 follow"),
    "long": (npy(IMAGES) + b"\0", "8100 bytes, but 8101 follow"),
    "negative": (npy_header(declared("(-1, -9, 10, 90)"), bytes(8100)), r"its shape is \(-1"),
    "no size": (npy_header(declared("(2**40,)", "|V0")), "images cannot be read"),
    "void": (npy_header(declared("(1099511627776,)", "|V0")), "images is of dtype |V0"),
    "no tuple": (npy_header(declared("3"), bytes(3)), "images cannot be read .*shape"),
    "code": (npy_header("__import__('os').mkdir('executed')\n"), "images cannot be read"),
    "nested": (npy_header("(" * 5000), "images cannot be read"),
    "long header": (npy_header("'" + "x" * 60_000 + "'"), "images cannot be read"),
    "third version": (b"\x93NUMPY\x03\x00\x02\x00\x00\x00{}", "format 3.0"),
    "no magic": (b"GIF89a", "images cannot be read"),
    "nothing": (b"", "images cannot be read"),
    "many axes": (npy_header(declared(str((1,) * 99)), b"\0"), "images cannot be read"),
}


@pytest.mark.parametrize("case", BROKEN_NPY)
def test_a_header_is_not_believed(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    content, message = BROKEN_NPY[case]
    assert re.search(message, refused(archive(tmp_path / "my.npz", with_images(content))))
    assert [path.name for path in tmp_path.iterdir()] == ["my.npz"]


def test_sizes_that_no_compression_reaches_are_refused(tmp_path):
    """The archive's directory lies as the array's header does, so that they agree."""
    header = npy_header(declared("(15000000, 9, 10, 3)"))
    path = archive(tmp_path / "my.npz", with_images(header + bytes(500)))
    old = (len(header) + 500).to_bytes(4, "little")
    new = (len(header) + 15_000_000 * 270).to_bytes(4, "little")
    content = path.read_bytes()
    assert content.count(old) == 2  # before the array, and in the directory
    path.write_bytes(content.replace(old, new))
    assert "images claims 4050000" in (message := refused(path))
    assert message.endswith("more than the file can hold; save it again")


def test_a_bomb_that_memory_cannot_hold_is_not_allocated(tmp_path, monkeypatch):
    path = npz(tmp_path / "my.npz", images=np.zeros((3000, 50, 50), np.uint8), labels=LABELS)
    assert path.stat().st_size < 20_000
    free = psutil.virtual_memory()._replace(available=7_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    assert re.search("images takes 0.0 GiB of memory, 0.0 GiB are free: save fewer", refused(path))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_truncated_archive(tmp_path, part):
    path = npz(tmp_path / "my.npz", images=IMAGES, labels=LABELS)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    assert "is no whole .npz archive" in refused(path)


def test_a_changed_byte_is_seen_by_the_archives_checksum(tmp_path):
    path = tmp_path / "my.npz"
    np.savez(path, images=IMAGES, labels=LABELS)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    assert "Bad CRC-32" in refused(path)


@pytest.mark.parametrize("content", [b"", b"hello", npy(IMAGES), pickle.dumps({"images": 1})])
def test_what_is_no_archive(tmp_path, content):
    (tmp_path / "my.npz").write_bytes(content)
    assert "my.npz is no whole .npz archive" in refused(tmp_path / "my.npz")


def test_an_array_that_stands_twice(tmp_path):
    path = tmp_path / "my.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("images.npy", npy(IMAGES))
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("images.npy", npy(IMAGES))
    assert "holds images.npy 2 times; save it again" in refused(path)


def test_other_compressions_are_refused(tmp_path):
    path = archive(tmp_path / "my.npz", with_images(npy(IMAGES)), zipfile.ZIP_LZMA)
    assert "compressed by other means" in refused(path)


def test_names_in_an_archive_cannot_break_the_line(tmp_path):
    path = archive(tmp_path / "my.npz", {"a\n\x1b[2Jb.npy": npy(IMAGES), "../x.npy": b""})
    assert r"'a\n\x1b[2Jb'" in refused(path)
    assert [path.name for path in tmp_path.iterdir()] == ["my.npz"]


def test_a_path_cannot_break_the_line(tmp_path):
    path = tmp_path / "two\nlines.npz"
    path.write_bytes(b"")
    assert r"two\nlines.npz" in refused(path)


def test_what_is_neither_file_nor_folder_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "my.npz")
    assert "is neither a file nor a folder" in refused(tmp_path / "my.npz")


# Folders.


def bomb(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds next to nothing."""
    content = encoded(np.zeros((1, 1), np.uint8))
    start = content.index(b"IHDR")
    header = (
        b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + content[start + 12 :][:5]
    )
    checksum = zlib.crc32(header).to_bytes(4, "big")
    return content[:start] + header + checksum + content[start + 21 :]


PNG = encoded(IMAGES[0])
BROKEN_IMAGES = {
    "truncated": (PNG[: len(PNG) // 2], r"new.png cannot be read \(.*truncated.*mend or remove"),
    "nothing": (b"", "new.png is no PNG, JPEG, WebP, BMP, TIFF or GIF image; remove it"),
    "text": (b"<html>", "new.png is no PNG, JPEG"),
    "another format": (encoded(IMAGES[0], "PPM"), "new.png is no PNG, JPEG"),
    "bomb": (bomb(60_000, 60_000), "new.png has more than 89478485 pixels; make it smaller"),
    "small bomb": (bomb(9_500, 9_500), "new.png has more than 89478485 pixels; make it smaller"),
    "other size": (bomb(10, 11), "0.png is 10 x 9 pixels, .*new.png 10 x 11: make all of one"),
    "32 bits": (
        encoded(np.zeros((9, 10), np.int32), "TIFF"),
        r"new.png has more than 16 bits a channel, or no grey levels \(I\); save it with 8",
    ),
    "floats": (encoded(np.zeros((9, 10), np.float32), "TIFF"), r"no grey levels \(F\); save it"),
}


@pytest.mark.parametrize("case", BROKEN_IMAGES)
def test_broken_images_are_named(tmp_path, case):
    content, message = BROKEN_IMAGES[case]
    class_folders(tmp_path)
    (tmp_path / "bee" / "new.png").write_bytes(content)
    assert re.search(message, refused(tmp_path))


def test_images_that_memory_cannot_hold_are_not_decoded(tmp_path, monkeypatch):
    class_folders(tmp_path)
    free = psutil.virtual_memory()._replace(available=15 * 270 - 1)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("decoded"))
    assert "smaller ones with --config.image_size, or stream them" in refused(tmp_path)


@pytest.mark.parametrize("what", ["file", "folder", "dangling"])
def test_links_that_leave_the_folder_are_refused(tmp_path, what):
    class_folders(tmp_path / "mine")
    class_folders(tmp_path / "other")
    link, target = {
        "file": ("mine/bee/new.png", "other/bee/0.png"),
        "folder": ("mine/dog", "other/bee"),
        "dangling": ("mine/bee/new.png", "nowhere.png"),
    }[what]
    (tmp_path / link).symlink_to(tmp_path / target)
    assert re.search(
        f"{link} is a link that leads out of .*/mine; copy", refused(tmp_path / "mine")
    )


def test_links_within_the_folder_are_followed(tmp_path):
    class_folders(tmp_path / "real")
    (tmp_path / "real" / "bee" / "again.png").symlink_to(tmp_path / "real" / "bee" / "0.png")
    (tmp_path / "mine").symlink_to(tmp_path / "real")
    loaded = data.load(str(tmp_path / "mine"))
    assert len(loaded.train) + len(loaded.test) == 16


def no_classes(root):
    root.mkdir()
    (root / "0.png").write_bytes(PNG)


def one_class(root):
    class_folders(root)
    for name in ("ant", "bee"):
        for path in (root / name).iterdir():
            path.unlink()
        (root / name).rmdir()


def empty_class(root):
    class_folders(root)
    (root / "dog").mkdir()
    (root / "dog" / "Thumbs.db").write_bytes(b"")


def nested(root):
    class_folders(root)
    (root / "bee" / "train").mkdir()


def circle(root):
    class_folders(root)
    (root / "bee" / "more").mkdir()
    (root / "bee" / "more" / "again").symlink_to(root / "bee")


def no_test(root):
    class_folders(root / "train")


def unknown_test_class(root):
    class_folders(root / "train")
    class_folders(root / "test")
    (root / "test" / "dog").mkdir()
    (root / "test" / "dog" / "0.png").write_bytes(PNG)


def fifo(root):
    class_folders(root)
    os.mkfifo(root / "bee" / "new.png")


def lone_image(root):
    class_folders(root)
    (root / "dog").mkdir()
    (root / "dog" / "0.png").write_bytes(PNG)


WRONG_FOLDERS = {
    no_classes: "mine has no class folders; put the images of each class into .*mine/CLASS/",
    one_class: "are all 0; there must be two classes or more",
    empty_class: "class folder .*dog has no PNG, .* or GIF images; add some, or remove it",
    nested: "bee/train is a folder within a class folder, .* if .*/bee holds the classes or train/",
    circle: "bee/more/again is a link to a folder that it lies in; remove it",
    no_test: "mine has train/ but no test/; add it, or put the class folders",
    unknown_test_class: "test/ has the class dog that train/ has not",
    fifo: "bee/new.png is neither a file nor a folder; remove it",
    lone_image: "class dog has one image, too few to divide",
}


@pytest.mark.parametrize("make", WRONG_FOLDERS, ids=lambda make: make.__name__)
def test_wrong_folders_are_named(tmp_path, make):
    make(tmp_path / "mine")
    assert re.search(WRONG_FOLDERS[make], refused(tmp_path / "mine"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["mine", "mine/bee", "mine/bee/0.png"])
def test_what_may_not_be_read_is_named(tmp_path, name):
    class_folders(tmp_path / "mine")
    (tmp_path / name).chmod(0)
    try:
        assert "ermission denied" in refused(tmp_path / "mine")
    finally:
        (tmp_path / name).chmod(0o700)
